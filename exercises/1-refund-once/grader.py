"""What exercise 1 is graded by. Run it with `make grade EXERCISE=1`."""

import importlib.util
import os
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
import stripe

TRIES = 30
PAUSE_SECONDS = 0.1
sys.dont_write_bytecode = True


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory):
    """Start a Stripe sandbox and return its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ledger = tmp_path_factory.mktemp("stripe") / "stripe.sqlite"
    program = ["-m", "sandbox.stripe", "--port", str(port), "--data", str(ledger)]
    process = subprocess.Popen([sys.executable, *program])
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(100):
            try:
                requests.get(f"{address}/_sandbox/health", timeout=1)
                break
            except requests.RequestException:
                time.sleep(0.1)
        else:
            pytest.fail(
                "The Stripe sandbox did not start, which is no fault of yours. Look "
                "above for what it said, and run the command again."
            )
        yield address
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def faults(sandbox):
    """Set faults, which end with the check."""

    def set_faults(**settings):
        where = f"{sandbox}/_sandbox/faults"
        requests.put(where, json=settings, timeout=5).raise_for_status()

    yield set_faults
    requests.delete(f"{sandbox}/_sandbox/faults", timeout=5)


@pytest.fixture
def client(sandbox):
    return stripe.StripeClient(
        "sk_test_sandbox", base_addresses={"api": sandbox}, max_network_retries=0
    )


@pytest.fixture
def student():
    """Load the student's module."""
    path = Path(os.environ["EXERCISE_FOLDER"]) / "refunds.py"
    spec = importlib.util.spec_from_file_location("refunds", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def refunds(student, client):
    return student.Refunds(client)


@pytest.fixture
def payment(client):
    """Charge a card 50 dollars and return the intent."""
    cards_only = {"enabled": True, "allow_redirects": "never"}
    return client.v1.payment_intents.create(
        {
            "amount": 5000,
            "currency": "usd",
            "payment_method": "pm_card_visa",
            "automatic_payment_methods": cards_only,
            "confirm": True,
        }
    ).id


@pytest.fixture
def given_back(client, payment):
    """Tell by Stripe's books what was given back of the payment, in cents."""
    return lambda: sorted(
        refund.amount
        for refund in client.v1.refunds.list({"payment_intent": payment}).data
    )


def press_until_told(student, press):
    """Press the button as support does: until there is an answer."""
    for _ in range(TRIES):
        try:
            return press()
        except student.RefundUnknown:
            time.sleep(PAUSE_SECONDS)
    raise AssertionError(f"There was no answer in {TRIES} tries.")


@pytest.mark.row(1)
def test_money_is_given_back(refunds, payment, given_back):
    assert refunds.give_back("complaint-1", payment, 500).startswith("re_")
    assert given_back() == [500]


@pytest.mark.row(1)
def test_a_button_that_is_pressed_twice_gives_back_once(refunds, payment, given_back):
    first = refunds.give_back("complaint-1", payment, 500)
    assert refunds.give_back("complaint-1", payment, 500) == first
    assert given_back() == [500]


@pytest.mark.row(1)
def test_another_complaint_is_another_refund(refunds, payment, given_back):
    refunds.give_back("complaint-1", payment, 500)
    refunds.give_back("complaint-2", payment, 500)
    assert given_back() == [500, 500]


@pytest.mark.row(1)
def test_the_same_words_about_another_payment_are_another_refund(
    refunds, client, payment, given_back
):
    other = client.v1.payment_intents.create(
        {
            "amount": 900,
            "currency": "usd",
            "payment_method": "pm_card_visa",
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            "confirm": True,
        }
    ).id
    refunds.give_back("it was late", other, 500)
    refunds.give_back("it was late", payment, 500)
    assert given_back() == [500]


@pytest.mark.row(2)
def test_a_lost_answer_is_told_as_unknown(student, refunds, payment, faults):
    faults(refuse=True)
    with pytest.raises(student.RefundUnknown):
        refunds.give_back("complaint-1", payment, 500)


@pytest.mark.row(3)
def test_a_lost_answer_and_another_press_give_back_once(
    student, refunds, payment, given_back, faults
):
    faults(drop_after=True, operations=["refund"], times=1)
    press_until_told(student, lambda: refunds.give_back("c-1", payment, 500))
    assert given_back() == [500]


@pytest.mark.row(4)
def test_a_refund_that_stripe_made_but_called_an_error_is_found(
    student, refunds, payment, given_back, faults
):
    # Stripe repeats this answer to the same key, for a day.
    faults(error_after=500, operations=["refund"], times=1)
    press_until_told(student, lambda: refunds.give_back("c-1", payment, 500))
    assert given_back() == [500]


@pytest.mark.row(2)
def test_too_much_is_refused_and_nothing_given_back(
    student, refunds, payment, given_back
):
    with pytest.raises(student.RefundRefused):
        refunds.give_back("complaint-1", payment, 5001)
    assert given_back() == []


@pytest.mark.row(3)
def test_two_who_press_at_once_give_back_once(
    student, refunds, payment, given_back, faults
):
    faults(latency_ms={"fixed": 200})

    def press(_):
        return press_until_told(
            student, lambda: refunds.give_back("complaint-1", payment, 500)
        )

    with ThreadPoolExecutor(2) as two:
        assert len(set(two.map(press, range(2)))) == 1
    assert given_back() == [500]
