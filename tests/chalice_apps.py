"""Run one Chalice application of a stage in this process, over tables in memory.

Every application calls its own modules `chalicelib`, so only one can be there at a
time. Nothing about what happens at once may be concluded from these tables: the stage
itself is asked for that.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import boto3
from botocore.stub import Stubber
from moto import mock_aws

REPOSITORY = Path(__file__).resolve().parents[1]
STAGES = {3: "stage3_serverless", 4: "stage4_async"}
REGION = "us-east-1"
GUEST = f"{REGION}:00000000-0000-4000-8000-000000000001"
OTHER_GUEST = f"{REGION}:00000000-0000-4000-8000-000000000002"
ACCOUNT = "11111111-0000-4000-8000-000000000001"

TABLES = {
    "catalog": ("pk", {"on_shelf": ("shelf", "product_id")}),
    "orders": (
        "order_id",
        {"by_guest": ("guest_id", "created_at"), "open": ("open", "due")},
    ),
    "dialogue": ("guest_id", {}),
    "payments": ("order_id", {}),
    "notices": ("notice", {}),
    "receipts": ("order_id", {}),
}
QUEUES = ("charge-order", "order-outcomes", "notifications", "receipts")
NUMBERS = {"due"}
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": REGION,
    "CATALOG_TABLE": "catalog",
    "ORDERS_TABLE": "orders",
    "DIALOGUE_TABLE": "dialogue",
    "USER_POOL_ID": "us-east-1_pool",
    "CATALOG_API_URL": "http://127.0.0.1:9/v1",
    "CHECKOUT_API_URL": "http://127.0.0.1:9/v1",
    "STRIPE_API_KEY": "sk_test_sandbox",
    "NLU_ENGINE": "rules",
    "SITE_ORIGIN": "https://site.example",
    "PAYMENTS_TABLE": "payments",
    "NOTIFICATIONS_TABLE": "notices",
    "RECEIPTS_TABLE": "receipts",
    "ORDER_EVENTS_TOPIC": f"arn:aws:sns:{REGION}:123456789012:order-events",
    **{
        f"{name.upper().replace('-', '_')}_QUEUE_URL": (
            f"https://sqs.{REGION}.amazonaws.com/123456789012/{name}"
        )
        for name in QUEUES
    },
}


class Context:
    """What Lambda tells a function."""

    aws_request_id = "1"

    def get_remaining_time_in_millis(self):
        return 55_000


@contextmanager
def application(service, *, stage=3, **environment):
    """Import a service's application, with empty tables, and forget it afterwards."""
    forget()
    home = str(REPOSITORY / STAGES[stage] / service)
    with mock.patch.dict(os.environ, ENVIRONMENT | environment), mock_aws():
        for variable in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
            os.environ.pop(variable, None)
        make_tables()
        make_queues()
        sys.path.insert(0, home)
        try:
            yield Application(importlib.import_module("app"))
        finally:
            sys.path.remove(home)
            forget()


def forget():
    """Forget the modules of the application before."""
    for name in list(sys.modules):
        if name == "app" or name.partition(".")[0] == "chalicelib":
            del sys.modules[name]


def make_tables():
    """Make the stage's tables, empty."""
    dynamodb = boto3.client("dynamodb")
    for name, (key, indexes) in TABLES.items():
        attributes = {key}.union(*indexes.values())
        more = {
            "GlobalSecondaryIndexes": [
                {
                    "IndexName": index,
                    "KeySchema": schema(*keys),
                    "Projection": {"ProjectionType": "ALL"},
                }
                for index, keys in indexes.items()
            ]
        }
        dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": at, "AttributeType": "N" if at in NUMBERS else "S"}
                for at in sorted(attributes)
            ],
            KeySchema=schema(key),
            **(more if indexes else {}),
        )


def make_queues():
    """Make the queues, empty, and a topic that tells the one of outcomes."""
    sqs, sns = boto3.client("sqs"), boto3.client("sns")
    for name in QUEUES:
        sqs.create_queue(QueueName=name)
    sns.create_topic(Name="order-events")
    sns.subscribe(
        TopicArn=ENVIRONMENT["ORDER_EVENTS_TOPIC"],
        Protocol="sqs",
        Endpoint=f"arn:aws:sqs:{REGION}:123456789012:order-outcomes",
        Attributes={"RawMessageDelivery": "true"},
    )


@contextmanager
def guests_of_facebook(*, pool, account, **said):
    """Answer for a pool with one guest, whose user name there is Facebook's.

    Args:
        pool: its id.
        account: the guest's `sub`, which signatures have and AdminGetUser knows not.
        said: the guest's attributes.
    """
    cognito = boto3.client("cognito-idp")
    guest = {
        "Username": "Facebook_10158",
        "Attributes": [{"Name": name, "Value": said[name]} for name in said],
    }
    with Stubber(cognito) as answers:
        for sub, found in ((account, [guest]), (account[::-1], [])):
            asked = {"UserPoolId": pool, "Filter": f'sub = "{sub}"'}
            answers.add_response("list_users", {"Users": found}, asked)
        yield cognito


def queued(name):
    """Take all messages out of a queue; return their bodies and attributes."""
    sqs, found = boto3.client("sqs"), []
    url = ENVIRONMENT[f"{name.upper().replace('-', '_')}_QUEUE_URL"]
    while messages := sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    ).get("Messages"):
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            said = message.get("MessageAttributes", {})
            attributes = {n: at["StringValue"] for n, at in said.items()}
            found.append(SimpleNamespace(body=message["Body"], attributes=attributes))
    return found


def delivered(*bodies, delivery=1):
    """Return messages as Lambda hands them over, named 0, 1, 2 and so on."""
    return {
        "Records": [
            {
                "messageId": str(number),
                "receiptHandle": f"receipt-{number}",
                "body": body,
                "attributes": {"ApproximateReceiveCount": str(delivery)},
                "messageAttributes": {},
            }
            for number, body in enumerate(bodies)
        ]
    }


def failed(answer):
    """Return the names of the messages that a function says have failed."""
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def schema(*keys):
    kinds = ("HASH", "RANGE")
    pairs = zip(keys, kinds, strict=False)
    return [{"AttributeName": key, "KeyType": kind} for key, kind in pairs]


class Application:
    """An application, called as API Gateway calls it.

    The methods are those of Chalice's test client, with a guest besides: its own client
    lets everybody in and knows no guests.
    """

    def __init__(self, module):
        self.module = module

    def part(self, name):
        """Return a module of the application's `chalicelib`."""
        return importlib.import_module(f"chalicelib.{name}")

    def call(self, method, path, *, body=None, headers=None, query=None, **more):
        """Call an operation.

        Args:
            method: of HTTP.
            path: as the contract writes it, `{productId}` and all.
            body: text, or what is sent as JSON.
            headers: over those of a JSON request.
            query: parameters.
            more: `names` in the path, and the `guest` who signed.
        """
        guest = more.get("guest", GUEST)
        text = body if body is None or isinstance(body, str) else json.dumps(body)
        provider = f"cognito-idp.{REGION}.amazonaws.com/pool"
        event = {
            "httpMethod": method,
            "body": text,
            "isBase64Encoded": more.get("base64", False),
            "headers": {"Content-Type": "application/json"} | (headers or {}),
            "pathParameters": more.get("names"),
            "multiValueQueryStringParameters": {
                name: [value] for name, value in (query or {}).items()
            }
            or None,
            "stageVariables": None,
            "requestContext": {
                "httpMethod": method,
                "resourcePath": path,
                "identity": {
                    "cognitoIdentityId": guest,
                    "cognitoAuthenticationProvider": guest
                    and f"{provider},{provider}:CognitoSignIn:{ACCOUNT}",
                },
            },
        }
        answer = self.module.app(event, Context())
        said = answer["body"]
        return SimpleNamespace(
            status=answer["statusCode"],
            headers=answer["headers"],
            body=json.loads(said) if said else None,
        )
