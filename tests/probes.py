"""The smallest thing that each grant of stage 3 is there for, as it is used.

Those of stage 4 that are not carried over are in `tests/probes_of_queues.py`.

A probe does it and tells whether it worked. A grant without a probe is one that nobody
has shown to be needed.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from typing import Any, Literal, TypeVar

import boto3
import requests
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from sandbox.runner import RunningStage
from tests.cognito import Signature
from tests.grants import Grant, Roles, grants
from tests.guest import Guest
from tests.schedule import TICK

TIMEOUT_SECONDS = 30
DECLINED = "pm_card_visa_chargeDeclined"
PRODUCT = "candy-jar"
PHONE = "+15555550100"
RESERVE = "PUT/internal/reservations"
RELEASE, MAIL, TEXT = "release", "mail", "text"
# What nlu says when it cannot read or write, or knows of no products or orders.
NO_NOTES = "I cannot reach my notes"
NO_CATALOG = "I cannot reach our catalogue"
NO_ORDERS = "I cannot see your orders"


class World:
    """A running stage, a guest of it with a telephone, and the rights of its root.

    Args:
        stage: the running stage.
    """

    def __init__(self, stage: RunningStage) -> None:
        self.stage = stage
        self.roles = Roles(self.client("iam"))
        self.guest = Guest(stage)
        self.client("cognito-idp").admin_update_user_attributes(
            UserPoolId=stage.user_pool_id,
            Username=self.guest.email,
            UserAttributes=[
                {"Name": "phone_number", "Value": PHONE},
                {"Name": "phone_number_verified", "Value": "true"},
            ],
        )
        self.order_id: str = self.guest.buy(PRODUCT).json()["order"]["orderId"]

    def client(self, service: str, credentials: Credentials | None = None) -> Any:
        """Make a client of AWS, with the rights of the root unless told whose."""
        mine = credentials or Credentials("test", "test")
        return boto3.client(
            service,
            endpoint_url=self.stage.aws_endpoint_url,
            region_name=self.stage.region,
            aws_access_key_id=mine.access_key,
            aws_secret_access_key=mine.secret_key,
            aws_session_token=mine.token,
        )

    def credentials(self, role: str) -> Credentials:
        """Borrow what a function has: its role's credentials."""
        arn = self.roles.arn(role)
        lent = self.client("sts").assume_role(RoleArn=arn, RoleSessionName="probe")
        given = lent["Credentials"]
        return Credentials(
            given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]
        )

    def internal(self, method: str, service: str, path: str, **options: Any) -> bool:
        """Call an internal operation with the rights of the root."""
        root = Signature(Credentials("test", "test"), str(self.stage.region))
        answer = requests.request(
            method,
            self.url(service) + path,
            auth=root,
            timeout=TIMEOUT_SECONDS,
            **options,
        )
        return answer.ok

    def url(self, service: str) -> str:
        """Return the address of a service's own API."""
        api_id = self.stage.service_apis[service]
        return f"{self.stage.aws_endpoint_url}/_aws/execute-api/{api_id}/v1"

    def order(self, order_id: str) -> dict[str, Any]:
        """Read an order as it lies in its table."""
        found = self.client("dynamodb").get_item(
            TableName=self.stage.tables["checkout"],
            Key={"order_id": {"S": order_id}},
            ConsistentRead=True,
        )
        item: dict[str, Any] = found["Item"]
        return {
            "status": item["status"]["S"],
            "loose": set(item.get("loose", {}).get("SS", ())),
            "open": "open" in item,
        }

    def abandoned(self, **purchase: str) -> str:
        """Make an order that was accepted, and go no further with it."""
        with self.roles.without(grant_of(3, "checkout-api", RESERVE)):
            answer = self.guest.buy(PRODUCT, **purchase)
        assert answer.status_code == 503, answer.text
        # The guest is told its id, for it is kept.
        return next(
            word for word in answer.json()["message"].split() if word[:4] == "ord_"
        )

    def invoke(self, function: str, event: dict[str, Any]) -> bool:
        """Call a function; whether it came to its end."""
        return self.ask(function, event)[0]

    def ask(self, function: str, event: dict[str, Any]) -> tuple[bool, Any]:
        """Call a function; return whether it came to its end, and what it answered."""
        answer = self.client("lambda").invoke(
            FunctionName=f"concierge-local-{function}", Payload=json.dumps(event)
        )
        said = json.loads(answer["Payload"].read() or b"null")
        return "FunctionError" not in answer, said

    def sweep(self) -> None:
        """Sweep, as the schedule does."""
        self.invoke("checkout-sweep", TICK)

    def replace_workers(self, function: str) -> None:
        """Let the next call meet a new worker, which remembers nothing."""
        functions = self.client("lambda")
        name = {"FunctionName": f"concierge-local-{function}"}
        now = functions.get_function_configuration(**name)
        functions.update_function_configuration(**name, Timeout=now["Timeout"])

    def schedule(self, change: Literal["enable", "disable"]) -> None:
        """Let nothing sweep but the probes, or let it sweep again."""
        events = self.client("events")
        for rule in events.list_rules()["Rules"]:
            getattr(events, f"{change}_rule")(Name=rule["Name"])


Probe = Callable[[World], bool]
Tried = TypeVar("Tried", bound=World)


def grant_of(stage: int, role: str, words: str) -> Grant:
    """Return the one grant of a role with these words."""
    (found,) = [g for g in grants(stage) if g.role == role and words in str(g)]
    return found


def asked(method: str, path: str, **options: Any) -> Probe:
    """Make a probe that sends a guest's request."""
    return lambda world: (
        world.guest.request(method, path.format(world.order_id), **options).ok
    )


def told(text: str, *, without: str, new_worker: bool = False) -> Probe:
    """Make a probe that talks with the concierge, and listens for an excuse."""

    def probe(world: World) -> bool:
        if new_worker:
            world.replace_workers("nlu-api")
        return without not in json.dumps(world.guest.say(text))

    return probe


def bought(world: World) -> bool:
    """Whether a guest can buy."""
    return world.guest.buy(PRODUCT).status_code == 200


def finished(*done: str, card: str = "pm_card_visa") -> Probe:
    """Make a probe that buys, and looks what was done when the order had ended."""

    def probe(world: World) -> bool:
        order = world.guest.buy(PRODUCT, paymentMethod=card).json()["order"]
        return not world.order(order["orderId"])["loose"] & set(done)

    return probe


def swept(ends_as: str, card: str = "pm_card_visa") -> Probe:
    """Make a probe that abandons an order, and sweeps."""

    def probe(world: World) -> bool:
        order_id = world.abandoned(paymentMethod=card)
        world.sweep()
        order = world.order(order_id)
        return bool(order["status"] == ends_as and not order["open"])

    return probe


def reserved(world: World) -> bool:
    """Whether stock can be set aside."""
    path = f"/internal/reservations/ord_{uuid.uuid4().hex[:24]}"
    wanted = {"productId": PRODUCT, "quantity": 1}
    return world.internal("PUT", "catalog", path, json=wanted)


def logged(role: str, action: str) -> Probe:
    """Make a probe of what Lambda does with a function's role to keep its lines.

    MiniStack keeps them itself, so it is done here with the role's own credentials.
    """

    def probe(world: World) -> bool:
        root, ours = world.client("logs"), world.client("logs", world.credentials(role))
        group = {"logGroupName": f"/aws/lambda/probe-{uuid.uuid4().hex}"}
        stream = {**group, "logStreamName": "probe"}
        event = {"timestamp": int(time.time() * 1000), "message": "a line"}
        steps: dict[str, Callable[[Any], Any]] = {
            "CreateLogGroup": lambda logs: logs.create_log_group(**group),
            "CreateLogStream": lambda logs: logs.create_log_stream(**stream),
            "PutLogEvents": lambda logs: logs.put_log_events(
                **stream, logEvents=[event]
            ),
        }
        try:
            for name, step in steps.items():
                step(ours if f"logs:{name}" == action else root)
        except ClientError as error:
            if "AccessDenied" in str(error):
                return False
            raise
        finally:
            if _there(root, group):
                root.delete_log_group(**group)
        return True

    return probe


def _there(logs: Any, group: dict[str, str]) -> bool:
    name = group["logGroupName"]
    return bool(logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"])


HELLO = {"messages": [{"type": "unstructured", "unstructured": {"text": "hello"}}]}
ORD = "ord_????????????????????????"
GUEST_ID = "${AWS::Region}:????????-????-????-????-????????????"

PROBES: dict[str, dict[str, Probe]] = {
    "catalog-api": {
        "dynamodb:GetItem table/${CatalogTable}": asked("GET", f"/products/{PRODUCT}"),
        "dynamodb:PutItem table/${CatalogTable}": reserved,
        "dynamodb:UpdateItem table/${CatalogTable}": reserved,
        "dynamodb:Query table/${CatalogTable}/index/on_shelf": asked(
            "GET", "/products"
        ),
    },
    "catalog-stock_shelves": {
        "dynamodb:UpdateItem table/${CatalogTable}": lambda world: world.invoke(
            "catalog-stock_shelves", {}
        ),
    },
    "checkout-api": {
        "dynamodb:GetItem table/${OrdersTable}": asked("GET", "/orders/{}"),
        "dynamodb:PutItem table/${OrdersTable}": bought,
        "dynamodb:UpdateItem table/${OrdersTable}": bought,
        "dynamodb:Query table/${OrdersTable}/index/by_guest": asked("GET", "/orders"),
        "execute-api:Invoke ${CatalogApiId}/v1/GET/internal/products": bought,
        f"execute-api:Invoke ${{CatalogApiId}}/v1/{RESERVE}/{ORD}": bought,
        f"execute-api:Invoke ${{CatalogApiId}}/v1/DELETE/internal/reservations/{ORD}": (
            finished(RELEASE, card=DECLINED)
        ),
        "cognito-idp:ListUsers userpool/${UserPoolId}": finished(MAIL, TEXT),
        "ses:SendRawEmail identity/*": finished(MAIL),
        "sns:Publish not arn:aws:sns:*:*:*": finished(TEXT),
    },
    "checkout-sweep": {
        "dynamodb:GetItem table/${OrdersTable}": swept("confirmed"),
        "dynamodb:UpdateItem table/${OrdersTable}": swept("confirmed"),
        "dynamodb:Query table/${OrdersTable}/index/open": swept("confirmed"),
        f"execute-api:Invoke ${{CatalogApiId}}/v1/{RESERVE}/{ORD}": swept("confirmed"),
        f"execute-api:Invoke ${{CatalogApiId}}/v1/DELETE/internal/reservations/{ORD}": (
            swept("declined", card=DECLINED)
        ),
        "cognito-idp:ListUsers userpool/${UserPoolId}": swept("confirmed"),
        "ses:SendRawEmail identity/*": swept("confirmed"),
        "sns:Publish not arn:aws:sns:*:*:*": swept("confirmed"),
    },
    "nlu-api": {
        "dynamodb:GetItem table/${DialogueTable}": told("hello", without=NO_NOTES),
        "dynamodb:PutItem table/${DialogueTable}": told("hello", without=NO_NOTES),
        "execute-api:Invoke ${CatalogApiId}/v1/GET/internal/products": told(
            "hello", without=NO_CATALOG, new_worker=True
        ),
        f"execute-api:Invoke ${{CheckoutApiId}}/v1/GET/internal/guests/{GUEST_ID}/orders": told(  # noqa: E501
            "where is my order?", without=NO_ORDERS
        ),
    },
    "guest": {
        "execute-api:Invoke ${Api}/v1/POST/nlu": asked("POST", "/nlu", json=HELLO),
        "execute-api:Invoke ${Api}/v1/POST/chatbot": asked(
            "POST", "/chatbot", json=HELLO
        ),
        "execute-api:Invoke ${Api}/v1/GET/products": asked("GET", "/products"),
        "execute-api:Invoke ${Api}/v1/GET/products/*": asked(
            "GET", f"/products/{PRODUCT}"
        ),
        "execute-api:Invoke ${Api}/v1/POST/checkout": bought,
        "execute-api:Invoke ${Api}/v1/GET/orders": asked("GET", "/orders"),
        "execute-api:Invoke ${Api}/v1/GET/orders/*": asked("GET", "/orders/{}"),
    },
}


def probe_of(grant: Grant) -> Probe | None:
    """Return what a grant is there for; None for one that nobody needs."""
    if grant.action.startswith("logs:"):
        return logged(grant.role, grant.action)
    return PROBES[grant.role].get(f"{grant.action} {grant.thing}")


def assert_needed(
    grant: Grant, probe: Callable[[Tried], bool] | None, world: Tried
) -> None:
    """Assert that something works with a grant, and fails without it.

    Args:
        grant: of a role.
        probe: does what it is there for.
        world: where it is tried.
    """
    assert probe, f"Nothing needs {grant}: take it away, or add a probe of it."
    with world.roles.without(grant):
        assert not probe(world), f"it worked without {grant}"
    assert probe(world), f"it failed with {grant}, too"
