"""What no role of a stage may do, except where its own policy says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import requests
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from deployment.up import TABLES
from tests.cognito import Signature
from tests.grants import GUEST, grants
from tests.probes import TIMEOUT_SECONDS, World

AT_LEAST = 70
TOPIC = "concierge-local-order-events"
NO_TOPIC = "not arn:aws:sns:*:*:*"
REFUSED = {
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "AuthorizationErrorException",
    "UnauthorizedOperation",
    "UnauthorizedAccess",
}
FORBIDDEN = 403
Attempt = Callable[[], str | None]

KEYS = {
    "catalog": "pk",
    "nlu": "guest_id",
    "checkout": "order_id",
    "payments": "order_id",
    "notifications": "notice",
    "receipts": "order_id",
}
INDEXES = {
    "catalog": {"on_shelf": "shelf"},
    "checkout": {"by_guest": "guest_id", "open": "open"},
}
QUEUES = {
    "charge-order": "ChargeOrderQueue",
    "order-outcomes": "OrderOutcomesQueue",
    "notifications": "NotificationsQueue",
    "receipts": "ReceiptsQueue",
}
# What each service's own API has; the public API has what guests may do.
ROUTES = {
    "catalog": (
        ("GET", "/products"),
        ("GET", "/products/candy-jar"),
        ("GET", "/partner/products"),
        ("GET", "/internal/products"),
        ("PUT", "/internal/reservations/ord_000000000000000000000000"),
        ("DELETE", "/internal/reservations/ord_000000000000000000000000"),
    ),
    "checkout": (
        ("POST", "/checkout"),
        ("GET", "/orders"),
        ("GET", "/orders/ord_000000000000000000000000"),
        ("GET", "/health"),
        (
            "GET",
            "/internal/guests/us-east-1:00000000-0000-4000-8000-000000000001/orders",
        ),
    ),
    "nlu": (("POST", "/nlu"), ("POST", "/chatbot")),
}
PUBLIC = (
    ("POST", "/nlu"),
    ("POST", "/chatbot"),
    ("GET", "/products"),
    ("GET", "/products/candy-jar"),
    ("POST", "/checkout"),
    ("GET", "/orders"),
    ("GET", "/orders/ord_000000000000000000000000"),
)
# What the roles that call other services may call there; guests call the public.
RESERVATIONS = {
    "catalog PUT /internal/reservations/ord_000000000000000000000000",
    "catalog DELETE /internal/reservations/ord_000000000000000000000000",
}
EVERYWHERE = {
    "nlu-api": {
        "catalog GET /internal/products",
        "checkout GET /internal/guests/us-east-1:00000000-0000-4000-8000-000000000001"
        "/orders",
    },
    GUEST: {f"public {method} {path}" for method, path in PUBLIC},
}
MAY_CALL = {
    3: {
        **EVERYWHERE,
        "checkout-api": {"catalog GET /internal/products", *RESERVATIONS},
        "checkout-sweep": RESERVATIONS,
    },
    4: {
        **EVERYWHERE,
        "checkout-api": {"catalog GET /internal/products"},
        "payments-charge": RESERVATIONS,
    },
}
# Paths that look like those that may be called.
NEARBY = (
    ("catalog", "PUT", "/internal/products"),
    ("catalog", "GET", "/internal/reservations/ord_000000000000000000000000"),
    ("catalog", "PUT", "/internal/reservations/ord_1"),
    ("checkout", "GET", "/internal/guests/anybody/orders"),
)


def table(world: World, role: str) -> dict[str, Attempt]:
    """Return what a role is to be refused, by the words for it.

    Args:
        world: where it is tried.
        role: whose credentials are used.
    """
    if role == GUEST:
        credentials: Credentials = world.guest.http.auth.credentials
    else:
        credentials = world.credentials(role)
    stage = world.stage.stage
    granted = {(g.action, g.thing) for g in grants(stage) if g.role == role}
    found = {
        **_tables(world, credentials, granted),
        **_queues(world, credentials, granted),
        **dict(_paths(world, credentials, MAY_CALL[stage].get(role, set()))),
    }
    for words, (service, call, options) in _others(world, role).items():
        if not _is_granted(words, granted):
            found[words] = _call(world, credentials, service, call, options)
    return found


def _is_granted(words: str, granted: set[tuple[str, str]]) -> bool:
    """Return whether an action is granted; that on a topic is none on a telephone."""
    return any(
        action == words and (words != "sns:Publish" or thing == NO_TOPIC)
        for action, thing in granted
    )


def let_in(world: World, role: str) -> dict[str, str]:
    """Try all that a role is to be refused; return what was not, with what was said.

    Args:
        world: where it is tried.
        role: whose credentials are used.
    """
    tried = table(world, role)
    assert len(tried) > AT_LEAST
    return {words: said for words, attempt in tried.items() if (said := attempt())}


def _tables(
    world: World, credentials: Credentials, granted: set[tuple[str, str]]
) -> dict[str, Attempt]:
    """Return every kind of call on every table that is not granted."""
    found: dict[str, Attempt] = {}
    for owner, table in world.stage.tables.items():
        key = {KEYS[owner]: {"S": "probe"}}
        on_key: dict[str, dict[str, Any]] = {
            "GetItem": {"Key": key},
            "PutItem": {"Item": key},
            "UpdateItem": {"Key": key},
            "DeleteItem": {"Key": key},
            "Query": _query(KEYS[owner]),
            "Scan": {},
            "DeleteTable": {},
            "DescribeTable": {},
        }
        for action, options in on_key.items():
            if (f"dynamodb:{action}", f"table/${{{TABLES[owner]}}}") in granted:
                continue
            found[f"dynamodb:{action} {owner}"] = _call(
                world, credentials, "dynamodb", action, {"TableName": table, **options}
            )
        for index, hashed in INDEXES.get(owner, {}).items():
            place = f"table/${{{TABLES[owner]}}}/index/{index}"
            asked = {"TableName": table, "IndexName": index}
            if ("dynamodb:Query", place) not in granted:
                found[f"dynamodb:Query {owner} {index}"] = _call(
                    world, credentials, "dynamodb", "Query", asked | _query(hashed)
                )
            found[f"dynamodb:Scan {owner} {index}"] = _call(
                world, credentials, "dynamodb", "Scan", asked
            )
    return found


def _queues(
    world: World, credentials: Credentials, granted: set[tuple[str, str]]
) -> dict[str, Attempt]:
    """Return every kind of call on every queue and on the topic that is not granted."""
    found: dict[str, Attempt] = {}
    receipt = {"ReceiptHandle": "none"}
    for queue, output in QUEUES.items() if world.stage.queues else ():
        url = world.stage.queues[queue]
        on_queue: dict[str, dict[str, Any]] = {
            "SendMessage": {"MessageBody": "x"},
            "ReceiveMessage": {},
            "DeleteMessage": receipt,
            "ChangeMessageVisibility": {**receipt, "VisibilityTimeout": 0},
            "GetQueueAttributes": {"AttributeNames": ["All"]},
            "SetQueueAttributes": {"Attributes": {"DelaySeconds": "900"}},
            "PurgeQueue": {},
            "DeleteQueue": {},
        }
        for action, options in on_queue.items():
            if (f"sqs:{action}", f"${{{output}}}") not in granted:
                found[f"sqs:{action} {queue}"] = _call(
                    world, credentials, "sqs", action, {"QueueUrl": url, **options}
                )
        dead = {"QueueUrl": world.stage.queues[f"{queue}-dead-letters"]}
        for action in ("ReceiveMessage", "PurgeQueue"):
            found[f"sqs:{action} {queue}-dead-letters"] = _call(
                world, credentials, "sqs", action, dead
            )
    if world.stage.queues:
        on_topic: dict[str, dict[str, Any]] = {
            "Publish": {"Message": "x"},
            "Subscribe": {"Protocol": "email", "Endpoint": "a@example.com"},
            "DeleteTopic": {},
        }
        topic = {"TopicArn": "arn:aws:sns:us-east-1:000000000000:" + TOPIC}
        for action, options in on_topic.items():
            if (f"sns:{action}", "${OrderEventsTopic}") not in granted:
                found[f"sns:{action} {TOPIC}"] = _call(
                    world, credentials, "sns", action, {**topic, **options}
                )
    return found


def _query(hashed: str) -> dict[str, Any]:
    return {
        "KeyConditionExpression": "#key = :value",
        "ExpressionAttributeNames": {"#key": hashed},
        "ExpressionAttributeValues": {":value": {"S": "probe"}},
    }


def _paths(
    world: World, credentials: Credentials, allowed: set[str]
) -> Iterator[tuple[str, Attempt]]:
    """Return every operation of every API that may not be called."""
    every = [(api, *route) for api, routes in ROUTES.items() for route in routes]
    every += [("public", *route) for route in PUBLIC]
    for api, method, path in (*every, *NEARBY):
        words = f"{api} {method} {path}"
        if words not in allowed:
            base = world.guest.api_url if api == "public" else world.url(api)
            signature = Signature(credentials, str(world.stage.region))
            yield words, _request(method, base + path, signature)


def _request(method: str, url: str, signature: Signature) -> Attempt:
    def attempt() -> str | None:
        answer = requests.request(
            method, url, json={}, auth=signature, timeout=TIMEOUT_SECONDS
        )
        denied = answer.status_code == FORBIDDEN and "not authorized" in answer.text
        return None if denied else f"{answer.status_code} {answer.text[:200]}"

    return attempt


def _others(world: World, role: str) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Return calls of other services of AWS, by the action that they need."""
    pool, email = world.stage.user_pool_id, world.guest.email
    account = {"UserPoolId": pool, "Username": email}
    function = {"FunctionName": "concierge-local-catalog-stock_shelves"}
    another = "nlu-api" if role != "nlu-api" else "checkout-api"
    trust = '{"Version": "2012-10-17", "Statement": []}'
    api = {"restApiId": world.stage.service_apis["catalog"]}
    group = {"logGroupName": "/aws/lambda/concierge-local-checkout-api"}
    bucket = {"Bucket": "concierge-local-packages-000000000000"}
    user = {"UserName": "somebody"}
    letter = {
        "Source": "a@example.com",
        "Destination": {"ToAddresses": ["b@example.com"]},
        "Message": {
            "Subject": {"Data": "x"},
            "Body": {"Text": {"Data": "x"}},
        },
    }
    topic = "arn:aws:sns:us-east-1:000000000000:topic"
    own_role = {"RoleName": "concierge-local-nlu-api"}
    return {
        "cognito-idp:AdminGetUser": ("cognito-idp", "AdminGetUser", account),
        "cognito-idp:AdminDeleteUser": ("cognito-idp", "AdminDeleteUser", account),
        "cognito-idp:AdminSetUserPassword": (
            "cognito-idp",
            "AdminSetUserPassword",
            {**account, "Password": "another password"},
        ),
        "cognito-idp:AdminConfirmSignUp": (
            "cognito-idp",
            "AdminConfirmSignUp",
            account,
        ),
        "cognito-idp:ListUsers": ("cognito-idp", "ListUsers", {"UserPoolId": pool}),
        "cognito-idp:DescribeUserPool": (
            "cognito-idp",
            "DescribeUserPool",
            {"UserPoolId": pool},
        ),
        "ses:SendRawEmail": (
            "ses",
            "SendRawEmail",
            {"RawMessage": {"Data": b"From: a@example.com\n\nx"}},
        ),
        "ses:SendEmail": ("ses", "SendEmail", letter),
        "ses:VerifyEmailIdentity": (
            "ses",
            "VerifyEmailIdentity",
            {"EmailAddress": "a@example.com"},
        ),
        "sns:Publish": (
            "sns",
            "Publish",
            {"PhoneNumber": "+15555550199", "Message": "x"},
        ),
        "sns:Publish topic": ("sns", "Publish", {"TopicArn": topic, "Message": "x"}),
        "sns:CreateTopic": ("sns", "CreateTopic", {"Name": "topic"}),
        "sqs:CreateQueue": ("sqs", "CreateQueue", {"QueueName": "queue"}),
        "iam:CreateUser": ("iam", "CreateUser", user),
        "iam:CreateAccessKey": ("iam", "CreateAccessKey", user),
        "iam:GetRole": ("iam", "GetRole", own_role),
        "iam:PutRolePolicy": (
            "iam",
            "PutRolePolicy",
            {**own_role, "PolicyName": "more", "PolicyDocument": trust},
        ),
        "iam:UpdateAssumeRolePolicy": (
            "iam",
            "UpdateAssumeRolePolicy",
            {**own_role, "PolicyDocument": trust},
        ),
        "sts:AssumeRole": (
            "sts",
            "AssumeRole",
            {"RoleArn": world.roles.arn(another), "RoleSessionName": "probe"},
        ),
        "s3:ListAllMyBuckets": ("s3", "ListBuckets", {}),
        "s3:ListBucket": ("s3", "ListObjectsV2", bucket),
        "s3:GetObject": ("s3", "GetObject", {**bucket, "Key": "x"}),
        "s3:PutObject": (
            "s3",
            "PutObject",
            {
                "Bucket": "concierge-local-site-000000000000",
                "Key": "index.html",
                "Body": b"x",
            },
        ),
        "lambda:InvokeFunction": ("lambda", "Invoke", function),
        "lambda:GetFunction": ("lambda", "GetFunction", function),
        "lambda:UpdateFunctionCode": (
            "lambda",
            "UpdateFunctionCode",
            {**function, "ZipFile": b"x"},
        ),
        "lambda:ListFunctions": ("lambda", "ListFunctions", {}),
        "apigateway:GET": ("apigateway", "GetRestApi", api),
        "apigateway:GET keys": ("apigateway", "GetApiKeys", {"includeValues": True}),
        "apigateway:DELETE": ("apigateway", "DeleteRestApi", api),
        "cloudformation:DescribeStacks": ("cloudformation", "DescribeStacks", {}),
        "cloudformation:DeleteStack": (
            "cloudformation",
            "DeleteStack",
            {"StackName": "concierge-local-nlu"},
        ),
        "events:ListRules": ("events", "ListRules", {}),
        "logs:DescribeLogGroups": ("logs", "DescribeLogGroups", {}),
        "logs:FilterLogEvents": ("logs", "FilterLogEvents", group),
        "logs:DeleteLogGroup": ("logs", "DeleteLogGroup", group),
        "logs:CreateLogGroup elsewhere": (
            "logs",
            "CreateLogGroup",
            {"logGroupName": "/elsewhere"},
        ),
        "ssm:GetParameter": ("ssm", "GetParameter", {"Name": "x"}),
        "secretsmanager:GetSecretValue": (
            "secretsmanager",
            "GetSecretValue",
            {"SecretId": "x"},
        ),
        "kms:ListKeys": ("kms", "ListKeys", {}),
        "cognito-identity:ListIdentityPools": (
            "cognito-identity",
            "ListIdentityPools",
            {"MaxResults": 1},
        ),
    }


def _call(
    world: World,
    credentials: Credentials,
    service: str,
    operation: str,
    options: dict[str, Any],
) -> Attempt:
    def attempt() -> str | None:
        client = world.client(service, credentials)
        try:
            _method(client, operation)(**options)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            return None if code in REFUSED else str(error)
        return "done"

    return attempt


def _method(client: Any, operation: str) -> Callable[..., Any]:
    """Return the method of a client with the name that AWS gives an operation."""
    by_operation = {
        aws: python for python, aws in client.meta.method_to_api_mapping.items()
    }
    method: Callable[..., Any] = getattr(client, by_operation[operation])
    return method
