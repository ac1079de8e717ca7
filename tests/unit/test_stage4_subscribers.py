"""Who hears of events in stage 4: each event of an order counts once."""

from __future__ import annotations

import json
from contextlib import contextmanager

import boto3
import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends
from moto.sns.models import sns_backends

from tests.chalice_apps import (
    ACCOUNT,
    REGION,
    Context,
    application,
    delivered,
    failed,
    guests_of_facebook,
)

SENDER = "concierge@example.com"
EVENT = {
    "event": "order-confirmed",
    "orderId": "ord_" + 24 * "1",
    "guestId": "g",
    "account": "a",
    "status": "confirmed",
    "productId": "candy-jar",
    "name": "Candy",
    "quantity": 2,
    "amount": 3000,
    "currency": "usd",
    "deliveryAddress": "5 Main Street",
    "deliveryDate": "2099-01-01",
    "message": "Thank you!",
    "createdAt": "2026-11-23T10:00:00Z",
    "endedAt": "2026-11-23T10:00:01Z",
}


class Teller:
    """Notifications, with guests that we know."""

    def __init__(self, app):
        self.app = app
        self.users = {"a": {"email": "ada@example.com"}}
        self.notifications = app.part("services").assembled().notifications
        self.notifications.account = lambda name: self.users.get(name, {})

    def take(self, *events):
        bodies = [json.dumps(EVENT | event) for event in events]
        return failed(self.app.module.notify(delivered(*bodies), Context()))

    @contextmanager
    def without(self, way):
        def away(event, to):
            raise self.app.part("errors").Unavailable("It is away.")

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(self.notifications, way, away)
            yield


def mails():
    return ses_backends[DEFAULT_ACCOUNT_ID][REGION].sent_messages


def texts():
    return list(sns_backends[DEFAULT_ACCOUNT_ID][REGION].sms_messages.values())


@pytest.fixture
def teller():
    with application(
        "notifications", stage=4, MAIL_FROM=f"Concierge <{SENDER}>"
    ) as app:
        boto3.client("ses").verify_email_identity(EmailAddress=SENDER)
        yield Teller(app)


def test_an_event_that_comes_three_times_is_told_of_once(teller):
    assert teller.take({}, {}, {}) == []
    assert len(mails()) == 1
    assert EVENT["orderId"] in mails()[0].raw_data


def test_two_events_of_an_order_are_told_of_both(teller):
    assert teller.take({}, {"event": "order-failed"}) == []
    assert len(mails()) == 2


def test_a_phone_gets_a_text_message_too(teller):
    teller.users["a"]["phone_number"] = "+15555550100"
    assert teller.take({}) == []
    assert len(mails()) == len(texts()) == 1


def test_a_letter_that_could_not_be_sent_is_sent_later_and_once(teller):
    with teller.without("mail"):
        assert teller.take({}) == ["0"]
    assert teller.take({}, {}) == []
    assert len(mails()) == 1


def test_what_was_sent_is_not_sent_again_for_what_was_not(teller):
    teller.users["a"]["phone_number"] = "+15555550100"
    with teller.without("text"):
        assert teller.take({}) == ["0"]
    assert teller.take({}) == []
    assert (len(mails()), len(texts())) == (1, 1)


def test_who_is_telling_at_this_moment_is_not_disturbed(teller):
    notices = teller.notifications._notices
    key = f"{EVENT['orderId']}#{EVENT['event']}"
    assert notices.take(key) == {"mail", "text"}
    assert teller.take({}) == ["0"]
    assert mails() == []
    notices.let_go(key)
    assert teller.take({}) == []
    assert len(mails()) == 1


def test_a_guest_whose_account_is_gone_is_told_nothing(teller):
    assert teller.take({"account": None}, {"account": "b"}) == []
    assert mails() == []


def test_a_guest_who_came_by_facebook_is_found_by_what_the_signature_says(teller):
    notifications = teller.app.part("notifications").Notifications(None, "pool", SENDER)
    email = "eve@example.com"
    with guests_of_facebook(pool="pool", account=ACCOUNT, email=email) as cognito:
        notifications.__dict__["_cognito"] = cognito
        assert notifications.account(ACCOUNT)["email"] == email
        assert notifications.account(ACCOUNT[::-1]) == {}


def test_a_sale_is_recorded_once_and_poison_is_not():
    with application("receipts", stage=4) as app:
        bodies = [json.dumps(EVENT), "poison", json.dumps(EVENT | {"amount": 1})]
        answer = app.module.record(delivered(*bodies), Context())
        assert failed(answer) == ["1"]
        (item,) = boto3.resource("dynamodb").Table("receipts").scan()["Items"]
        assert (item["order_id"], item["amount"]) == (EVENT["orderId"], 3000)
