"""Payments of stage 4: one charge an order, however often its message comes."""

from __future__ import annotations

import datetime as dt
import json
import time
from contextlib import suppress
from types import SimpleNamespace

import boto3
import pytest
import requests
import stripe

from tests.chalice_apps import (
    ENVIRONMENT,
    GUEST,
    Context,
    application,
    delivered,
    failed,
    queued,
)


class Desk:
    """Payments, with a catalogue and a card processor that we see through."""

    def __init__(self, app):
        self.app = app
        self.errors = app.part("errors")
        charging = app.part("services").assembled().charging
        self.charging = charging
        self.payments = charging._payments = FakePayments(app, charging._store)
        self.payments.breaker = charging._breaker
        self.stock, self.held, self.away = 10, {}, False
        charging._catalog = SimpleNamespace(hold=self.hold, release=self.release)
        self.supplier = charging._supplier = FakeSupplier()
        self.given_back, self.put_off = [], []
        charging._waiting._sqs = SimpleNamespace(
            send_message=lambda **said: self.put_off.append(said)
        )
        charging._refunds = SimpleNamespace(
            give_back=lambda order: self.given_back.append(order.payment_intent_id)
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
            raise self.errors.Unavailable("The catalogue is away.")

    def take(self, *bodies, delivery=1):
        event = delivered(*bodies, delivery=delivery)
        return failed(self.app.module.charge(event, Context()))

    def row(self, order_id="ord_" + 24 * "0"):
        table = boto3.resource("dynamodb").Table("payments")
        return table.get_item(Key={"order_id": order_id}).get("Item")


class FakePayments:
    """A card processor that can be made to do what real ones do."""

    def __init__(self, app, store):
        self._errors, self._store = app.part("payments"), store
        self.paid, self.tries, self.does = {}, 0, "pay"

    def charge(self, order):
        self.tries += 1
        if self.does == "away":
            self.breaker.failed()
            raise self._errors.PaymentsUnavailable("No answer.")
        intent = order.payment_intent_id or f"pi_{order.order_id}"
        stored = self._store.remember_intent(order.order_id, intent)
        if stored is None:
            raise self._errors.PaymentsUnavailable("Finished by somebody else.")
        if self.does == "decline":
            raise self._errors.Declined(self._errors.DECLINED)
        self.paid[stored] = 1
        if self.does == "kill":
            raise Killed

    def cancel(self, intent):
        return intent not in self.paid


class FakeSupplier:
    """A place that can be full, and that can forget."""

    def __init__(self):
        self.states, self.full, self.forgets = {}, False, False

    def hold(self, order):
        return self.states.setdefault(order.order_id, not self.full and "held")

    def confirm(self, order_id):
        assert self.states[order_id] in {"held", "confirmed"}
        if not self.forgets:
            self.states[order_id] = "confirmed"
        return not self.forgets

    def release(self, order_id):
        self.states[order_id] = "released"


class Killed(BaseException):
    """The worker ends here, and nothing of ours runs after it."""


def asked(number=0, quantity=1, old=dt.timedelta(0), **more):
    """Return the message of an order."""
    at = dt.datetime.now(dt.timezone.utc) - old
    order = {
        "order_id": f"ord_{number:024d}",
        "guest_id": GUEST,
        "fingerprint": "f",
        "status": "pending",
        "product_id": "candy-jar",
        "name": "Candy",
        "quantity": quantity,
        "amount": 1500 * quantity,
        "currency": "usd",
        "delivery_address": "5 Main Street",
        "delivery_date": "2099-01-01",
        "payment_method": "pm_card_visa",
        "message": "Accepted.",
        "created_at": at.isoformat(),
        "updated_at": at.isoformat(),
    }
    return json.dumps({"order": order, "account": "a"} | more)


def told():
    """Return the events that were published, and forget them."""
    return [json.loads(message.body)["event"] for message in queued("order-outcomes")]


@pytest.fixture
def desk():
    with application("payments", stage=4) as app:
        yield Desk(app)


def test_an_order_is_charged_and_its_end_told(desk):
    assert desk.take(asked(quantity=2)) == []
    assert desk.stock == 8
    assert len(desk.payments.paid) == 1
    (message,) = queued("order-outcomes")
    event = json.loads(message.body)
    assert message.attributes["event"] == event["event"] == "order-confirmed"
    assert (event["amount"], event["account"]) == (3000, "a")
    assert "pm_card" not in message.body


def test_the_same_message_three_times_charges_once(desk):
    assert desk.take(asked(), asked(), asked()) == []
    assert len(desk.payments.paid) == desk.payments.tries == 1
    assert desk.stock == 9
    assert told() == ["order-confirmed"] * 3


def test_a_message_that_comes_back_changed_is_charged_as_it_was_first(desk):
    desk.payments.does = "away"
    desk.take(asked())
    desk.payments.does = "pay"
    desk.take(asked(quantity=7))
    assert desk.row()["amount"] == 1500


def test_a_decline_ends_the_order_gives_back_its_stock_and_is_not_retried(desk):
    desk.payments.does = "decline"
    assert desk.take(asked()) == []
    assert desk.take(asked()) == []
    assert desk.payments.tries == 1
    assert desk.stock == 10
    assert set(told()) == {"order-declined"}


def test_what_is_sold_out_is_not_charged(desk):
    assert desk.take(asked(quantity=11)) == []
    assert desk.payments.tries == 0
    assert told() == ["order-failed"]


def states(desk):
    """Return what the supplier has, what is in stock, and what was told."""
    return set(desk.supplier.states.values()), desk.stock, set(told())


def test_a_table_is_held_then_paid_then_confirmed(desk):
    desk.take(asked(supplied=True), asked(supplied=True))
    assert states(desk) == ({"confirmed"}, 9, {"order-confirmed"})
    assert len(desk.payments.paid) == 1


def silent(desk, *, confirms_first=False):
    """Have a supplier that answers nothing any more after it has held a place."""

    def confirm(order_id):
        if confirms_first:
            desk.supplier.states[order_id] = "confirmed"
        raise desk.errors.Unavailable("The restaurant does not answer.")

    desk.supplier.confirm = confirm


@pytest.mark.parametrize("confirms_first", [True, False])
def test_a_paid_table_whose_supplier_never_answers_is_given_back_at_last(
    desk, confirms_first
):
    silent(desk, confirms_first=confirms_first)
    assert desk.take(asked(supplied=True)) == ["0"]
    assert (desk.given_back, told()) == ([], [])
    desk.charging._give_up_after = dt.timedelta(0)
    assert desk.take(asked(supplied=True), delivery=2) == []
    assert states(desk) == ({"released"}, 10, {"order-failed"})
    assert desk.given_back == [f"pi_ord_{0:024d}"]
    assert desk.row()["status"] == "failed"


def test_what_is_being_given_back_is_not_confirmed_by_who_hears_the_supplier(desk):
    silent(desk)
    desk.take(asked(supplied=True))
    order = desk.charging._store.find("ord_" + 24 * "0").order
    assert desk.charging._store.give_back(order.order_id)
    # The refund was asked for and its answer lost; meanwhile the supplier answers.
    desk.supplier.confirm = lambda order_id: True
    status = type(order.status)
    confirmed = desk.charging._store.end(order, status.CONFIRMED, "Yes.", holds=False)
    assert confirmed is None
    assert desk.take(asked(supplied=True), delivery=2) == []
    assert desk.given_back == [f"pi_ord_{0:024d}"]
    assert told() == ["order-failed"]


def test_an_end_that_came_first_is_not_given_back(desk):
    desk.take(asked(supplied=True))
    assert not desk.charging._store.give_back("ord_" + 24 * "0")


def test_a_supplier_who_never_hears_that_it_is_to_let_go_is_somebodys_matter(
    desk, monkeypatch, caplog
):
    def away(order_id):
        raise desk.errors.Unavailable("The restaurant is away.")

    monkeypatch.setattr(desk.supplier, "release", away)
    desk.payments.does = "decline"
    # For a while the message is put off, and begins anew.
    assert desk.take(asked(supplied=True), delivery=3) == []
    assert len(desk.put_off) == 1
    # Then it is left to the queue to count its deliveries, as if it were poison.
    desk.charging._give_up_after = dt.timedelta(0)
    assert desk.take(asked(supplied=True), delivery=3) == ["0"]
    assert len(desk.put_off) == 1
    assert "StillHeld" in caplog.text


def test_flowers_are_no_suppliers_matter(desk):
    desk.take(asked())
    assert states(desk) == (set(), 9, {"order-confirmed"})


def test_a_full_restaurant_costs_nothing(desk):
    desk.supplier.full = True
    desk.take(asked(supplied=True))
    assert states(desk) == ({"released"}, 10, {"order-failed"})
    assert desk.payments.tries == 0


def test_a_table_is_free_again_when_the_card_is_declined(desk):
    desk.payments.does = "decline"
    desk.take(asked(supplied=True))
    assert states(desk) == ({"released"}, 10, {"order-declined"})
    assert desk.given_back == []


def test_who_paid_for_what_was_not_kept_gets_the_money_back(desk):
    desk.supplier.forgets = True
    desk.take(asked(supplied=True), asked(supplied=True))
    assert states(desk) == ({"released"}, 10, {"order-failed"})
    assert desk.given_back == [f"pi_ord_{0:024d}"]


def test_a_worker_killed_between_charge_and_confirmation_leaves_a_table(desk):
    desk.payments.does = "kill"
    with pytest.raises(Killed):
        desk.take(asked(supplied=True))
    assert states(desk) == ({"held"}, 9, set())
    desk.payments.does = "pay"
    desk.take(asked(supplied=True), delivery=2)
    assert states(desk) == ({"confirmed"}, 9, {"order-confirmed"})
    assert len(desk.payments.paid) == 1


def test_a_table_given_up_is_free_again(desk):
    desk.payments.does = "away"
    desk.take(asked(supplied=True))
    desk.charging._give_up_after = dt.timedelta(0)
    desk.take(asked(supplied=True), delivery=2)
    assert states(desk) == ({"released"}, 10, {"order-failed"})


def test_poison_fails_and_the_others_do_not(desk):
    assert desk.take(asked(1), "poison", '{"order": {}}', asked(2)) == ["1", "2"]
    assert len(desk.payments.paid) == 2


def test_a_bug_of_ours_fails_the_message_and_no_other(desk, monkeypatch):
    settle = desk.charging.settle

    def broken(message, now):
        if message.order.order_id.endswith("1"):
            raise KeyError("planted")
        settle(message, now)

    monkeypatch.setattr(desk.charging, "settle", broken)
    assert desk.take(asked(1), asked(2)) == ["0"]


def test_a_worker_killed_after_the_charge_is_followed_by_one_that_charges_no_more(desk):
    desk.payments.does = "kill"
    with pytest.raises(Killed):
        desk.take(asked())
    assert told() == []
    desk.payments.does = "pay"
    assert desk.take(asked(), delivery=2) == []
    assert list(desk.payments.paid.values()) == [1]
    assert told() == ["order-confirmed"]


@pytest.mark.parametrize("delivery", [1, 3])
def test_no_guest_waits_until_the_catalogue_can_take_the_stock_back(desk, delivery):
    desk.payments.does = "decline"

    def charge(order):
        desk.away = True
        FakePayments.charge(desk.payments, order)

    desk.payments.charge = charge
    # The message comes again, or is sent anew: it is not done.
    assert desk.take(asked(), delivery=delivery) == (["0"] if delivery == 1 else [])
    assert len(desk.put_off) == (delivery == 3)
    assert told() == ["order-declined"]
    assert desk.stock == 9
    desk.away = False
    assert desk.take(asked(), delivery=2) == []
    assert desk.stock == 10
    assert desk.payments.tries == 1
    assert set(told()) == {"order-declined"}


def test_an_order_given_up_is_told_of_while_the_catalogue_is_away(desk):
    desk.away = True
    assert desk.take(asked(old=dt.timedelta(days=1))) == ["0"]
    assert told() == ["order-failed"]


def test_after_a_pause_of_an_hour_an_order_is_charged(desk):
    assert desk.take(asked(old=dt.timedelta(hours=1))) == []
    assert told() == ["order-confirmed"]


def test_while_the_processor_is_away_no_message_uses_up_its_deliveries(desk):
    desk.payments.does = "away"
    assert desk.take(asked(1)) == ["0"]
    # The last time it is sent anew, and counts from one again.
    assert desk.take(asked(1), delivery=3) == []
    assert desk.take(asked(2)) == ["0"]
    tried = desk.payments.tries
    # The breaker is open: whoever comes now is put off untried.
    assert desk.take(asked(3), asked(4)) == []
    assert desk.payments.tries == tried == 3
    assert desk.payments.paid == {}


def test_a_breaker_hears_of_requests_and_of_nothing_else(desk):
    desk.payments.does = "away"
    desk.take(asked(1), asked(2))
    desk.payments.does = "pay"
    desk.stock = 0
    # It ends without a word to Stripe: that is no sign that Stripe answers again.
    assert desk.take(asked(3)) == []
    desk.stock = 10
    desk.payments.does = "away"
    desk.take(asked(4))
    assert desk.charging._breaker.left() > 0


def test_what_others_finished_is_not_held_against_stripe(desk):
    def finished(order):
        raise desk.app.part("payments").PaymentsUnavailable("By somebody else.")

    desk.payments.charge = finished
    desk.take(asked(1), asked(2), asked(3), asked(4))
    assert desk.charging._breaker.left() == 0


@pytest.mark.parametrize(
    ("answer", "opens"), [(200, 0), (402, 0), (429, 1), (500, 1), (None, 1)]
)
def test_the_breaker_sees_each_answer_of_stripes(desk, monkeypatch, answer, opens):
    def send(self, request, **options):
        if answer is None:
            raise requests.ConnectTimeout
        return SimpleNamespace(status_code=answer)

    monkeypatch.setattr(requests.Session, "send", send)
    breaker = desk.app.part("breaker")
    one = breaker.Breaker(failures=1)
    session = breaker.WatchedSession(one, per_second=1000)
    with suppress(requests.RequestException):
        session.send(None)
    assert (one.left() > 0) == opens


def test_the_breaker_of_a_worker_hears_its_own_calls_to_stripe():
    with application("payments", stage=4, STRIPE_API_BASE="http://127.0.0.1:9") as app:
        charging = app.part("services").assembled().charging
        order = json.loads(asked())["order"] | {"payment_intent_id": "pi_1"}
        order = app.part("charge_order").read(json.dumps({"order": order})).order
        with suppress(app.part("payments").PaymentsUnavailable):
            charging._payments.charge(order)
        # It could neither be confirmed nor looked at.
        assert charging._breaker._in_a_row == 2


def test_copies_of_a_message_do_not_pile_up_while_stripe_is_away(desk):
    desk.payments.does = "away"
    for _ in range(5):
        desk.take(asked(1), asked(2), delivery=3)
    sent = [json.loads(said["MessageBody"])["order"] for said in desk.put_off]
    ids = [order["order_id"] for order in sent]
    assert ids == [f"ord_{number:024d}" for number in (1, 2)]
    desk.payments.does = "pay"
    desk.charging._breaker.worked()
    # Whichever comes first finishes the order, though another one waits.
    assert desk.take(asked(1)) == []
    assert told() == ["order-confirmed"]


def test_the_message_that_waited_waits_again_when_stripe_is_away_still(desk):
    desk.payments.does = "away"
    desk.take(asked(), delivery=3)
    table = boto3.resource("dynamodb").Table("payments")
    table.update_item(
        Key={"order_id": "ord_" + 24 * "0"},
        UpdateExpression="SET waits_until = :now",
        ExpressionAttributeValues={":now": int(time.time()) - 1},
    )
    desk.take(asked(), delivery=3)
    assert len(desk.put_off) == 2


@pytest.mark.parametrize(
    ("minutes", "least", "most"), [(0, 6, 12), (3, 19, 38), (25, 31, 62)]
)
def test_the_longer_an_order_waits_the_more_seldom_it_is_tried(
    desk, minutes, least, most
):
    desk.payments.does = "away"
    for number in range(8):
        desk.take(asked(number, old=dt.timedelta(minutes=minutes)), delivery=3)
    seconds = [said["DelaySeconds"] for said in desk.put_off]
    assert least <= min(seconds) < max(seconds) <= most


def test_what_is_put_off_is_in_the_queue_again_with_its_request(desk):
    message = desk.app.part("consumer").Message("m", asked(), "r", 3, "request-1")
    calls = desk.put_off
    desk.charging._waiting.put_off(message, 5)
    assert 6 <= calls[0]["DelaySeconds"] <= 11
    assert calls[0]["MessageBody"] == message.body
    assert calls[0]["MessageAttributes"]["request"]["StringValue"] == "request-1"
    assert calls[0]["QueueUrl"] == ENVIRONMENT["CHARGE_ORDER_QUEUE_URL"]


def test_an_order_that_is_too_old_is_given_up(desk):
    assert desk.take(asked(old=dt.timedelta(hours=5))) == []
    assert desk.payments.tries == 0
    assert told() == ["order-failed"]


def test_an_order_that_is_too_old_and_was_paid_is_confirmed(desk):
    desk.payments.does = "kill"
    with pytest.raises(Killed):
        desk.take(asked())
    desk.charging._give_up_after = dt.timedelta(0)
    assert desk.take(asked(), delivery=2) == []
    assert told() == ["order-confirmed"]


def test_who_has_too_little_time_leaves_the_rest_to_others(desk, monkeypatch):
    monkeypatch.setattr(Context, "get_remaining_time_in_millis", lambda self: 9_000)
    assert desk.take(asked(1), asked(2)) == ["0", "1"]
    assert desk.payments.tries == 0


def test_a_message_that_failed_comes_again_after_a_pause_with_jitter(desk):
    consumer = desk.app.part("services").assembled().orders_to_charge
    pauses = []
    consumer._sqs = SimpleNamespace(
        change_message_visibility=lambda **said: pauses.append(
            said["VisibilityTimeout"]
        )
    )
    for delivery in (1, 2, 3, 4, 9):
        for _ in range(20):
            desk.take("poison", delivery=delivery)
    most = [max(pauses[i : i + 20]) for i in range(0, 100, 20)]
    assert most[0] <= 2 < most[3] <= 16 < most[4] <= 60
    assert len(set(pauses)) > 5


def test_a_message_waits_longer_for_others_than_for_a_bug_of_ours(desk):
    consumer = desk.app.part("services").assembled().orders_to_charge
    pauses = []
    consumer._sqs = SimpleNamespace(
        change_message_visibility=lambda **said: pauses.append(
            said["VisibilityTimeout"]
        )
    )

    def away(message):
        raise desk.errors.Unavailable("SES is away.")

    for _ in range(30):
        consumer.take(delivered("a letter", delivery=12), away)
    assert 60 < max(pauses) <= 300


def test_a_breaker_lets_one_try_find_out(desk):
    now = [0.0]
    breaker = desk.app.part("breaker").Breaker(2, 5.0, lambda: now[0])
    breaker.failed()
    assert breaker.left() == 0
    breaker.failed()
    assert breaker.left() == 5
    now[0] = 6
    assert breaker.left() == 0
    breaker.failed()
    assert breaker.left() == 5
    breaker.worked()
    breaker.failed()
    assert breaker.left() == 0


def test_calls_to_stripe_keep_their_distance(desk, monkeypatch):
    now, starts = [0.0], []

    def sleep(seconds):
        now[0] += seconds

    def send(self, request, **options):
        starts.append(now[0])
        now[0] += 0.1

    monkeypatch.setattr(requests.Session, "send", send)
    session = desk.app.part("pace").PacedSession(4, lambda: now[0], sleep)
    for _ in range(5):
        session.send(None)
    assert starts == pytest.approx([0, 0.25, 0.5, 0.75, 1.0])


def test_the_workers_together_keep_within_stripes_rate(desk):
    config = desk.app.part("config")
    settings = config.load()
    assert config.WORKERS * (settings.stripe_rate / config.WORKERS) <= 25


class Refusing:
    """Stripe's refunds: one answer 500, before or after the money went back."""

    def __init__(self, gave_it_back):
        self.gave_it_back, self.keys, self.answers = gave_it_back, [], {}

    def create(self, params, options):
        key = options["idempotency_key"]
        self.keys.append(key)
        if len(set(self.keys)) == 1:
            raise stripe.APIError("Something went wrong.", http_status=500)
        if self.gave_it_back:
            raise stripe.InvalidRequestError(
                "It was refunded.", "charge", code="charge_already_refunded"
            )


@pytest.mark.parametrize("gave_it_back", [True, False])
def test_a_refund_that_was_answered_500_is_not_asked_under_that_key_for_ever(
    desk, gave_it_back
):
    refunds = Refusing(gave_it_back)
    client = SimpleNamespace(v1=SimpleNamespace(refunds=refunds))
    order = SimpleNamespace(order_id="ord_1", payment_intent_id="pi_1")
    desk.app.part("refunds").Refunds(client).give_back(order)
    first, second = refunds.keys
    assert first == "refund:ord_1"
    assert second.startswith("refund:ord_1:")


def test_a_supplier_that_is_away_keeps_no_guest_waiting_for_the_end(desk, monkeypatch):
    told = []
    monkeypatch.setattr(desk.charging._topic, "tell", told.append)

    def away(order_id):
        raise desk.errors.Unavailable("The restaurant is away.")

    monkeypatch.setattr(desk.supplier, "release", away)
    desk.payments.does = "decline"
    assert desk.take(asked(supplied=True)) == ["0"]
    assert [payment.order.status for payment in told] == ["declined"]
