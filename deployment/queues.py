"""A deployment's queues, as who looks after it sees them: how much waits, how long."""

from __future__ import annotations

import datetime as dt
import json
import re
import time
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import stacks
from .cloud import client
from .settings import Deployment, SettingsError

QUEUE = "QueueUrl"
DEAD_LETTERS = "DeadLettersUrl"
DEAD = "-dead-letters"
COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
# The setting of whoever takes messages: the age at which an order is ended, uncharged.
GIVE_UP = "ORDER_GIVE_UP_SECONDS"
# Amazon's metric comes once a minute, and late.
LOOK_BACK = dt.timedelta(minutes=10)


@dataclass(frozen=True)
class Look:
    """How a queue is at a moment.

    Attributes:
        name: in this repository.
        waiting: messages that can be taken.
        in_flight: that somebody has taken and not done yet.
        delayed: that were put off.
        age: of the oldest message, in seconds; None where it is not known.
        dead: messages among its dead letters.
        taken: whether somebody takes messages, or that is paused.
    """

    name: str
    waiting: int
    in_flight: int
    delayed: int
    age: float | None
    dead: int
    taken: bool

    @property
    def empty(self) -> bool:
        """Whether nothing is on its way; dead letters do not count."""
        return not (self.waiting or self.in_flight or self.delayed)


def addresses(outputs: Mapping[str, str]) -> dict[str, str]:
    """Return the addresses of queues, by their names in this repository.

    Args:
        outputs: of the resources; `ChargeOrderQueueUrl` is of `charge-order`.
    """
    found = {}
    for output, url in outputs.items():
        for ending, added in ((QUEUE, ""), (DEAD_LETTERS, DEAD)):
            if output.endswith(ending):
                found[dashed(output.removesuffix(ending)) + added] = url
    return found


def there(deployment: Deployment) -> dict[str, str]:
    """Return the addresses of a deployment's queues by their names.

    Raises:
        SettingsError: it has none.
    """
    found = addresses(stacks.outputs(deployment.stack("resources")))
    if not found:
        raise SettingsError(
            f"{deployment.prefix} has no queues: only stage 4 has, once it is deployed."
        )
    return found


def address(deployment: Deployment, name: str) -> tuple[str, str]:
    """Return the addresses of a queue and of its dead letters.

    Raises:
        SettingsError: there is no queue of this name.
    """
    found = there(deployment)
    if name not in found or name.endswith(DEAD):
        known = ", ".join(name for name in found if not name.endswith(DEAD))
        raise SettingsError(f"There is no queue {name!r}. Say QUEUE= one of: {known}.")
    return found[name], found[name + DEAD]


def looks(deployment: Deployment) -> list[Look]:
    """Look at every queue."""
    found = there(deployment)
    taken = {m["EventSourceArn"]: m["State"] for m in mappings(deployment)}
    return [
        _look(deployment, name, url, found[name + DEAD], taken)
        for name, url in found.items()
        if not name.endswith(DEAD)
    ]


def table(deployment: Deployment) -> str:
    """Return a table of all queues, for people."""
    heads = ("queue", "waiting", "in flight", "put off", "oldest", "dead letters", "")
    rows = [heads] + [
        (
            look.name,
            str(look.waiting),
            str(look.in_flight),
            str(look.delayed),
            "-" if look.age is None else f"{look.age:.0f} s",
            str(look.dead),
            "" if look.taken else "paused",
        )
        for look in looks(deployment)
    ]
    form = "{:16} {:>8} {:>10} {:>8} {:>8} {:>13}  {}"
    return "\n".join(form.format(*row).rstrip() for row in rows)


def mappings(deployment: Deployment) -> list[dict[str, Any]]:
    """Return what brings messages to functions: Lambda's event source mappings."""
    pages = client("lambda").get_paginator("list_event_source_mappings").paginate()
    every = (mapping for page in pages for mapping in page["EventSourceMappings"])
    begin = f":{deployment.prefix}-"
    return [mapping for mapping in every if begin in mapping["EventSourceArn"]]


def gives_up_after(deployment: Deployment, name: str) -> float | None:
    """Return the age at which what waits in a queue is given up, in seconds.

    Args:
        deployment: the deployment.
        name: of the queue.

    Returns:
        None where whoever takes its messages never gives one up for its age.

    Raises:
        SettingsError: there is no such queue.
    """
    wanted = arn(address(deployment, name)[0])
    for mapping in mappings(deployment):
        if mapping["EventSourceArn"] == wanted:
            told = client("lambda").get_function_configuration(
                FunctionName=mapping["FunctionArn"]
            )
            variables = told.get("Environment", {}).get("Variables", {})
            if GIVE_UP in variables:
                return float(variables[GIVE_UP])
    return None


def counts(url: str) -> dict[str, int]:
    """Return how many messages a queue has of each kind."""
    said = client("sqs").get_queue_attributes(
        QueueUrl=url, AttributeNames=[*COUNTS, "QueueArn"]
    )["Attributes"]
    return {name: int(said[name]) for name in COUNTS}


def arn(url: str) -> str:
    """Return the ARN of a queue."""
    said = client("sqs").get_queue_attributes(
        QueueUrl=url, AttributeNames=["QueueArn"]
    )["Attributes"]
    return str(said["QueueArn"])


def dashed(title: str) -> str:
    """Write a name as queues have it.

    >>> dashed("ChargeOrder")
    'charge-order'
    """
    return re.sub(r"(?<!^)[A-Z]", lambda letter: "-" + letter[0], title).lower()


def _look(
    deployment: Deployment,
    name: str,
    url: str,
    dead_letters: str,
    taken: Mapping[str, str],
) -> Look:
    waiting, in_flight, delayed = counts(url).values()
    age = _age_at_amazon(url) if deployment.endpoint is None else _age_here(url)
    dead = sum(counts(dead_letters).values())
    is_taken = taken.get(arn(url)) in {"Enabled", "Enabling", "Creating", "Updating"}
    return Look(name, waiting, in_flight, delayed, age, dead, is_taken)


def _age_at_amazon(url: str) -> float | None:
    now = dt.datetime.now(dt.timezone.utc)
    points = client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SQS",
        MetricName="ApproximateAgeOfOldestMessage",
        Dimensions=[{"Name": "QueueName", "Value": url.rpartition("/")[2]}],
        StartTime=now - LOOK_BACK,
        EndTime=now,
        Period=60,
        Statistics=["Maximum"],
    )["Datapoints"]
    newest = max(points, key=lambda point: point["Timestamp"], default=None)
    return None if newest is None else float(newest["Maximum"])


def _age_here(url: str) -> float | None:
    """Return the age; the local AWS has no such metric, but lets one look inside."""
    base = client("sqs").meta.endpoint_url
    asked = f"{base}/_ministack/sqs/messages?QueueUrl={urllib.parse.quote(url)}"
    with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310 (http)
        accounts = json.load(answer)["messages"]
    sent = [
        message["SentTimestamp"]
        for regions in accounts.values()
        for queues in regions.values()
        for messages in queues.values()
        for message in messages
    ]
    return max(0.0, time.time() - min(sent)) if sent else None
