"""What `make destroy` says of what is left: each kind of it makes the command fail."""

from __future__ import annotations

import json
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from deployment import __main__ as command
from deployment import cloud, down
from deployment.settings import REGION, TAG

NAME = "concierge-dev-forgotten"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})
TABLE = {
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
}


@pytest.fixture
def account(monkeypatch) -> Iterator[pytest.MonkeyPatch]:
    """An empty account of Amazon's, in this process."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    monkeypatch.setattr(down, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr("sys.argv", ["deployment", "down", "--env", "dev"])
    with mock_aws():
        forget_clients()
        yield monkeypatch
    forget_clients()


def forget_clients() -> None:
    cloud.client.cache_clear()
    cloud.account.cache_clear()


def test_where_nothing_is_left_it_says_so(account, capsys):
    assert command.main() == 0
    assert "Nothing is left of concierge-dev." in capsys.readouterr().out


LEFT = {
    "table": lambda: cloud.client("dynamodb").create_table(TableName=NAME, **TABLE),
    "table-by-its-tag": lambda: cloud.client("dynamodb").create_table(
        TableName="forgotten", **TABLE, Tags=[{"Key": TAG, "Value": "dev"}]
    ),
    "queue": lambda: cloud.client("sqs").create_queue(QueueName=NAME),
    "topic": lambda: cloud.client("sns").create_topic(Name=NAME),
    "role": lambda: cloud.client("iam").create_role(
        RoleName=NAME, AssumeRolePolicyDocument=TRUST
    ),
    "log-group": lambda: cloud.client("logs").create_log_group(
        logGroupName=f"/aws/lambda/{NAME}"
    ),
    "api": lambda: cloud.client("apigateway").create_rest_api(name=NAME),
    "bucket": lambda: cloud.client("s3").create_bucket(Bucket=NAME),
    "alarm": lambda: cloud.client("cloudwatch").put_metric_alarm(
        AlarmName=NAME,
        ComparisonOperator="GreaterThanThreshold",
        EvaluationPeriods=1,
        MetricName="m",
        Namespace="n",
        Period=60,
        Statistic="Sum",
        Threshold=1,
    ),
    "stack": lambda: cloud.client("cloudformation").create_stack(
        StackName=NAME,
        TemplateBody=json.dumps(
            {"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {}}}}
        ),
    ),
}


@pytest.mark.parametrize("leave", LEFT.values(), ids=LEFT)
def test_what_is_left_is_listed_and_the_command_fails(leave, account, capsys):
    leave()
    assert command.main() == 1
    told = capsys.readouterr().err
    assert told.startswith("Left over, remove by hand:\n")
    assert "forgotten" in told


def test_what_belongs_to_somebody_else_is_nobodys_business(account, capsys):
    cloud.client("dynamodb").create_table(
        TableName="concierge-other-orders", **TABLE, Tags=[{"Key": TAG, "Value": "x"}]
    )
    cloud.client("sqs").create_queue(QueueName="concierge-development")
    assert command.main() == 0
    assert cloud.client("dynamodb").list_tables()["TableNames"]
    assert REGION in cloud.client("sqs").list_queues()["QueueUrls"][0]
