"""Notifications alone: each event of an order told once, and mail that goes astray."""

import datetime as dt
import secrets
import smtplib
import threading
from contextlib import contextmanager
from functools import partial

import msgspec
import pytest
import requests
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from notifications import callers, internal
from notifications import notifications as module
from notifications.app import create_app
from notifications.config import Settings
from notifications.database import metadata, notifications, now
from notifications.services import assemble
from notifications.setup import prepare
from shop import CHECKOUT_KEY, Served
from wait import until

from tests.contract.outside import Mailbox


@pytest.fixture(scope="module")
def settings(backends):
    return Settings(
        notifications_database_url=backends.database("notifications"),
        checkout_service_key=CHECKOUT_KEY,
        smtp_port=backends.smtp_port,
        smtp_timeout_seconds=0.5,
        sweep_seconds=60,
    )


@pytest.fixture(scope="module")
def services(settings):
    prepare(settings)
    parts = assemble(settings)
    yield parts
    parts.database.engine.dispose()


@pytest.fixture(scope="module")
def served(services, settings):
    """The service as it runs."""
    with serving(settings) as served:
        yield served


@contextmanager
def serving(settings):
    """Run the service with its sweep, which only a request wakes here."""
    app = create_app(settings)
    stop = app.extensions["notifications"].sweep.start(settings.sweep_seconds)
    served = Served(app)
    try:
        yield served
    finally:
        stop.set()
        app.extensions["notifications"].sweep.wake()
        served.stop()


@pytest.fixture
def email():
    return f"{secrets.token_hex(8)}@example.com"


@pytest.fixture
def mail(backends, email):
    return lambda: backends.mail(email)


@pytest.fixture
def faults(backends):
    """Set faults of the mail server for the length of a test."""
    mailbox = Mailbox(backends.mailbox_url)
    yield mailbox.break_down
    mailbox.heal()


@pytest.fixture(autouse=True)
def none_of_the_others(services):
    with services.database.statement() as tx:
        tx.execute(sa.delete(notifications))


def an_order():
    return f"ord_{secrets.token_hex(12)}"


def said(email):
    return {
        "email": email,
        "name": "Candy jar",
        "quantity": 2,
        "amount": 3998,
        "currency": "usd",
        "deliveryAddress": "5 Main Street",
        "deliveryDate": "2026-12-24",
        "message": "Thank you! Your order is confirmed.",
    }


@pytest.fixture
def announced(services, email):
    """Write a notification down, as a request does that died before it was sent."""

    def announce():
        order_id = an_order()
        wanted = msgspec.convert(said(email), internal.NotificationRequest)
        services.notifications.announce(order_id, "order-confirmed", wanted)
        return order_id

    return announce


@pytest.fixture
def lease_ends(services):
    def end():
        with services.database.statement() as tx:
            tx.execute(sa.update(notifications).values(leased_until=now()))

    return end


@pytest.fixture
def ask(served):
    return partial(put, served.url)


def put(url, path, body, caller="checkout", key=CHECKOUT_KEY, **headers):
    """Have the service at an address tell of an event; wait for ten seconds at most."""
    headers |= {callers.HEADER: callers.sign(caller, "notifications", key)}
    url = f"{url}/v1/internal/notifications/{path}"
    return requests.put(url, json=body, headers=headers, timeout=10)


def test_the_migrations_make_the_table_that_the_code_names(services):
    with services.database.transaction() as tx:
        assert compare_metadata(MigrationContext.configure(tx), metadata) == []


def test_a_guest_is_told_at_once_and_once(ask, email, mail):
    path = f"{an_order()}/order-confirmed"
    assert [ask(path, said(email)).status_code for _ in "123"] == [202] * 3
    until(mail, "the mail has come")
    assert ask(path, said(email)).status_code == 202
    [letter] = mail()
    assert "Your order is confirmed: Candy jar" in letter["subject"]


def test_nobody_is_told_for_who_waits_no_more(ask, services, email):
    late = {"X-Deadline": "1"}
    answer = ask(f"{an_order()}/order-confirmed", said(email), **late)
    assert answer.status_code == 503
    with services.database.statement() as tx:
        assert tx.execute(sa.select(notifications)).all() == []


def test_the_caller_does_not_wait_for_mail(services, settings, email, mail, faults):
    # It waits for the mail server for longer than anybody waits for it.
    patient = msgspec.structs.replace(settings, smtp_timeout_seconds=60)
    faults(hang=True)
    with serving(patient) as served:
        path = f"{an_order()}/order-declined"
        assert put(served.url, path, said(email)).status_code == 202
        assert mail() == []
        faults()
        until(mail, "the mail has come")


@pytest.mark.parametrize("fault", ["refuse", "hang"])
def test_what_could_not_be_sent_is_sent_later(
    services, announced, mail, faults, lease_ends, fault
):
    announced()
    faults(**{fault: True})
    assert services.sweep.once() == 0
    faults()
    assert services.sweep.once() == 0, "it waits a little after a failure"
    lease_ends()
    assert services.sweep.once() == 1
    assert len(mail()) == 1


def test_a_letter_that_nobody_wants_holds_up_no_other(
    services, announced, email, mail, monkeypatch
):
    unwanted = [announced() for _ in range(2)]
    tried = []

    def send(self, message):
        tried.append(message["X-Order-Id"])
        if message["X-Order-Id"] in unwanted:
            raise smtplib.SMTPRecipientsRefused({email: (550, b"nobody")})
        return sent(self, message)

    sent = smtplib.SMTP.send_message
    monkeypatch.setattr("smtplib.SMTP.send_message", send)
    announced()
    services.sweep.once()
    services.sweep.once()
    assert len(mail()) == 1
    assert len(tried) == 3


def test_a_mail_whose_answer_is_lost_is_sent_again_under_the_same_id(
    services, announced, mail, faults, lease_ends
):
    announced()
    faults(lose_answer=True)
    services.sweep.once()
    faults()
    lease_ends()
    services.sweep.once()
    assert len({letter["headers"]["Message-ID"] for letter in mail()}) == 1
    assert len(mail()) == 2


def test_many_sweeps_at_once_send_each_mail_once(services, announced, mail):
    for _ in range(12):
        announced()
    sweeps = [threading.Thread(target=services.sweep.once) for _ in range(6)]
    for sweep in sweeps:
        sweep.start()
    for sweep in sweeps:
        sweep.join()
    assert len(mail()) == 12


def test_a_sender_that_died_is_followed_by_another(
    services, announced, mail, monkeypatch, lease_ends
):
    class Killed(BaseException):
        pass

    def die(**_):
        raise Killed

    announced()
    with monkeypatch.context() as patch:
        patch.setattr(module, "letter", die)
        with pytest.raises(Killed):
            services.sweep.once()
    assert services.sweep.once() == 0, "the dead one has it still"
    lease_ends()
    assert services.sweep.once() == 1
    assert len(mail()) == 1


@pytest.mark.parametrize(
    ("caller", "key"),
    [("checkout", "x" * 32), ("nlu", CHECKOUT_KEY), ("stranger", "y" * 32)],
)
def test_only_checkout_has_guests_told(ask, email, mail, caller, key):
    path = f"{an_order()}/order-confirmed"
    assert ask(path, said(email), caller, key).status_code == 401
    assert mail() == []


@pytest.mark.parametrize(
    ("path", "change", "status"),
    [
        (f"{an_order()}/order-eaten", {}, 404),
        ("ord_1/order-confirmed", {}, 404),
        (f"{an_order()}/order-failed", {"name": "Candy\r\nBcc: all@example.com"}, 400),
        (f"{an_order()}/order-failed", {"name": "Candy\x85jar"}, 400),
        (f"{an_order()}/order-failed", {"name": "Candy\u2028jar"}, 400),
        (f"{an_order()}/order-failed", {"name": "Candy\u2029jar"}, 400),
        (f"{an_order()}/order-failed", {"deliveryAddress": "5 Main St\u2028A"}, 202),
        (f"{an_order()}/order-failed", {"email": "a@example.com, b@b.example"}, 400),
        (f"{an_order()}/order-failed", {"quantity": 0}, 400),
    ],
)
def test_only_what_makes_no_letter_is_refused(ask, email, path, change, status):
    assert ask(path, said(email) | change).status_code == status


def test_health_tells_of_database_and_mail(served, settings, backends):
    url = f"{served.url}/v1/health"
    up = {"database": "ok", "mail": "ok"}
    assert requests.get(url, timeout=10).json()["dependencies"] == up
    nowhere = msgspec.structs.replace(settings, smtp_port=backends.nobody_port)
    told = create_app(nowhere).test_client().get("/v1/health").json
    assert told["dependencies"]["mail"] == "down"


def test_the_letter_has_the_delivery_date(services, announced):
    announced()
    date = sa.select(notifications.c.delivery_date)
    with services.database.statement() as tx:
        assert tx.execute(date).scalar_one() == dt.date(2026, 12, 24)
