"""Checkout of stage 3: one charge an order, whatever is away, whoever is killed."""

from __future__ import annotations

import datetime as dt
import uuid
from types import SimpleNamespace

import boto3
import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends
from moto.sns.models import sns_backends

from tests.chalice_apps import (
    ACCOUNT,
    GUEST,
    OTHER_GUEST,
    REGION,
    application,
    guests_of_facebook,
)

TOMORROW = str(dt.datetime.now(dt.timezone.utc).date() + dt.timedelta(days=1))
PURCHASE = {
    "productId": "candy-jar",
    "deliveryAddress": "5 Main Street, Springfield",
    "deliveryDate": TOMORROW,
}
SENDER = "concierge@example.com"


class Shop:
    """A running checkout, with a catalogue and a card processor that we see through."""

    def __init__(self, app, users):
        self.app = app
        parts = app.part("services")
        services = parts.assembled()
        self.catalog = FakeCatalog(app)
        self.payments = FakePayments(app, services.orders)
        self.notifications = services.checkout._notifications
        self.users = users
        checkout = app.part("checkout").Checkout(
            self.catalog, services.orders, self.payments, self.notifications, 1800
        )
        self.orders = services.orders
        self.sweep = app.part("sweep").Sweep(services.orders, checkout)
        fakes = {"orders": services.orders, "checkout": checkout, "sweep": self.sweep}
        self.services = SimpleNamespace(
            **{"settings": services.settings, "database": services.database} | fakes
        )
        app.module.assembled = lambda: self.services

    def buy(self, key=None, guest=GUEST, **fields):
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        body = PURCHASE | fields
        return self.app.call(
            "POST", "/checkout", body=body, headers=headers, guest=guest
        )

    def order(self, order_id, guest=GUEST):
        names = {"orderId": order_id}
        return self.app.call("GET", "/orders/{orderId}", names=names, guest=guest)

    def sweep_later(self, **later):
        """Sweep as if this much time had passed: whoever worked is taken for dead."""
        table = boto3.client("dynamodb")
        for item in table.scan(TableName="orders")["Items"]:
            if "due" in item:
                table.update_item(
                    TableName="orders",
                    Key={"order_id": item["order_id"]},
                    UpdateExpression="SET due = :past",
                    ExpressionAttributeValues={":past": {"N": "1"}},
                )
        return self.sweep.once(dt.datetime.now(dt.timezone.utc) + dt.timedelta(**later))

    def mails(self):
        return ses_backends[DEFAULT_ACCOUNT_ID][REGION].sent_messages

    def texts(self):
        return sns_backends[DEFAULT_ACCOUNT_ID][REGION].sms_messages.values()

    def unfinished(self):
        items = boto3.client("dynamodb").scan(TableName="orders")["Items"]
        return [item for item in items if {"open", "due", "loose"} & item.keys()]


class FakeCatalog:
    """A catalogue with candy for 1500 cents."""

    def __init__(self, app):
        self._wire, self._errors = app.part("wire"), app.part("errors")
        self.stock = 10
        self.held = {}
        self.away = False

    def product(self, product_id):
        self._answer()
        if product_id != "candy-jar":
            raise self._errors.NotFound("We do not sell this. See GET /products.")
        words = ("name", "category", "description", "image_url")
        said = dict.fromkeys(words, "candy")
        numbers = {"unit_amount": 1500, "stock": self.stock}
        return self._wire.Product(
            product_id=product_id, currency="usd", **said, **numbers
        )

    def hold(self, order):
        self._answer()
        if order.order_id not in self.held:
            enough = self.stock >= order.quantity
            self.held[order.order_id] = order.quantity if enough else 0
            self.stock -= self.held[order.order_id]
        return self.held[order.order_id] > 0

    def release(self, order_id):
        self._answer()
        self.stock += self.held.get(order_id, 0)
        self.held[order_id] = 0

    def _answer(self):
        if self.away:
            raise self._errors.Unavailable("The catalogue is away.")


class FakePayments:
    """A card processor that can be made to do what real ones do."""

    def __init__(self, app, orders):
        self._errors, self._orders = app.part("payments"), orders
        self.paid = {}
        self.does = "pay"

    def charge(self, order):
        intent = order.payment_intent_id or f"pi_{order.order_id}"
        stored = self._orders.remember_intent(order.order_id, intent)
        if self.does == "away":
            raise self._errors.PaymentsUnavailable("No answer.")
        if self.does == "decline":
            raise self._errors.Declined(self._errors.DECLINED)
        self.paid[stored] = self.paid.get(stored, 0) + (stored not in self.paid)
        if self.does == "kill":
            raise Killed

    def cancel(self, intent):
        return intent not in self.paid


class Killed(BaseException):
    """The worker ends here, and nothing of ours runs after it."""


@pytest.fixture
def shop():
    with application("checkout", MAIL_FROM=f"Concierge <{SENDER}>") as app:
        boto3.client("ses").verify_email_identity(EmailAddress=SENDER)
        users = {"email": "ada@example.com"}
        shop = Shop(app, users)
        # moto's user pool makes up account names; ours come with the signature.
        shop.notifications.account = lambda name: users if name == ACCOUNT else {}
        yield shop


def test_a_purchase_is_confirmed_charged_and_told(shop):
    answer = shop.buy(quantity=2)
    assert answer.status == 200
    order = answer.body["order"]
    assert (order["status"], order["amount"]) == ("confirmed", 3000)
    assert shop.order(order["orderId"]).body == order
    assert list(shop.payments.paid.values()) == [1]
    assert shop.catalog.stock == 8
    assert [set(mail.destinations) for mail in shop.mails()] == [{"ada@example.com"}]
    assert order["orderId"] in shop.mails()[0].raw_data
    assert shop.unfinished() == []


def test_a_phone_gets_a_text_message_too(shop):
    shop.users["phone_number"] = "+15555550100"
    shop.buy()
    assert [number for number, _, *_ in shop.texts()] == ["+15555550100"]


def test_the_same_key_is_the_same_purchase(shop):
    first, second = shop.buy("mine"), shop.buy("mine")
    assert second.body == first.body
    assert len(shop.payments.paid) == len(shop.mails()) == 1
    assert shop.buy("mine", quantity=2).status == 422


def test_two_guests_may_use_the_same_key_and_see_only_their_own(shop):
    mine, theirs = shop.buy("mine"), shop.buy("mine", guest=OTHER_GUEST)
    order_id = theirs.body["order"]["orderId"]
    assert order_id != mine.body["order"]["orderId"]
    assert shop.order(order_id).status == 404
    listed = shop.app.call("GET", "/orders").body["orders"]
    assert [order["orderId"] for order in listed] == [mine.body["order"]["orderId"]]


def test_a_declined_card_ends_the_order_and_gives_the_stock_back(shop):
    shop.payments.does = "decline"
    answer = shop.buy()
    assert (answer.status, answer.body["success"]) == (200, False)
    assert answer.body["order"]["status"] == "declined"
    assert shop.catalog.stock == 10
    assert shop.unfinished() == []


def test_what_is_sold_out_is_not_charged(shop):
    answer = shop.buy(quantity=11)
    assert answer.body["order"]["status"] == "failed"
    assert shop.payments.paid == {}


def test_a_catalogue_that_is_away_leaves_no_order(shop):
    shop.catalog.away = True
    answer = shop.buy()
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert shop.app.call("GET", "/orders").body == {"orders": []}


def test_an_order_outlives_a_card_processor_that_is_away(shop):
    shop.payments.does = "away"
    answer = shop.buy()
    assert answer.status == 503
    (order,) = shop.app.call("GET", "/orders").body["orders"]
    assert order["orderId"] in answer.body["message"]
    shop.payments.does = "pay"
    assert shop.sweep_later() == 1
    assert shop.order(order["orderId"]).body["status"] == "confirmed"
    assert list(shop.payments.paid.values()) == [1]
    assert shop.unfinished() == []


def test_a_worker_that_is_killed_after_the_charge_is_finished_by_the_sweep(shop):
    shop.payments.does = "kill"
    with pytest.raises(Killed):
        shop.buy("mine")
    shop.payments.does = "pay"
    # Its lease still runs, so the one who asks again is told to wait.
    assert shop.buy("mine").status == 202
    assert shop.sweep_later() == 1
    assert shop.buy("mine").body["order"]["status"] == "confirmed"
    assert list(shop.payments.paid.values()) == [1]
    assert len(shop.mails()) == 1


def test_an_order_that_is_too_old_is_given_up_and_gives_back_its_stock(shop):
    shop.payments.does = "away"
    shop.buy()
    assert shop.sweep_later(hours=1) == 1
    (order,) = shop.app.call("GET", "/orders").body["orders"]
    assert order["status"] == "failed"
    assert shop.catalog.stock == 10


def test_an_order_that_is_too_old_and_was_paid_is_confirmed(shop):
    shop.payments.does = "kill"
    with pytest.raises(Killed):
        shop.buy()
    shop.sweep_later(hours=1)
    (order,) = shop.app.call("GET", "/orders").body["orders"]
    assert order["status"] == "confirmed"


def test_a_letter_that_could_not_be_sent_is_sent_later_and_once(shop, monkeypatch):
    def away(*_):
        raise shop.app.part("errors").Unavailable("The mail service is away.")

    with monkeypatch.context() as patched:
        patched.setattr(shop.notifications, "mail", away)
        assert shop.buy().body["order"]["status"] == "confirmed"
    assert shop.mails() == []
    for _ in range(2):
        shop.sweep_later()
    assert len(shop.mails()) == 1
    assert shop.unfinished() == []


def test_a_guest_who_came_by_facebook_is_found_by_what_the_signature_says(shop):
    notifications = shop.app.part("notifications").Notifications("pool", SENDER)
    email = "eve@example.com"
    with guests_of_facebook(pool="pool", account=ACCOUNT, email=email) as cognito:
        notifications.__dict__["_cognito"] = cognito
        assert notifications.account(ACCOUNT)["email"] == email
        assert notifications.account(ACCOUNT[::-1]) == {}


def test_a_guest_whose_account_is_gone_is_not_told_for_ever(shop):
    shop.users.clear()
    shop.buy()
    assert shop.unfinished() == []


def test_stock_is_given_back_when_the_catalogue_is_there_again(shop):
    shop.payments.does = "away"
    shop.buy()
    shop.catalog.away = True
    shop.sweep_later(hours=1)
    assert shop.catalog.stock == 9
    shop.catalog.away = False
    shop.sweep_later(hours=1)
    assert shop.catalog.stock == 10
    assert shop.unfinished() == []


def test_pages_of_orders_are_newest_first_and_each_once(shop):
    bought = [shop.buy().body["order"]["orderId"] for _ in range(5)]
    seen, query = [], {"limit": "2"}
    while True:
        page = shop.app.call("GET", "/orders", query=query).body
        seen += [order["orderId"] for order in page["orders"]]
        if "nextCursor" not in page:
            break
        query["cursor"] = page["nextCursor"]
    assert seen == bought[::-1]


@pytest.mark.parametrize(
    "cursor", ["x", "-", "5-", "9" * 30 + "-x", "-1-ord", "1-ord_"]
)
def test_a_cursor_of_no_page_is_422(cursor, shop):
    answer = shop.app.call("GET", "/orders", query={"cursor": cursor})
    assert answer.status == 422


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"quantity": 0}, 400),
        ({"price": 1}, 400),
        ({"guestId": OTHER_GUEST}, 400),
        ({"productId": "no-such-thing"}, 404),
        ({"deliveryDate": "2020-01-01"}, 422),
    ],
)
def test_a_wrong_purchase_is_told_so_and_leaves_nothing(fields, status, shop):
    assert shop.buy(**fields).status == status
    assert shop.app.call("GET", "/orders").body == {"orders": []}
    assert shop.payments.paid == {}


def test_a_purchase_needs_a_key(shop):
    answer = shop.app.call("POST", "/checkout", body=PURCHASE)
    assert answer.status == 400
    assert "Idempotency-Key" in answer.body["message"]


def test_who_is_no_guest_cannot_buy(shop):
    assert shop.buy(guest=None).status == 403


def test_the_dialogue_may_read_what_a_guest_bought(shop):
    bought = shop.buy().body["order"]
    answer = shop.app.call(
        "GET",
        "/internal/guests/{guestId}/orders",
        names={"guestId": GUEST},
        guest=None,
    )
    assert answer.body == {"orders": [bought]}


def test_the_schedule_sweeps(shop):
    from chalice.test import Client

    shop.payments.does = "away"
    shop.buy()
    shop.payments.does = "pay"
    shop.sweep_later()
    with Client(shop.app.module.app) as client:
        event = client.events.generate_cw_event("aws.events", "Scheduled", {}, [])
        assert client.lambda_.invoke("sweep", event).payload == {"taken": 0}


def test_health_tells_of_the_database(shop):
    answer = shop.app.call("GET", "/health", guest=None)
    assert answer.body["stage"] == "stage3_serverless"
    assert answer.body["dependencies"]["database"] == "ok"


def test_a_letter_that_is_refused_for_days_is_given_up(shop, monkeypatch, caplog):
    module = shop.app.part("notifications")
    # SES takes no letter from a sender that it does not know.
    boto3.client("ses").delete_identity(Identity=SENDER)
    assert shop.buy().body["order"]["status"] == "confirmed"
    shop.sweep_later()
    assert len(shop.unfinished()) == 1
    monkeypatch.setattr(module, "LONGEST_REFUSED", dt.timedelta(0))
    shop.sweep_later()
    assert shop.unfinished() == []
    assert shop.mails() == []
    assert "mail given up" in caplog.text
