"""Remove a deployment, and prove that nothing of it is left."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from . import site, stacks
from .cloud import account, client
from .settings import TAG, Deployment
from .steps import say, step

# Amazon's index of tags follows what happened with a delay.
PATIENCE_SECONDS = 120.0
PAUSE_SECONDS = 5.0


def down(deployment: Deployment) -> list[str]:
    """Remove all stacks of a deployment, the last one first.

    Returns:
        What is left of it nevertheless: ARNs and names.

    Raises:
        StackFailed: a stack cannot be deleted; the message says why.
    """
    for bucket in ("packages", "site"):
        site.empty(f"{deployment.prefix}-{bucket}-{account()}")
    last_first = ["public-api", *reversed(deployment.services), "resources"]
    for part in last_first:
        with step(part) as outcome:
            there = stacks.delete(deployment.stack(part))
            outcome.words = "deleted" if there else "was not there"
    return _left_at_last(deployment)


def _left_at_last(deployment: Deployment) -> list[str]:
    local = deployment.endpoint is not None
    deadline = time.monotonic() + (0.0 if local else PATIENCE_SECONDS)
    while (left := sorted(set(leftovers(deployment)))) and time.monotonic() < deadline:
        say(f"Still listed: {len(left)}; looking again ...")
        time.sleep(PAUSE_SECONDS)
    return left


def leftovers(deployment: Deployment) -> Iterator[str]:
    """Return what there is of a deployment, found by its tag and by its names.

    The index of tags knows neither roles nor log groups of every kind, so these are
    looked for by name.
    """
    pages = (
        client("resourcegroupstaggingapi")
        .get_paginator("get_resources")
        .paginate(TagFilters=[{"Key": TAG, "Values": [deployment.env]}])
    )
    for page in pages:
        listed = (found["ResourceARN"] for found in page["ResourceTagMappingList"])
        yield from (arn for arn in listed if not _is_gone_table(arn))
    begin = f"{deployment.prefix}-"
    yield from stacks.names(begin)
    for named in OF_EACH_KIND:
        yield from named(begin)


def _is_gone_table(arn: str) -> bool:
    """Tell whether it is a table that the index of tags still lists and nobody has."""
    _, _, table = arn.partition(":table/")
    if not table:
        return False
    try:
        client("dynamodb").describe_table(TableName=table)
    except client("dynamodb").exceptions.ResourceNotFoundException:
        return True
    return False


def _named(begin: str) -> Callable[[str], bool]:
    return lambda name: name.startswith(begin)


def _roles(begin: str) -> Iterator[str]:
    for page in client("iam").get_paginator("list_roles").paginate():
        yield from filter(_named(begin), (role["RoleName"] for role in page["Roles"]))


def _log_groups(begin: str) -> Iterator[str]:
    groups = client("logs").get_paginator("describe_log_groups")
    for page in groups.paginate(logGroupNamePrefix=f"/aws/lambda/{begin}"):
        yield from (group["logGroupName"] for group in page["logGroups"])


def _apis(begin: str) -> Iterator[str]:
    for page in client("apigateway").get_paginator("get_rest_apis").paginate():
        names = (api["name"] for api in page["items"])
        yield from (n for n in names if n.startswith(begin) or n == begin.rstrip("-"))


def _tables(begin: str) -> Iterator[str]:
    for page in client("dynamodb").get_paginator("list_tables").paginate():
        yield from filter(_named(begin), page["TableNames"])


def _buckets(begin: str) -> Iterator[str]:
    names = (bucket["Name"] for bucket in client("s3").list_buckets()["Buckets"])
    yield from filter(_named(begin), names)


def _queues(begin: str) -> Iterator[str]:
    pages = client("sqs").get_paginator("list_queues")
    for page in pages.paginate(QueueNamePrefix=begin):
        yield from page.get("QueueUrls", [])


def _topics(begin: str) -> Iterator[str]:
    for page in client("sns").get_paginator("list_topics").paginate():
        arns = (topic["TopicArn"] for topic in page["Topics"])
        yield from (arn for arn in arns if f":{begin}" in arn)


def _alarms(begin: str) -> Iterator[str]:
    pages = client("cloudwatch").get_paginator("describe_alarms")
    for page in pages.paginate(AlarmNamePrefix=begin):
        yield from (alarm["AlarmName"] for alarm in page["MetricAlarms"])


OF_EACH_KIND = (
    _roles,
    _log_groups,
    _apis,
    _tables,
    _buckets,
    _queues,
    _topics,
    _alarms,
)
