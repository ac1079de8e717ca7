"""The Stripe sandbox, driven over a real port by the official library."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
import stripe

ROOT = Path(__file__).parents[2]
CARDS_ONLY = {"enabled": True, "allow_redirects": "never"}
DECLINED = "pm_card_visa_chargeDeclined"
NO_FUNDS = "pm_card_visa_chargeDeclinedInsufficientFunds"
AUTHENTICATE = "pm_card_authenticationRequired"


class Sandbox:
    """A sandbox process that tests can kill and start again."""

    def __init__(self, data):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.data = data
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sandbox.stripe"]
            + ["--port", str(self.port), "--data", str(self.data)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.url in self.process.stdout.readline()

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        code = self.process.wait(timeout=10)
        self.process.stdout.close()
        return code

    def client(self, key="sk_test_sandbox", timeout=20):
        return stripe.StripeClient(
            key,
            base_addresses={"api": self.url},
            http_client=stripe.RequestsClient(timeout=timeout),
            max_network_retries=0,
        ).v1

    def control(self, method, path, **options):
        return requests.request(
            method, f"{self.url}/_sandbox/{path}", timeout=10, **options
        )

    def faults(self, **settings):
        answer = self.control("PUT", "faults", json=settings)
        assert answer.status_code == 200, answer.text

    def injected(self):
        return self.control("GET", "faults").json()["injected"]

    def orders(self):
        ledger = self.control("GET", "ledger", params={"view": "orders"})
        return ledger.json()["orders"]

    def charges_of(self, order_id):
        order = self.orders().get(order_id, {})
        return order.get("succeeded_charges", 0)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    sandbox = Sandbox(tmp_path_factory.mktemp("stripe") / "stripe.sqlite")
    yield sandbox
    assert sandbox.stop() == 0


@pytest.fixture
def sandbox(running):
    yield running
    running.control("DELETE", "faults")
    running.control("PUT", "rate-limit", json={"per_second": None})


@pytest.fixture
def mortal(tmp_path):
    """A sandbox of the test's own, to be killed."""
    sandbox = Sandbox(tmp_path / "stripe.sqlite")
    yield sandbox
    sandbox.stop(signal.SIGKILL)


@pytest.fixture
def api(sandbox):
    return sandbox.client()


def purchase(card="pm_card_visa", order_id="ord_1", **more):
    return {
        "amount": 5400,
        "currency": "usd",
        "payment_method": card,
        "automatic_payment_methods": CARDS_ONLY,
        "metadata": {"order_id": order_id},
        **more,
    }


def create(api, *purchase_args, key=None, **more):
    options = {"idempotency_key": key} if key else {}
    return api.payment_intents.create(purchase(*purchase_args, **more), options)


def headers_of(thing):
    return thing.last_response.headers


# Paying


@pytest.mark.parametrize(
    ("card", "brand", "last4"),
    [("pm_card_visa", "visa", "4242"), ("pm_card_mastercard", "mastercard", "4444")],
)
def test_a_good_card_is_charged(api, sandbox, card, brand, last4):
    order_id = f"ord_{card}"
    intent = create(
        api, card, order_id, receipt_email="ada@example.com", description="Roses"
    )
    assert intent.status == "requires_confirmation"
    assert intent.latest_charge is None
    intent = api.payment_intents.confirm(intent.id)
    assert intent.status == "succeeded"
    assert intent.amount_received == intent.amount == 5400
    assert intent.latest_charge.startswith("ch_")
    assert not intent.livemode
    assert intent.metadata["order_id"] == order_id
    assert (intent.description, intent.receipt_email) == ("Roses", "ada@example.com")
    card = api.payment_methods.retrieve(intent.payment_method).card
    assert (card.brand, card.last4) == (brand, last4)
    assert sandbox.charges_of(order_id) == 1
    assert api.payment_intents.retrieve(intent.id).to_dict() == intent.to_dict()


def test_creating_and_paying_in_one_call(api):
    assert create(api, confirm=True).status == "succeeded"


@pytest.mark.parametrize(
    ("card", "params", "code", "decline_code"),
    [
        (DECLINED, {}, "card_declined", "generic_decline"),
        (NO_FUNDS, {}, "card_declined", "insufficient_funds"),
        (AUTHENTICATE, {"off_session": True}, *["authentication_required"] * 2),
        (
            AUTHENTICATE,
            {"error_on_requires_action": True},
            *["authentication_required"] * 2,
        ),
    ],
)
def test_a_refused_card_raises_card_error(api, card, params, code, decline_code):
    intent = create(api, card)
    with pytest.raises(stripe.CardError) as refusal:
        api.payment_intents.confirm(intent.id, params)
    error = refusal.value
    assert error.http_status == 402
    assert error.code == error.error.code == code
    assert error.error.decline_code == decline_code
    assert error.error.type == "card_error"
    assert error.error.charge.startswith("ch_")
    assert error.error.payment_intent.id == intent.id
    assert error.error.payment_method.card.last4 != "4242"
    after = api.payment_intents.retrieve(intent.id)
    assert after.status == "requires_payment_method"
    assert after.payment_method is None
    assert after.last_payment_error.decline_code == decline_code
    assert after.last_payment_error.charge == after.latest_charge == error.error.charge
    paid = api.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert paid.status == "succeeded"
    assert paid.last_payment_error is None


def test_a_card_that_asks_for_its_owner_waits_for_an_action(api):
    intent = create(api, AUTHENTICATE, confirm=True)
    assert intent.status == "requires_action"
    assert intent.next_action.type == "use_stripe_sdk"
    intent = create(api, AUTHENTICATE, confirm=True, return_url="https://example.com")
    assert intent.next_action.redirect_to_url.return_url == "https://example.com"
    assert api.payment_intents.cancel(intent.id).status == "canceled"


def test_a_second_confirm_is_an_unexpected_state(api):
    intent = create(api, confirm=True)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        api.payment_intents.confirm(intent.id)
    assert refusal.value.http_status == 400
    assert refusal.value.code == "payment_intent_unexpected_state"
    assert refusal.value.error.payment_intent.status == "succeeded"


def test_twenty_confirms_at_once_charge_once(api, sandbox):
    intent = create(api, "pm_card_visa", "ord_twenty")
    barrier = threading.Barrier(20)

    def confirm(_):
        barrier.wait(10)
        try:
            return api.payment_intents.confirm(intent.id).status
        except stripe.StripeError as refusal:
            return refusal.code

    with ThreadPoolExecutor(20) as pool:
        results = list(pool.map(confirm, range(20)))
    assert results.count("succeeded") == 1
    assert results.count("payment_intent_unexpected_state") == 19
    assert sandbox.charges_of("ord_twenty") == 1


def test_a_canceled_intent_can_not_be_paid(api):
    intent = create(api)
    intent = api.payment_intents.cancel(intent.id, {"cancellation_reason": "abandoned"})
    assert (intent.status, intent.cancellation_reason) == ("canceled", "abandoned")
    with pytest.raises(stripe.InvalidRequestError, match="canceled"):
        api.payment_intents.confirm(intent.id)
    with pytest.raises(stripe.InvalidRequestError, match="canceled"):
        api.payment_intents.cancel(intent.id)


def test_lists_are_paged_newest_first(api):
    made = [create(api).id for _ in range(5)]
    page = api.payment_intents.list({"limit": 2})
    assert [intent.id for intent in page.data] == made[:2:-1]
    assert page.has_more
    page = api.payment_intents.list({"limit": 2, "starting_after": made[3]})
    assert [intent.id for intent in page.data] == [made[2], made[1]]
    page = api.payment_intents.list({"limit": 2, "ending_before": made[2]})
    assert [intent.id for intent in page.data] == [made[4], made[3]]
    walked = [intent.id for intent in page.auto_paging_iter()]
    assert len(walked) == len(set(walked))
    everything = api.payment_intents.list({"limit": 3}).auto_paging_iter()
    assert [intent.id for intent in everything][:5] == made[::-1]


# Refunds


def test_a_charge_is_refunded_in_parts_then_no_further(api, sandbox):
    intent = create(api, "pm_card_visa", "ord_refund", confirm=True)
    part = api.refunds.create(
        {"payment_intent": intent.id, "amount": 400, "reason": "duplicate"}
    )
    rest = api.refunds.create({"charge": intent.latest_charge})
    assert (part.amount, rest.amount) == (400, 5000)
    assert part.status == rest.status == "succeeded"
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        api.refunds.create({"payment_intent": intent.id})
    assert refusal.value.code == "charge_already_refunded"
    assert api.refunds.retrieve(part.id).reason == "duplicate"
    listed = api.refunds.list({"payment_intent": intent.id})
    assert [refund.id for refund in listed.data] == [rest.id, part.id]
    order = sandbox.orders()["ord_refund"]
    assert order["amount_captured"] == order["amount_refunded"] == 5400


def test_what_was_not_taken_is_not_given_back(api):
    intent = create(api)
    with pytest.raises(stripe.InvalidRequestError, match="successful charge"):
        api.refunds.create({"payment_intent": intent.id})
    api.payment_intents.confirm(intent.id)
    with pytest.raises(stripe.InvalidRequestError, match="greater than"):
        api.refunds.create({"payment_intent": intent.id, "amount": 5401})


# Refused requests


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"colour": "red"}, "parameter_unknown", "colour"),
        ({"automatic_payment_methods": {"on": 1}}, "parameter_unknown", None),
        ({"amount": None}, "parameter_missing", "amount"),
        ({"currency": None}, "parameter_missing", "currency"),
        ({"amount": "ten"}, "parameter_invalid_integer", "amount"),
        ({"amount": -1}, "parameter_invalid_integer", "amount"),
        ({"amount": 49}, "amount_too_small", "amount"),
        ({"amount": 100_000_000}, "amount_too_large", "amount"),
        ({"currency": "xxx"}, None, "currency"),
        ({"payment_method": "pm_nothing"}, "resource_missing", "payment_method"),
        ({"confirm": "perhaps"}, None, "confirm"),
        ({"off_session": True}, None, "off_session"),
        (
            {"payment_method_types": ["card"]},
            "payment_method_types_no_longer_supported",
            "payment_method_types",
        ),
        ({"metadata": {"k": "x" * 501}}, None, "metadata[k]"),
    ],
)
def test_bad_parameters_are_refused_as_stripe_does(api, sandbox, change, code, param):
    params = {**purchase(order_id="ord_bad"), **change}
    params = {name: value for name, value in params.items() if value is not None}
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        api.payment_intents.create(params)
    assert refusal.value.http_status == 400
    assert refusal.value.code == code
    assert param is None or refusal.value.param == param
    assert "ord_bad" not in sandbox.orders()


def test_paying_without_a_card_is_refused(api):
    intent = api.payment_intents.create({"amount": 500, "currency": "usd"})
    assert intent.status == "requires_payment_method"
    with pytest.raises(stripe.InvalidRequestError, match="return_url"):
        api.payment_intents.confirm(intent.id)
    with pytest.raises(stripe.InvalidRequestError, match="payment method"):
        api.payment_intents.confirm(intent.id, {"return_url": "https://example.com"})


def test_types_may_be_named_as_each_version_wants(api):
    params = purchase(confirm=True)
    del params["automatic_payment_methods"]
    named = {**params, "allowed_payment_method_types": ["card", "sepa_debit"]}
    intent = api.payment_intents.create(named)
    assert (intent.status, intent.payment_method_types) == ("succeeded", ["card"])
    intent = api.payment_intents.create(
        {**params, "payment_method_types": ["card"]},
        {"stripe_version": "2025-03-31.basil"},
    )
    assert intent.status == "succeeded"


@pytest.mark.parametrize(
    "call",
    [
        lambda api: api.payment_intents.retrieve("pi_nothing"),
        lambda api: api.payment_intents.confirm("pi_nothing"),
        lambda api: api.payment_intents.cancel("pi_nothing"),
        lambda api: api.refunds.retrieve("re_nothing"),
        lambda api: api.payment_methods.retrieve("pm_nothing"),
        lambda api: api.refunds.create({"payment_intent": "pi_nothing"}),
    ],
)
def test_what_does_not_exist_is_404(api, call):
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        call(api)
    assert refusal.value.http_status == 404
    assert refusal.value.code == "resource_missing"


@pytest.mark.parametrize("key", ["sk_live_abc", "pk_test_abc", "nonsense", "sk_test_"])
def test_other_keys_are_unauthorized(sandbox, key):
    with pytest.raises(stripe.AuthenticationError) as refusal:
        sandbox.client(key).payment_intents.list()
    assert refusal.value.http_status == 401
    assert "sk_live_abc" not in str(refusal.value)


def test_no_key_is_unauthorized(sandbox):
    answer = requests.get(f"{sandbox.url}/v1/payment_intents", timeout=10)
    assert answer.status_code == 401
    assert answer.headers["Request-Id"].startswith("req_")


# Idempotency keys


def test_a_repeated_key_replays_the_answer(api, sandbox):
    first = create(api, "pm_card_visa", "ord_replay", key="replay", confirm=True)
    second = create(api, "pm_card_visa", "ord_replay", key="replay", confirm=True)
    assert second.to_dict() == first.to_dict()
    assert "Idempotent-Replayed" not in headers_of(first)
    assert headers_of(second)["Idempotent-Replayed"] == "true"
    assert headers_of(second)["Original-Request"] == headers_of(first)["Request-Id"]
    assert headers_of(second)["Stripe-Version"]
    assert sandbox.charges_of("ord_replay") == 1


def test_a_decline_is_replayed_even_when_the_card_would_do_now(api):
    intent = create(api, DECLINED)
    refusals = []
    for _ in range(2):
        with pytest.raises(stripe.CardError) as refusal:
            api.payment_intents.confirm(intent.id, {}, {"idempotency_key": "decline"})
        refusals.append(refusal.value)
    assert refusals[0].http_body == refusals[1].http_body
    assert refusals[1].headers["Idempotent-Replayed"] == "true"


def test_an_unexpected_state_is_replayed(api):
    intent = create(api, confirm=True)
    for expected in (None, "true"):
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            api.payment_intents.confirm(intent.id, {}, {"idempotency_key": "state"})
        assert refusal.value.headers.get("Idempotent-Replayed") == expected


def test_a_key_with_other_parameters_is_an_idempotency_error(api):
    create(api, key="mismatch")
    with pytest.raises(stripe.IdempotencyError) as refusal:
        create(api, key="mismatch", amount=5500)
    assert refusal.value.http_status == 400
    with pytest.raises(stripe.IdempotencyError):
        api.refunds.create({"payment_intent": "pi_1"}, {"idempotency_key": "mismatch"})


def test_a_request_that_did_not_execute_leaves_its_key_free(api, sandbox):
    with pytest.raises(stripe.InvalidRequestError):
        create(api, key="free", amount=1)
    with pytest.raises(stripe.AuthenticationError):
        create(sandbox.client("sk_live_x"), key="free")
    sandbox.faults(error_before=True, times=1)
    with pytest.raises(stripe.APIError):
        create(api, key="free")
    assert create(api, key="free").status == "requires_confirmation"


def test_a_key_in_use_is_a_conflict(api, sandbox):
    sandbox.faults(latency_ms={"fixed": 1500})
    barrier = threading.Barrier(4)

    def attempt(_):
        barrier.wait(10)
        try:
            return create(api, "pm_card_visa", "ord_409", key="race", confirm=True).id
        except stripe.APIError as refusal:
            return refusal.http_status, refusal.error.code

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(attempt, range(4)))
    assert results.count((409, "idempotency_key_in_use")) == 3
    assert sandbox.charges_of("ord_409") == 1
    sandbox.control("DELETE", "faults")
    again = create(api, "pm_card_visa", "ord_409", key="race", confirm=True)
    assert again.id in results


# Faults


def test_refused_connections(api, sandbox):
    sandbox.faults(refuse=True)
    with pytest.raises(stripe.APIConnectionError):
        create(api)
    assert sandbox.control("GET", "health").json() == {"status": "ok"}
    sandbox.control("DELETE", "faults")
    assert create(api).id


def test_an_error_before_the_effect_has_no_effect(api, sandbox):
    intent = create(api, "pm_card_visa", "ord_before")
    sandbox.faults(error_before=503, operations=["confirm"])
    with pytest.raises(stripe.APIError) as refusal:
        api.payment_intents.confirm(intent.id)
    assert refusal.value.http_status == 503
    assert api.payment_intents.retrieve(intent.id).status == "requires_confirmation"
    assert sandbox.injected() == {"error_before": 1}


def test_an_error_after_the_effect_is_the_first_answer(api, sandbox):
    intent = create(api, "pm_card_visa", "ord_after")
    sandbox.faults(error_after=True, operations=["confirm"], times=1)
    options = {"idempotency_key": "after"}
    for replayed in (None, "true"):
        with pytest.raises(stripe.APIError) as refusal:
            api.payment_intents.confirm(intent.id, {}, options)
        assert refusal.value.http_status == 500
        assert refusal.value.headers.get("Idempotent-Replayed") == replayed
    assert api.payment_intents.retrieve(intent.id).status == "succeeded"
    assert sandbox.charges_of("ord_after") == 1


def test_a_connection_dropped_after_the_effect(api, sandbox):
    sandbox.faults(drop_after=True, times=1)
    with pytest.raises(stripe.APIConnectionError):
        create(api, "pm_card_visa", "ord_drop", key="drop", confirm=True)
    again = create(api, "pm_card_visa", "ord_drop", key="drop", confirm=True)
    assert headers_of(again)["Idempotent-Replayed"] == "true"
    assert sandbox.charges_of("ord_drop") == 1


@pytest.mark.parametrize(("fault", "charges"), [("hang", 0), ("hang_after", 1)])
def test_a_call_that_hangs_until_the_client_gives_up(sandbox, fault, charges):
    order_id = f"ord_{fault}"
    sandbox.faults(**{fault: True})
    with pytest.raises(stripe.APIConnectionError):
        create(sandbox.client(timeout=0.5), "pm_card_visa", order_id, confirm=True)
    assert sandbox.charges_of(order_id) == charges


def test_a_call_that_hangs_goes_on_when_the_fault_is_cleared(api, sandbox):
    sandbox.faults(hang=True)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(create, api)
        wait_until(lambda: sandbox.injected() == {"hang": 1})
        assert not waiting.done()
        sandbox.control("DELETE", "faults")
        assert waiting.result(timeout=10).status == "requires_confirmation"


def test_a_share_of_calls_is_hit_the_same_way_for_a_seed(api, sandbox):
    def outcomes():
        sandbox.faults(error_before=True, error_after=True, mix=True, share=0.5, seed=7)
        for _ in range(30):
            try:
                create(api)
                yield "made"
            except stripe.APIError:
                yield "failed"

    first = list(outcomes())
    assert {"made", "failed"} == set(first)
    assert sum(sandbox.injected().values()) == first.count("failed")
    assert set(sandbox.injected()) == {"error_before", "error_after"}
    assert list(outcomes()) == first


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("faults", '{"latency": 3}'),
        ("faults", '{"share": 2}'),
        ("faults", '{"error_before": 404}'),
        ("faults", '{"operations": ["pay"]}'),
        ("faults", "{nonsense"),
        ("rate-limit", '{"per_second": 0}'),
        ("rate-limit", "25"),
    ],
)
def test_a_wrong_setting_is_refused_with_an_example(sandbox, path, body):
    before = sandbox.control("GET", path).json()
    answer = sandbox.control("PUT", path, data=body)
    assert answer.status_code == 400
    assert "PUT" in answer.json()["message"]
    assert sandbox.control("GET", path).json() == before


def test_the_rate_limit_answers_429(api, sandbox):
    sandbox.control("PUT", "rate-limit", json={"per_second": 0.001})
    assert sandbox.control("GET", "rate-limit").json() == {"per_second": 0.001}
    assert create(api).id
    with pytest.raises(stripe.RateLimitError) as refusal:
        create(api, key="limited")
    assert refusal.value.http_status == 429
    assert refusal.value.error.code == "rate_limit"
    sandbox.control("PUT", "rate-limit", json={"per_second": None})
    assert create(api, key="limited").id


# The ledger


def test_the_ledger_shows_one_order(api, sandbox):
    with pytest.raises(stripe.CardError):
        create(api, DECLINED, "ord_shown", confirm=True)
    intent = create(api, "pm_card_visa", "ord_shown", confirm=True)
    refund = api.refunds.create({"payment_intent": intent.id, "amount": 100})
    shown = sandbox.control("GET", "ledger", params={"order_id": "ord_shown"}).json()
    assert list(shown["orders"]) == ["ord_shown"]
    order = shown["orders"]["ord_shown"]
    assert order["payment_intents"][intent.id] == "succeeded"
    assert (order["succeeded_charges"], order["failed_charges"]) == (1, 1)
    assert (order["amount_captured"], order["amount_refunded"]) == (5400, 100)
    assert [charge["status"] for charge in shown["charges"]] == ["failed", "succeeded"]
    assert shown["charges"][1]["amount_refunded"] == 100
    assert [given["id"] for given in shown["refunds"]] == [refund.id]


def test_kill_9_under_load_loses_nothing_and_charges_nothing_twice(mortal):
    """Half of the calls are under way when the process dies."""
    api, threads, enough = mortal.client(timeout=5), 8, 60
    acknowledged, orders, count = {}, [], threading.Lock()

    def buy(thread):
        for number in range(1000):
            order_id = f"ord_{thread}_{number}"
            orders.append(order_id)
            try:
                intent = create(
                    api, "pm_card_visa", order_id, key=order_id, confirm=True
                )
            except stripe.APIConnectionError:
                return
            with count:
                acknowledged[order_id] = intent.id

    with ThreadPoolExecutor(threads) as pool:
        buyers = [pool.submit(buy, thread) for thread in range(threads)]
        wait_until(lambda: len(acknowledged) >= enough)
        mortal.stop(signal.SIGKILL)
        for buyer in buyers:
            buyer.result(timeout=30)
    mortal.start()
    ledger = mortal.orders()
    for order_id, intent_id in acknowledged.items():
        assert ledger[order_id]["payment_intents"] == {intent_id: "succeeded"}
        assert ledger[order_id]["succeeded_charges"] == 1
    for order_id in orders:
        create(api, "pm_card_visa", order_id, key=order_id, confirm=True)
    ledger = mortal.orders()
    assert len(ledger) == len(orders) > len(acknowledged)
    assert {order["succeeded_charges"] for order in ledger.values()} == {1}


def test_an_effect_whose_answer_died_is_replayed_after_kill_9(mortal):
    mortal.faults(hang_after=True)
    with pytest.raises(stripe.APIConnectionError):
        create(mortal.client(timeout=0.5), key="died", confirm=True)
    mortal.stop(signal.SIGKILL)
    mortal.start()
    again = create(mortal.client(), key="died", confirm=True)
    assert headers_of(again)["Idempotent-Replayed"] == "true"
    assert mortal.charges_of("ord_1") == 1


# The process


def test_two_hundred_connections_are_served_side_by_side(sandbox):
    sandbox.faults(latency_ms={"fixed": 300, "random": 100})
    headers = {"Authorization": "Bearer sk_test_sandbox"}
    address = f"{sandbox.url}/v1/payment_intents?limit=1"

    def ask(_):
        return requests.get(address, headers=headers, timeout=30).status_code

    with ThreadPoolExecutor(200) as pool:
        assert set(pool.map(ask, range(200))) == {200}


def test_connections_are_kept_alive(sandbox):
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=10) as line:
        for _ in range(3):
            line.sendall(b"GET /_sandbox/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b'{"status":"ok"}' in line.recv(4096)


def test_it_stops_at_once_with_calls_that_hang(tmp_path):
    sandbox = Sandbox(tmp_path / "stripe.sqlite")
    sandbox.faults(hang=True)
    with ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(create, sandbox.client()) for _ in range(3)]
        wait_until(lambda: sandbox.injected() == {"hang": 3})
        assert sandbox.stop(signal.SIGINT) == 0
        for call in waiting:
            with pytest.raises(stripe.APIConnectionError):
                call.result(timeout=10)


def test_a_taken_port_is_named(sandbox, tmp_path):
    run = subprocess.run(
        [sys.executable, "-m", "sandbox.stripe", "--data", str(tmp_path / "x.sqlite")],
        env={**os.environ, "STRIPE_PORT": str(sandbox.port)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert run.returncode == 1
    assert str(sandbox.port) in run.stderr
    assert "--port" in run.stderr


def wait_until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)
