"""An effect and the answer kept for its key are written together or not at all."""

import json

import pytest

from sandbox.stripe.errors import StripeError
from sandbox.stripe.faults import Faults
from sandbox.stripe.gateway import Gateway, Request
from sandbox.stripe.idempotency import InProgress, fingerprint
from sandbox.stripe.ledger import KEY_LIFETIME_SECONDS, Book, Ledger
from sandbox.stripe.rate_limit import RateLimit

PURCHASE = (
    b"amount=500&currency=usd&payment_method=pm_card_visa&confirm=true"
    b"&return_url=https://example.com&metadata[order_id]=ord_1"
)


@pytest.fixture
def gateway(tmp_path):
    ledger = Ledger(tmp_path / "stripe.sqlite")
    yield Gateway(ledger, Faults(), RateLimit())
    ledger.close()


def ask(gateway, method, path, body=b""):
    headers = {"Authorization": "Bearer sk_test_x", "Idempotency-Key": "k"}
    return gateway.answer(
        Request(method, path, "", headers, body, lambda seconds: False)
    )


def charges(gateway):
    return json.loads(ask(gateway, "GET", "/_sandbox/ledger").body)["charges"]


def test_an_effect_whose_answer_can_not_be_kept_is_undone(gateway, monkeypatch, capsys):
    def die(*_):
        raise SystemError("out of paper")

    with monkeypatch.context() as broken:
        broken.setattr(Book, "save_answer", die)
        assert ask(gateway, "POST", "/v1/payment_intents", PURCHASE).status == 500
    assert "out of paper" in capsys.readouterr().err
    assert charges(gateway) == []
    assert ask(gateway, "POST", "/v1/payment_intents", PURCHASE).status == 200
    assert len(charges(gateway)) == 1


def test_a_key_is_forgotten_after_a_day(gateway, monkeypatch):
    first = ask(gateway, "POST", "/v1/payment_intents", PURCHASE)
    monkeypatch.setattr("sandbox.stripe.ledger.KEY_LIFETIME_SECONDS", -1)
    second = ask(gateway, "POST", "/v1/payment_intents", PURCHASE)
    assert KEY_LIFETIME_SECONDS == 24 * 3600
    assert "Idempotent-Replayed" not in second.headers
    assert first.body != second.body


def test_a_key_is_free_again_when_its_request_ended_badly():
    keys = InProgress()
    with pytest.raises(ZeroDivisionError), keys.claim("k"):
        raise ZeroDivisionError
    with keys.claim("k"), pytest.raises(StripeError) as refusal, keys.claim("k"):
        pass
    assert refusal.value.status == 409


def test_the_order_of_parameters_does_not_matter():
    assert fingerprint("POST", "/a", "x=1&y=2") == fingerprint("POST", "/a", "y=2&x=1")
    assert fingerprint("POST", "/a", "x=1") != fingerprint("POST", "/b", "x=1")
