"""The smallest thing that each grant is there for that stage 4 has and stage 3 has not.

The probes of policies that are carried over whole are stage 3's (`tests/probes.py`).
What comes from queues is handed to its function directly, as Lambda does it: nobody
waits for a queue, and nothing else is at work.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from sandbox.runner import RunningStage
from tests.faulty import Suppliers
from tests.grants import Grant
from tests.guest import tomorrow
from tests.probes import (
    DECLINED,
    ORD,
    PRODUCT,
    RESERVE,
    Probe,
    World,
    asked,
    logged,
)

# Longer than the first pause of a message that failed, in seconds, and far below the
# visibility timeout of any queue.
SOON_SECONDS = 3
QUEUES = {
    "checkout-hear_outcomes": "order-outcomes",
    "payments-charge": "charge-order",
    "notifications-notify": "notifications",
    "receipts-record": "receipts",
}


class WorldOfQueues(World):
    """A running stage 4 whose messages wait: probes alone hand them over.

    Args:
        stage: the running stage.
    """

    def __init__(self, stage: RunningStage) -> None:
        super().__init__(stage)
        self.sqs = self.client("sqs")
        known = self.client("cognito-idp").admin_get_user(
            UserPoolId=stage.user_pool_id, Username=self.guest.email
        )
        said = {at["Name"]: at["Value"] for at in known["UserAttributes"]}
        self.account: str = said["sub"]

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """Let messages wait inside the block, and nothing be left of it afterwards."""
        try:
            self.schedule("disable")
            self._sources(on=False)
            # One that stays pending: nobody charges it.
            self.order_id = self.guest.buy(PRODUCT).json()["order"]["orderId"]
            yield
        finally:
            self._forget()
            self._sources(on=True)
            self.schedule("enable")

    def _sources(self, *, on: bool) -> None:
        functions = self.client("lambda")
        for source in functions.list_event_source_mappings()["EventSourceMappings"]:
            functions.update_event_source_mapping(UUID=source["UUID"], Enabled=on)

    def _forget(self) -> None:
        for url in self.stage.queues.values():
            self.sqs.purge_queue(QueueUrl=url)
        # A pending order would be sent again by the sweep.
        table = {"TableName": self.stage.tables["checkout"]}
        dynamodb = self.client("dynamodb")
        for item in dynamodb.scan(**table)["Items"]:
            dynamodb.delete_item(**table, Key={"order_id": item["order_id"]})

    def drain(self, url: str) -> None:
        """Take away whatever can be seen in a queue."""
        while got := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for message in got:
                receipt = message["ReceiptHandle"]
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=receipt)

    def waiting(self, queue: str) -> int:
        """Return how many messages wait in a queue."""
        name = "ApproximateNumberOfMessages"
        found = self.sqs.get_queue_attributes(
            QueueUrl=self.stage.queues[queue], AttributeNames=[name]
        )
        return int(found["Attributes"][name])

    def take(self, role: str, body: object, **record: Any) -> bool:
        """Hand a message to a function; whether that is done with it.

        Args:
            role: of the function, and its name.
            body: of the message; what is no text is written as JSON.
            record: what else the delivery is to say, `receiptHandle` say.
        """
        text = body if isinstance(body, str) else json.dumps(body)
        delivery = str(record.pop("delivery", 1))
        message = {
            "messageId": str(uuid.uuid4()),
            "receiptHandle": "none",
            "body": text,
            "attributes": {"ApproximateReceiveCount": delivery},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            **record,
        }
        ended, said = self.ask(role, {"Records": [message]})
        return ended and said == {"batchItemFailures": []}


AsyncProbe = Callable[[WorldOfQueues], bool]


def accepted(world: WorldOfQueues) -> bool:
    """Whether a purchase is accepted."""
    return world.guest.buy(PRODUCT).status_code == 202


def priced(world: WorldOfQueues) -> bool:
    """Whether a purchase is accepted by a worker that remembers no prices."""
    world.replace_workers("checkout-api")
    return accepted(world)


def sent(world: WorldOfQueues) -> bool:
    """Whether an accepted purchase is sent to be charged."""
    before = world.waiting("charge-order")
    assert accepted(world)
    return world.waiting("charge-order") > before


def queue_is_seen(world: WorldOfQueues) -> bool:
    """Whether checkout can tell that its queue is there."""
    said = world.guest.get("/health").json()["dependencies"]
    return bool(said["queue"] == "ok")


def sent_again(world: WorldOfQueues) -> bool:
    """Whether the sweep sends an order of which nothing was heard."""
    world.client("dynamodb").update_item(
        TableName=world.stage.tables["checkout"],
        Key={"order_id": {"S": world.order_id}},
        UpdateExpression="SET due = :past",
        ExpressionAttributeValues={":past": {"N": "1"}},
    )
    before = world.waiting("charge-order")
    world.sweep()
    return world.waiting("charge-order") > before


def charge_order(world: WorldOfQueues, **order: Any) -> dict[str, Any]:
    """Return what checkout asks of payments, for an order that nobody knows yet."""
    now = dt.datetime.now(dt.timezone.utc).isoformat()
    whole = {
        "order_id": f"ord_{uuid.uuid4().hex[:24]}",
        "guest_id": f"{world.stage.region}:{uuid.uuid4()}",
        "fingerprint": "of a probe",
        "status": "pending",
        "product_id": PRODUCT,
        "name": "A probe",
        "quantity": 1,
        "amount": 1500,
        "currency": "usd",
        "delivery_address": "5 Main Street, Springfield",
        "delivery_date": tomorrow(),
        "payment_method": "pm_card_visa",
        "message": "",
        "created_at": now,
        "updated_at": now,
        **order,
    }
    return {"order": whole, "account": None}


def charged(card: str = "pm_card_visa") -> AsyncProbe:
    """Make a probe that has an order charged and told of."""
    return lambda world: world.take(
        "payments-charge", charge_order(world, payment_method=card)
    )


def put_off(world: WorldOfQueues) -> bool:
    """Whether an order can wait in the queue while its supplier is away."""
    table = charge_order(world) | {"supplied": True}
    with Suppliers(world.stage).going_wrong(refuse=True):
        return world.take("payments-charge", table, delivery=3)


def told(role: str) -> AsyncProbe:
    """Make a probe that tells a subscriber how an order ended."""

    def probe(world: WorldOfQueues) -> bool:
        order = charge_order(world)["order"]
        event = {_camel(name): value for name, value in order.items()} | {
            "event": "order-confirmed",
            "status": "confirmed",
            "account": world.account,
            "endedAt": order["updated_at"],
        }
        return world.take(role, event)

    return probe


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.title, others))


def put_back(role: str) -> AsyncProbe:
    """Make a probe that lets a message fail, which is to be there again soon."""

    def probe(world: WorldOfQueues) -> bool:
        url = world.stage.queues[QUEUES[role]]
        world.drain(url)
        world.sqs.send_message(QueueUrl=url, MessageBody="poison")
        (taken,) = world.sqs.receive_message(QueueUrl=url)["Messages"]
        receipt = taken["ReceiptHandle"]
        assert not world.take(role, "poison", receiptHandle=receipt)
        again = world.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=SOON_SECONDS)
        return "poison" in [message["Body"] for message in again.get("Messages", ())]

    return probe


def polled(role: str, action: str) -> AsyncProbe:
    """Make a probe of what Lambda does with a function's role to bring it messages.

    MiniStack brings them by itself, so it is done here with the role's credentials.
    """

    def probe(world: WorldOfQueues) -> bool:
        root, ours = world.sqs, world.client("sqs", world.credentials(role))
        queue = {"QueueUrl": world.stage.queues[QUEUES[role]]}
        root.send_message(**queue, MessageBody="a message")

        def by(name: str) -> Any:
            return ours if action == f"sqs:{name}" else root

        try:
            by("GetQueueAttributes").get_queue_attributes(**queue)
            (taken,) = by("ReceiveMessage").receive_message(**queue)["Messages"]
            receipt = taken["ReceiptHandle"]
            by("DeleteMessage").delete_message(**queue, ReceiptHandle=receipt)
        except ClientError as error:
            if "AccessDenied" in str(error):
                return False
            raise
        return True

    return probe


def _consumer(role: str, queue: str) -> dict[str, AsyncProbe]:
    """Return the probes of what whoever takes from a queue may do there."""
    polls = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
    return {
        **{f"sqs:{name} {queue}": polled(role, f"sqs:{name}") for name in polls},
        f"sqs:ChangeMessageVisibility {queue}": put_back(role),
    }


HEARD, NOTIFIED = told("checkout-hear_outcomes"), told("notifications-notify")

PROBES: Mapping[str, Mapping[str, AsyncProbe | Probe]] = {
    "checkout-api": {
        "dynamodb:GetItem table/${OrdersTable}": asked("GET", "/orders/{}"),
        "dynamodb:PutItem table/${OrdersTable}": accepted,
        "dynamodb:Query table/${OrdersTable}/index/by_guest": asked("GET", "/orders"),
        "execute-api:Invoke ${CatalogApiId}/v1/GET/internal/products": priced,
        "sqs:SendMessage ${ChargeOrderQueue}": sent,
        "sqs:GetQueueAttributes ${ChargeOrderQueue}": queue_is_seen,
    },
    "checkout-hear_outcomes": {
        "dynamodb:UpdateItem table/${OrdersTable}": HEARD,
        **_consumer("checkout-hear_outcomes", "${OrderOutcomesQueue}"),
    },
    "checkout-sweep": {
        "dynamodb:GetItem table/${OrdersTable}": sent_again,
        "dynamodb:UpdateItem table/${OrdersTable}": sent_again,
        "dynamodb:Query table/${OrdersTable}/index/open": sent_again,
        "sqs:SendMessage ${ChargeOrderQueue}": sent_again,
    },
    "payments-charge": {
        "dynamodb:GetItem table/${PaymentsTable}": charged(),
        "dynamodb:PutItem table/${PaymentsTable}": charged(),
        "dynamodb:UpdateItem table/${PaymentsTable}": charged(),
        f"execute-api:Invoke ${{CatalogApiId}}/v1/{RESERVE}/{ORD}": charged(),
        f"execute-api:Invoke ${{CatalogApiId}}/v1/DELETE/internal/reservations/{ORD}": (
            charged(DECLINED)
        ),
        "sqs:SendMessage ${ChargeOrderQueue}": put_off,
        "sns:Publish ${OrderEventsTopic}": charged(),
        **_consumer("payments-charge", "${ChargeOrderQueue}"),
    },
    "notifications-notify": {
        "dynamodb:PutItem table/${NotificationsTable}": NOTIFIED,
        "dynamodb:UpdateItem table/${NotificationsTable}": NOTIFIED,
        "cognito-idp:ListUsers userpool/${UserPoolId}": NOTIFIED,
        "ses:SendRawEmail identity/*": NOTIFIED,
        "sns:Publish not arn:aws:sns:*:*:*": NOTIFIED,
        **_consumer("notifications-notify", "${NotificationsQueue}"),
    },
    "receipts-record": {
        "dynamodb:PutItem table/${ReceiptsTable}": told("receipts-record"),
        **_consumer("receipts-record", "${ReceiptsQueue}"),
    },
}


def probe_of(grant: Grant) -> AsyncProbe | Probe | None:
    """Return what a grant is there for; None for one that nobody needs."""
    if grant.action.startswith("logs:"):
        return logged(grant.role, grant.action)
    return PROBES[grant.role].get(f"{grant.action} {grant.thing}")
