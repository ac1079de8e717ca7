"""The monolith's checkout against a real database, Stripe sandbox and mailbox."""

import datetime as dt
import smtplib
import threading
import time
import uuid

import msgspec
import pytest
from concierge import orders, wire
from concierge.errors import Unavailable, Unprocessable
from concierge.orders import Status
from concierge.payments import PaymentsUnavailable
from concierge.services import assemble

from tests.contract.outside import Ledger, Mailbox, until


@pytest.fixture
def account(services, now):
    account = wire.Credentials(
        email=f"{uuid.uuid4().hex}@example.com", password="correct horse battery"
    )
    services.identity.sign_up(account, now)
    return account


@pytest.fixture
def guest_id(services, account, now):
    return services.identity.guest(services.identity.log_in(account, now).token, now)


@pytest.fixture
def new_guest_id(services, account, now):
    """Make one more guest, whose address is nobody's."""

    def make():
        other = msgspec.structs.replace(account, email=f"no-{uuid.uuid4().hex}@e.org")
        services.identity.sign_up(other, now)
        return services.identity.guest(services.identity.log_in(other, now).token, now)

    return make


@pytest.fixture
def faults(stage):
    """Set faults of the Stripe sandbox for the length of a block."""
    return Ledger(stage.stripe_url).going_wrong


@pytest.fixture
def charges(stage):
    """Tell how often an order was charged, by Stripe's own books."""
    return Ledger(stage.stripe_url).charges


@pytest.fixture
def impatient(services):
    """The same parts, waiting for Stripe for half a second only."""
    hasty = msgspec.structs.replace(services.settings, stripe_timeout_seconds=0.5)
    parts = assemble(hasty)
    yield parts
    parts.database.engine.dispose()


def purchase(now, **fields):
    return wire.CheckoutRequest(
        product_id="candy-jar",
        delivery_address="5 Main Street",
        delivery_date=now.date(),
        **fields,
    )


def accepted(services, guest_id, now, **fields):
    """An order that was written, and whose worker then died."""
    wanted = purchase(now, **fields)
    product = services.catalog.product(wanted.product_id)
    order = orders.start(guest_id, uuid.uuid4().hex, wanted, product, now)
    return services.orders.accept(order)


def sweep_until_final(services, order_id, now):
    for _ in range(50):
        services.sweep.once(now + dt.timedelta(minutes=1))
        order = services.orders.find(order_id)
        if order.final:
            return order
        time.sleep(0.1)
    raise AssertionError(f"{order_id} is still {order.status}")


def test_a_purchase_is_charged_once_however_often_it_is_sent(
    services, guest_id, charges, now
):
    bought = [services.checkout.buy(guest_id, "k", purchase(now), now) for _ in "123"]
    assert len({order.order_id for order in bought}) == 1
    assert all(order.status is Status.CONFIRMED for order in bought)
    assert charges(bought[0].order_id) == 1


def test_a_key_is_for_one_purchase(services, guest_id, now):
    services.checkout.buy(guest_id, "k", purchase(now), now)
    with pytest.raises(Unprocessable, match="Make a new key"):
        services.checkout.buy(guest_id, "k", purchase(now, quantity=2), now)


def test_a_repeated_purchase_is_found_even_when_its_date_has_passed(
    services, guest_id, now
):
    order = services.checkout.buy(guest_id, "k", purchase(now), now)
    later = now + dt.timedelta(days=30)
    assert services.checkout.buy(guest_id, "k", purchase(now), later) == order


@pytest.mark.parametrize(
    ("payment_method", "words"),
    [
        ("pm_card_visa_chargeDeclined", "was declined"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "insufficient funds"),
        ("pm_card_authenticationRequired", "authenticate"),
        ("pm_of_nobody", "does not exist"),
    ],
)
def test_a_refused_card_ends_the_order_with_the_reason(
    services, guest_id, charges, now, payment_method, words
):
    stock = services.catalog.product("candy-jar").stock
    wanted = purchase(now, payment_method=payment_method)
    order = services.checkout.buy(guest_id, payment_method, wanted, now)
    assert order.status is Status.DECLINED
    assert words in order.message
    assert "Nothing was charged" in order.message
    assert charges(order.order_id) == 0
    assert services.catalog.product("candy-jar").stock == stock


@pytest.mark.parametrize(
    ("fault", "operation"),
    [
        ({"refuse": True}, "create"),
        ({"error_before": True}, "create"),
        ({"error_after": True}, "create"),
        ({"drop_after": True}, "create"),
        ({"hang_after": True}, "create"),
        ({"error_before": 429}, "create"),
        ({"refuse": True}, "confirm"),
        ({"error_before": True}, "confirm"),
        ({"error_before": 429}, "confirm"),
    ],
)
def test_an_order_without_an_answer_from_stripe_is_kept_and_finished_later(
    impatient, guest_id, faults, charges, now, fault, operation
):
    with (
        faults(**fault, operations=[operation]),
        pytest.raises(Unavailable, match="kept and will be finished") as away,
    ):
        impatient.checkout.buy(guest_id, "k", purchase(now), now)
    order_id = orders.order_id(guest_id, "k")
    assert order_id in away.value.message
    assert away.value.retry_after
    assert impatient.orders.find(order_id).status is Status.PENDING
    retried = impatient.checkout.buy(guest_id, "k", purchase(now), now)
    assert retried.status is Status.CONFIRMED
    assert charges(order_id) == 1


@pytest.mark.parametrize(
    "fault", [{"error_after": True}, {"drop_after": True}, {"hang_after": True}]
)
def test_a_confirmation_whose_answer_is_lost_is_read_from_the_intent(
    impatient, guest_id, faults, charges, now, fault
):
    with faults(**fault, operations=["confirm"]):
        order = impatient.checkout.buy(guest_id, "k", purchase(now), now)
    assert order.status is Status.CONFIRMED
    assert charges(order.order_id) == 1


def test_a_decline_whose_answer_is_lost_is_read_from_the_intent(
    impatient, guest_id, faults, now
):
    declined = purchase(now, payment_method="pm_card_visa_chargeDeclined")
    with faults(drop_after=True, operations=["confirm"]):
        order = impatient.checkout.buy(guest_id, "k", declined, now)
    assert order.status is Status.DECLINED


def test_an_error_that_stripe_replays_does_not_hold_the_order_for_ever(
    services, guest_id, faults, charges, now
):
    order = accepted(services, guest_id, now)
    with faults(error_after=True, operations=["create"], times=1):
        with pytest.raises(PaymentsUnavailable):
            services.checkout.finish(order)
        assert services.orders.find(order.order_id).payment_attempt == 2
    assert sweep_until_final(services, order.order_id, now).status is Status.CONFIRMED
    assert charges(order.order_id) == 1


def test_an_order_that_somebody_else_ended_meanwhile_is_answered_with_its_end(
    services, guest_id, monkeypatch, now
):
    def outrun(order):
        ended = services.orders.end(order, Status.FAILED, orders.GIVEN_UP)
        assert ended
        raise PaymentsUnavailable("too late")

    monkeypatch.setattr(services.checkout._payments, "charge", outrun)
    order = services.checkout.buy(guest_id, "k", purchase(now), now)
    assert (order.status, order.message) == (Status.FAILED, orders.GIVEN_UP)


def test_a_silence_keeps_the_attempt(impatient, guest_id, faults, now):
    order = accepted(impatient, guest_id, now)
    with (
        faults(hang_after=True, operations=["create"]),
        pytest.raises(PaymentsUnavailable),
    ):
        impatient.checkout.finish(order)
    assert impatient.orders.find(order.order_id).payment_attempt == 1


def test_two_who_finish_an_order_at_once_charge_it_once(
    services, guest_id, charges, now
):
    order = accepted(services, guest_id, now)
    ready = threading.Barrier(6)

    def finish():
        ready.wait()
        for _ in range(5):
            try:
                services.checkout.finish(order)
                return
            except PaymentsUnavailable:
                time.sleep(0.05)

    workers = [threading.Thread(target=finish) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert services.orders.find(order.order_id).status is Status.CONFIRMED
    assert charges(order.order_id) == 1


def test_the_sweep_finishes_what_a_dead_worker_left(services, guest_id, charges, now):
    order = accepted(services, guest_id, now)
    assert sweep_until_final(services, order.order_id, now).status is Status.CONFIRMED
    assert charges(order.order_id) == 1


def test_the_sweep_leaves_alone_what_somebody_works_on(services, guest_id, now):
    patient = assemble(
        msgspec.structs.replace(services.settings, order_lease_seconds=60)
    )
    order = accepted(patient, guest_id, now)
    services.sweep.once(now + dt.timedelta(minutes=1))
    assert services.orders.find(order.order_id).status is Status.PENDING
    services.orders.let_go(order.order_id)
    sweep_until_final(services, order.order_id, now)
    patient.database.engine.dispose()


def test_an_order_that_is_too_old_is_given_up_unpaid(services, guest_id, charges, now):
    stock = services.catalog.product("candy-jar").stock
    old = now - dt.timedelta(hours=1)
    order = accepted(services, guest_id, old)
    given_up = sweep_until_final(services, order.order_id, now)
    assert (given_up.status, given_up.message) == (Status.FAILED, orders.GIVEN_UP)
    assert charges(order.order_id) == 0
    assert services.catalog.product("candy-jar").stock == stock


def test_an_old_order_with_an_unpaid_intent_can_never_be_paid_again(
    services, guest_id, charges, faults, now
):
    order = accepted(services, guest_id, now - dt.timedelta(hours=1))
    with (
        faults(refuse=True, operations=["confirm"]),
        pytest.raises(PaymentsUnavailable),
    ):
        services.checkout.finish(order)
    waiting = services.orders.find(order.order_id)
    assert waiting.payment_intent_id
    assert sweep_until_final(services, order.order_id, now).status is Status.FAILED
    with pytest.raises(PaymentsUnavailable):
        services.checkout.finish(waiting)
    assert charges(order.order_id) == 0


def test_an_old_order_that_was_paid_is_confirmed_and_not_given_up(
    services, guest_id, charges, faults, now
):
    order = accepted(services, guest_id, now - dt.timedelta(hours=1))
    with (
        faults(drop_after=True, operations=["confirm", "retrieve"]),
        pytest.raises(PaymentsUnavailable),
    ):
        services.checkout.finish(order)
    assert charges(order.order_id) == 1
    assert sweep_until_final(services, order.order_id, now).status is Status.CONFIRMED
    assert charges(order.order_id) == 1


def test_while_stripe_is_away_an_old_order_is_neither_failed_nor_lost(
    services, guest_id, faults, now
):
    order = accepted(services, guest_id, now - dt.timedelta(hours=1))
    with (
        faults(refuse=True, operations=["confirm"]),
        pytest.raises(PaymentsUnavailable),
    ):
        services.checkout.finish(order)
    with faults(refuse=True):
        later = now + dt.timedelta(minutes=1)
        until(lambda: services.sweep.once(later) >= 1, "the sweep takes it up")
        assert services.orders.find(order.order_id).status is Status.PENDING
    sweep_until_final(services, order.order_id, now)


@pytest.fixture
def mail(stage, account):
    """The mail that the guest got."""
    return lambda: Mailbox(stage.mailbox_url).of(account.email)


def test_the_end_of_an_order_is_told_by_mail_once(services, guest_id, mail, now):
    order = services.checkout.buy(guest_id, "k", purchase(now), now)
    services.checkout.buy(guest_id, "k", purchase(now), now)
    services.sweep.once(now + dt.timedelta(minutes=1))
    (received,) = mail()
    assert received["subject"].startswith("Your order is confirmed")
    assert received["headers"]["X-Order-Id"] == order.order_id
    assert "5 Main Street" in received["text"]


def test_mail_that_could_not_be_sent_is_sent_later_and_fails_no_order(
    stage, services, guest_id, mail, now, monkeypatch
):
    monkeypatch.setattr("concierge.notifications.WAIT_AFTER_FAILURE_SECONDS", 0.1)
    with Mailbox(stage.mailbox_url).going_wrong(refuse=True):
        order = services.checkout.buy(guest_id, "k", purchase(now), now)
    assert order.status is Status.CONFIRMED
    assert mail() == []
    for _ in range(50):
        services.sweep.once(now + dt.timedelta(minutes=1))
        if mail():
            break
        time.sleep(0.1)
    assert len(mail()) == 1


def test_a_letter_that_nobody_wants_holds_up_no_other(
    services, new_guest_id, mail, guest_id, account, now, monkeypatch
):
    tried = []

    def send(self, message):
        tried.append(message["To"])
        if message["To"] != account.email:
            raise smtplib.SMTPRecipientsRefused({message["To"]: (550, b"nobody")})
        return sent(self, message)

    sent = smtplib.SMTP.send_message
    monkeypatch.setattr("smtplib.SMTP.send_message", send)
    for buyer in (new_guest_id(), new_guest_id(), guest_id):
        services.checkout.finish(accepted(services, buyer, now))
    services.sweep.once(now)
    services.sweep.once(now)
    assert len(mail()) == 1
    assert len(tried) == 3


def test_many_who_send_one_notification_send_it_once(
    services, guest_id, mail, charges, now
):
    order = accepted(services, guest_id, now)
    services.checkout.finish(order)
    senders = [
        threading.Thread(target=services.notifications.send, args=[order.order_id])
        for _ in range(8)
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert len(mail()) == 1
