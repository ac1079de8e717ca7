"""Checkout of stage 4: an accepted order is written, sent, and sent again."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from types import SimpleNamespace

import boto3
import pytest

from tests.chalice_apps import (
    GUEST,
    OTHER_GUEST,
    Context,
    application,
    delivered,
    failed,
    queued,
)

TODAY = dt.datetime.now(dt.timezone.utc).date()
PURCHASE = {
    "productId": "candy-jar",
    "deliveryAddress": "5 Main Street, Springfield",
    "deliveryDate": str(TODAY + dt.timedelta(days=1)),
}


class Shop:
    """Checkout, with a catalogue of one product and queues that we look into."""

    def __init__(self, app):
        self.app = app
        self.services = app.part("services").assembled()
        self.services.checkout._catalog = SimpleNamespace(product=self.product)

    def product(self, product_id):
        words = ("name", "description", "image_url")
        return self.app.part("wire").Product(
            product_id=product_id,
            category="tables" if product_id.startswith("table") else "sweets",
            currency="usd",
            unit_amount=1500,
            stock=10,
            **dict.fromkeys(words, "candy"),
        )

    def buy(self, key=None, guest=GUEST, **fields):
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        body = PURCHASE | fields
        return self.app.call(
            "POST", "/checkout", body=body, headers=headers, guest=guest
        )

    def order(self, order_id, guest=GUEST):
        names = {"orderId": order_id}
        return self.app.call("GET", "/orders/{orderId}", names=names, guest=guest).body

    def hear(self, *events):
        bodies = [json.dumps(event) for event in events]
        return self.app.module.hear_outcomes(delivered(*bodies), Context())

    def sweep(self, **later):
        now = dt.datetime.now(dt.timezone.utc)
        return self.services.sweep.once(now + dt.timedelta(**later))


def ended(order, status="confirmed"):
    """Return the event of an order's end, with something that nobody knows yet."""
    names = ("name", "amount", "currency", "quantity", "productId", "orderId")
    return {name: order[name] for name in names} | {
        "event": f"order-{status}",
        "status": status,
        "message": f"It is {status}.",
        "guestId": GUEST,
        "account": None,
        "deliveryAddress": order["deliveryAddress"],
        "deliveryDate": order["deliveryDate"],
        "createdAt": order["createdAt"],
        "endedAt": "2099-01-01T00:00:00Z",
        "colour": "new",
    }


@pytest.fixture
def shop():
    with application("checkout", stage=4) as app:
        yield Shop(app)


def test_a_purchase_is_accepted_before_anything_is_paid(shop):
    answer = shop.buy(quantity=2)
    order = answer.body["order"]
    assert answer.status == 202
    assert answer.headers["Location"] == f"/v1/orders/{order['orderId']}"
    assert (order["status"], order["amount"]) == ("pending", 3000)
    assert shop.order(order["orderId"]) == order
    (message,) = queued("charge-order")
    sent = json.loads(message.body)
    assert sent["order"]["order_id"] == order["orderId"]
    assert message.attributes["request"] == answer.headers["X-Request-Id"]


def test_the_same_key_is_the_same_purchase_and_is_sent_once(shop):
    first, second = shop.buy("mine"), shop.buy("mine")
    assert (second.status, second.body) == (202, first.body)
    assert len(queued("charge-order")) == 1
    assert shop.buy("mine", quantity=2).status == 422
    assert shop.buy("mine", guest=OTHER_GUEST).body["order"] != first.body["order"]


@pytest.mark.parametrize(
    ("product_id", "supplied"), [("candy-jar", False), ("table-rooftop", True)]
)
def test_payments_is_told_what_a_supplier_has(shop, product_id, supplied):
    shop.buy(productId=product_id)
    assert json.loads(queued("charge-order")[0].body)["supplied"] is supplied
    shop.sweep(minutes=5)
    assert json.loads(queued("charge-order")[0].body)["supplied"] is supplied


@pytest.mark.parametrize("status", ["confirmed", "declined", "failed"])
def test_how_an_order_ended_is_heard_once(shop, status):
    order = shop.buy("mine").body["order"]
    late = ended(order, "failed" if status != "failed" else "confirmed")
    answer = shop.hear(ended(order, status), ended(order, status), late)
    assert failed(answer) == []
    now = shop.order(order["orderId"])
    assert (now["status"], now["message"]) == (status, f"It is {status}.")
    again = shop.buy("mine")
    assert (again.status, again.body["success"]) == (200, status == "confirmed")


def test_an_event_that_cannot_be_read_fails_and_the_others_do_not(shop):
    one, other = (shop.buy().body["order"] for _ in range(2))
    bodies = [json.dumps(ended(one)), "poison", json.dumps(ended(other))]
    answer = shop.app.module.hear_outcomes(delivered(*bodies), Context())
    assert failed(answer) == ["1"]
    statuses = {shop.order(order["orderId"])["status"] for order in (one, other)}
    assert statuses == {"confirmed"}


def test_a_message_that_was_never_sent_is_sent_by_the_sweep(shop, monkeypatch):
    def away(order):
        raise shop.app.part("errors").Unavailable("The queue is away.")

    with monkeypatch.context() as patched:
        patched.setattr(shop.services.queue, "send", away)
        answer = shop.buy()
    assert answer.status == 202
    assert queued("charge-order") == []
    assert shop.sweep(seconds=30) == 0
    assert shop.sweep(seconds=50) == 1
    sent = json.loads(queued("charge-order")[0].body)["order"]
    assert sent["order_id"] == answer.body["order"]["orderId"]


def test_an_order_is_sent_again_ever_more_seldom(shop):
    shop.buy()
    sent = [second for second in range(0, 1200, 10) if shop.sweep(seconds=second)]
    pauses = [after - before for before, after in zip(sent, sent[1:], strict=False)]
    assert pauses == sorted(pauses)
    assert 3 <= len(sent) <= 5


def test_an_order_that_never_ends_keeps_the_sweep_from_no_other(shop):
    for _ in range(2):
        shop.buy()
    table = boto3.resource("dynamodb").Table("orders")
    stuck = table.scan()["Items"][0]
    table.update_item(
        Key={"order_id": stuck["order_id"]},
        UpdateExpression="SET sent = :often",
        ExpressionAttributeValues={":often": 5000},
    )
    assert shop.sweep(hours=1) == 2


def test_an_order_that_cannot_be_read_keeps_no_other_from_being_sent(shop):
    orders = [shop.buy().body["order"]["orderId"] for _ in range(3)]
    queued("charge-order")
    boto3.resource("dynamodb").Table("orders").update_item(
        Key={"order_id": orders[0]},
        UpdateExpression="REMOVE sent SET due = :first",
        ExpressionAttributeValues={":first": 1},
    )
    assert shop.sweep(minutes=5) == 2
    sent = {json.loads(m.body)["order"]["order_id"] for m in queued("charge-order")}
    assert sent == set(orders[1:])


def test_a_message_that_cannot_be_sent_keeps_no_other_waiting_but_many_do(
    shop, monkeypatch
):
    for _ in range(5):
        shop.buy()
    asked = []

    def away(order):
        asked.append(order)
        if len(asked) != 2:
            raise shop.app.part("errors").Unavailable("The queue is away.")

    monkeypatch.setattr(shop.services.queue, "send", away)
    assert shop.sweep(minutes=5) == 1
    assert len(asked) == 5
    assert shop.sweep(minutes=30) == 0
    assert len(asked) == 8


def test_what_has_ended_is_not_sent_again(shop):
    order = shop.buy().body["order"]
    shop.hear(ended(order))
    assert shop.sweep(hours=1) == 0
    item = boto3.resource("dynamodb").Table("orders").scan()["Items"][0]
    assert not {"open", "due"} & item.keys()


def test_two_sweeps_at_once_send_an_order_once(shop):
    shop.buy()
    orders = shop.services.orders
    later = dt.datetime.now(dt.timezone.utc) + dt.timedelta(minutes=5)
    (overdue,) = list(orders.overdue(later, 10))
    assert orders.take_again(overdue, later) is not None
    assert orders.take_again(overdue, later) is None


def test_a_price_is_remembered_for_a_moment_and_no_longer():
    with application("checkout", stage=4) as app:
        catalog = app.part("catalog")
        said = {
            "products": [
                dict.fromkeys(
                    ("productId", "name", "category", "description", "imageUrl"), "x"
                )
                | {"unitAmount": 5, "currency": "usd", "stock": 1, "new": True}
            ]
        }
        calls = []

        def call(method, path):
            calls.append(path)
            return app.part("calls").Answer(200, json.dumps(said).encode())

        known = catalog.Catalog(SimpleNamespace(call=call), 60)
        assert {known.product("x").unit_amount for _ in range(3)} == {5}
        assert len(calls) == 1
        anew = catalog.Catalog(SimpleNamespace(call=call), 1e-9)
        assert {anew.product("x").unit_amount for _ in range(3)} == {5}
        assert len(calls) == 4


def test_health_tells_of_the_queue(shop):
    answer = shop.app.call("GET", "/health", guest=None)
    assert answer.body["stage"] == "stage4_async"
    assert answer.body["dependencies"] == {"database": "ok", "queue": "ok"}
