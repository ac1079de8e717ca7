"""The experiments of lesson 4: what they reckon, break and tell, when it is bad too."""

from __future__ import annotations

import copy
import io
import signal
import sys
import threading
import types
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import pytest
import requests

from load_tests.accounts import Account
from load_tests.answers import WrongAnswer
from load_tests.experiments import __main__ as command
from load_tests.experiments import poison, sales, spike, stripe_outage
from load_tests.experiments.backstage4 import SOURCE, WORK, poisoned
from load_tests.experiments.sales import Order, Sale, Shop
from load_tests.limits import settings
from load_tests.limits.settings import REPOSITORY
from sandbox.aws import server
from tests.cognito import CognitoError


def test_an_answer_is_what_its_guest_makes_of_it():
    labels = {
        "202 accepted": "accepted",
        "503 Stripe: away": "503",
        "429": "429",
        "no answer: TimeoutError": "no answer",
        "the order is declined: your card": "wrong answer",
        "not a Bought: JSON is malformed": "wrong answer",
        "202 without the order's Location": "wrong answer",
    }
    told = {
        label: sales.kind(Sale(0, 1, label, label.endswith("accepted")))
        for label in labels
    }
    assert told == labels


class Refusing:
    """Answers as it is told, and then with an empty page of orders."""

    def __init__(self, *refusals):
        self.refusals = list(refusals)

    def get(self, *_, **__):
        if not self.refusals:
            return types.SimpleNamespace(status_code=200, content=b'{"orders":[]}')
        refusal = self.refusals.pop(0)
        if isinstance(refusal, Exception):
            raise refusal
        return types.SimpleNamespace(status_code=refusal, content=b"")


@pytest.fixture
def shop(monkeypatch):
    """A shop at a stage that is not there, which has one guest and no time."""
    clock = types.SimpleNamespace(now=0.0)

    def sleep(seconds):
        clock.now += seconds

    fake = types.SimpleNamespace(
        monotonic=lambda: clock.now, sleep=sleep, time=lambda: clock.now
    )
    monkeypatch.setattr(sales, "time", fake)
    stage = types.SimpleNamespace(api_url="http://127.0.0.1:1/v1")
    return Shop(stage, [Account(token="t")])  # noqa: S106


def test_a_read_that_is_refused_is_tried_again(shop, monkeypatch):
    refusing = Refusing(503, 429, requests.ConnectionError(), 502)
    monkeypatch.setattr(sales.requests, "Session", lambda: nullcontext(refusing))
    assert shop.settled(8.0) == []
    assert not refusing.refusals
    monkeypatch.setattr(
        sales.requests, "Session", lambda: nullcontext(Refusing(*[503] * 1000))
    )
    with pytest.raises(WrongAnswer):
        shop.settled(8.0)


def test_a_sale_that_is_cut_short_is_none(shop, monkeypatch):
    async def cut(when, _):
        for at in when:
            if at == 2:
                break
        return []

    monkeypatch.setattr(sales, "fire", cut)
    with ThreadPoolExecutor(1) as pool, pytest.raises(KeyboardInterrupt):
        pool.submit(shop.sell, [0, 1, 2, 3]).result()
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(shop.sell, []).result() == []


@pytest.mark.parametrize(
    "error", [WrongAnswer("503 busy"), AssertionError(), CognitoError("A", "b")]
)
def test_an_experiment_that_fails_says_so_in_a_sentence(error, monkeypatch, capsys):
    def fails(*_):
        raise error

    monkeypatch.setattr(command, "_tried", fails)
    monkeypatch.setattr(command, "alone", lambda: nullcontext())
    monkeypatch.setattr(command.signal, "signal", lambda *_: signal.SIG_DFL)
    monkeypatch.setattr(sys, "argv", ["experiments", "spike"])
    assert command.main() == 1
    assert "The experiment failed: " in capsys.readouterr().err


def test_who_presses_ctrl_c_waits_for_no_thread():
    seen, end = [], threading.Event()

    def wait(number):
        seen.append(threading.current_thread().daemon)
        if number == 2:
            raise KeyboardInterrupt
        end.wait(60)

    with pytest.raises(KeyboardInterrupt):
        sales.at_once(wait, [1, 2, 3])
    end.set()
    assert seen
    assert all(seen)
    assert sales.at_once(lambda number: 2 * number, [1, 2, 3]) == [2, 4, 6]


def test_things_are_done_at_their_times_and_a_failure_is_told():
    done = []
    with sales.timetable(
        (0, lambda: done.append(1)), (0, lambda: done.append(2))
    ) as at:
        pass
    assert done == [1, 2]
    assert len(at) == 2
    with (
        pytest.raises(ZeroDivisionError),
        sales.timetable((0, lambda: 1 / 0), (0, lambda: done.append(3))),
    ):
        pass
    assert done == [1, 2, 3], "what was taken away is not put back"


def drained(mu, last="confirmed"):
    """Return what the spike makes of a line with so many finished a second."""
    free, orders = 0.0, []

    def left():
        # The one that comes now is not in the queue yet.
        *before, now = orders
        return sum(order.ended > now.began for order in before)

    when = []
    for at in spike._until_empty(spike._when(spike.AFTER_SECONDS), left):
        free = max(free, at) + 1 / mu
        orders.append(Order("o", "confirmed", at, free))
        when.append(at)
    orders[-1] = Order("o", last, at, at if last == "pending" else free)
    return spike._drain([Sale(at, 0.1, "202 accepted", True) for at in when], orders, 0)


@pytest.mark.parametrize("mu", [1.8, 2.5, 3.0, 4.0])
def test_a_queue_of_one_line_drains_as_it_is_reckoned(mu):
    found = drained(mu)
    assert found["mu"] == pytest.approx(mu, rel=0.03)
    assert found["lambda"] == pytest.approx(spike.USUAL, rel=0.03)
    assert found["drained_seconds"] == pytest.approx(found["reckoned_seconds"], rel=0.1)


def test_purchases_end_when_the_queue_stays_empty():
    assert drained(4.0)["usual_for_seconds"] < drained(1.8)["usual_for_seconds"]
    assert drained(1.8)["usual_for_seconds"] <= spike.AFTER_SECONDS + 2
    assert drained(1.4)["drained_seconds"] is None
    assert "was not empty 120 s after" in spike._told_drain(drained(1.4))


def test_an_order_that_is_pending_has_left_no_queue():
    found = drained(3.0, last="pending")
    assert found["left"][-1][1] == 1
    assert found["drained_seconds"] is None
    assert "1 orders of stage 4 had not ended" in spike._told_drain(found)


def test_a_spike_that_fills_no_queue_is_told_so():
    found = drained(20.0)
    assert found["reckoned_seconds"] is not None
    assert "no more orders were in the making" in spike._told_drain(found)


def test_every_order_of_the_spike_is_looked_up():
    sold = [Sale(at, 0.1, "202 accepted", True, f"o{at}") for at in range(4)]
    orders = [Order(f"o{at}", "confirmed", at, at + 5.0) for at in range(3)]
    orders[1] = Order("o1", "pending", 1, 1)
    found = spike._became(sold, orders, {"o0": 2, "o1": 1, "o3": 1})
    assert found == {
        "confirmed": 2,
        "not_confirmed": 1,
        "missing": 1,
        "uncharged": 1,
        "charged_twice": 1,
        "late_seconds": 5.0,
    }
    told = spike._told_wrong(found)
    assert "1 accepted and not to be found" in told
    assert "1 accepted or confirmed and not charged" in told


def test_the_spike_is_scaled_by_the_workers_that_there_are():
    assert server.AT_ONCE == spike.WORKERS_HERE
    assert settings.consumers() == spike.WORKERS
    share = settings.paced_rate() / spike.STRIPE_LIMIT_ON_AWS
    here = spike.STRIPE_RATE * spike.WORKERS_HERE / spike.WORKERS
    assert here / spike.STRIPE_LIMIT == pytest.approx(share)


class Turns:
    """Shops that sell one at a time, and the queues of stage 4's."""

    def __init__(self):
        self.seen = []
        self.waits = 0

    def shop(self, number):
        def sell(_):
            assert not self.waits, "stage 4 is not done with its last purchase"
            self.seen.append(number)
            self.waits = 3 if number == 4 else 0
            return [Sale(0, number / 10, "202 accepted", True)]

        stage = types.SimpleNamespace(
            stage=number, queues={"q": "", "q-dead-letters": ""}
        )
        return types.SimpleNamespace(stage=stage, sell=sell)

    def count(self, name):
        assert name == "q"
        self.waits = max(0, self.waits - 1)
        return self.waits

    def reports(self, *_):
        count = spike.ROUNDS * spike.A_ROUND
        return [types.SimpleNamespace(billed=100)] * count


def test_stages_take_turns_and_stage_4_finishes_before_the_next(monkeypatch):
    turns = Turns()
    monkeypatch.setattr(spike, "Operator", lambda _: turns)
    monkeypatch.setattr(spike, "Lambda", lambda _: turns)
    monkeypatch.setattr(spike.time, "sleep", lambda _: None)
    lab = types.SimpleNamespace(say=lambda _: None)
    found = spike._in_turns(lab, turns.shop(3), turns.shop(4))
    assert turns.seen[:4] == [3, 4, 4, 3]
    assert found["purchases"] == spike.ROUNDS * spike.A_ROUND
    assert found["answer"]["ratio"] == pytest.approx([4 / 3] * 3)


def test_a_ratio_of_a_few_rounds_has_the_interval_of_student():
    four = [0.1] * 5 + [0.2] * 5 + [0.1] * 5
    low, high = spike._compared(four, [1.0] * 15)["ratio"][1:]
    assert low < 0.1 < 0.2 < high  # the bootstrap stays among what it drew


def test_a_spike_that_stage_4_refuses_is_told_so():
    compared = {"p50_4": 0.05, "p50_3": 0.8, "ratio": [0.06, 0.05, 0.07]}
    found = {
        "answers": {"accepted": 180},
        "spike": 180,
        "accepted_p50": 0.62,
        "accepted_p95": 3.1,
        "late_seconds": 44.0,
        **dict.fromkeys(("not_confirmed", "missing", "uncharged", "charged_twice"), 0),
        "drain": drained(3.0),
    }
    stages = {n: copy.deepcopy(found) for n in "1234"}
    stages["1"]["answers"] = {"accepted": 90, "503": 90}
    results = {
        **dict.fromkeys(("usual", "times", "spike_seconds", "stripe_ms"), 1.0),
        "stripe_limit": 6.0,
        "stripe_limit_on_aws": 25.0,
        "waiting": {"purchases": 30, "answer": compared, "billed": compared},
        "stages": stages,
    }
    told = spike.paragraph(results)
    assert "stage 4 refused nobody, with 429 or otherwise" in told
    assert "stage 1 accepted 50 %" in told
    assert "charged once" in told
    assert "0.62 s at stage 4 (95 % of them within 3.1 s)" in told
    assert "the last confirmation came 44 s after its guest" in told
    stages["4"]["answers"] = {"accepted": 170, "429": 10}
    stages["4"]["charged_twice"] = 1
    stages["4"]["drain"]["drained_seconds"] *= 2
    results["waiting"]["answer"] = compared | {"ratio": [0.3, 0.2, 0.4]}
    told = spike.paragraph(results)
    assert "stage 4 too refused 10, which it should not" in told
    assert "1 charged twice" in told
    assert "not good to a tenth" in told
    assert "more than a tenth" in told


def outage(**four):
    """Return an outage in which all went well, but for what is given of stage 4."""
    well = {
        "answers": {
            "before": {"accepted": 40},
            "without": {"503": 42},
            "after": {"accepted": 42},
        },
        "accepted": 82,
        "confirmed": 124,
        "settled_after": 9.0,
        "dead_letters": None,
        "repeated": 0,
        **dict.fromkeys(
            ("pending", "charged_twice", "confirmed_uncharged", "charged_unconfirmed"),
            0,
        ),
        "lost": 0,
        "told_kept": 42,
        "confirmed_after_all": 42,
    }
    fine = copy.deepcopy(well) | {"accepted": 124, "dead_letters": 0, "repeated": 2}
    fine |= {"told_kept": 0, "confirmed_after_all": 0}
    fine["answers"]["without"] = {"accepted": 42}
    return {
        "rate": 0.7,
        "seconds": 180.0,
        "gone": 60.0,
        "back": 120.0,
        "settle_seconds": 120.0,
        "stages": {"1": well, "2": well, "3": well, "4": fine | four},
    }


def test_an_outage_is_told_by_whom_it_hit():
    told = stripe_outage.paragraph(outage())
    assert "refused, or had no answer: 42 at stage 1" in told
    assert "0 at stage 4" in told
    kept = "42 of 42 were told that their order is kept, and 42 got it after all"
    assert told.count(kept) == 3
    assert "each was charged once" in told
    assert "told are ordered or kept none was lost" in told
    assert "no message was given up" in told


def test_an_outage_of_which_less_was_noted_says_so():
    results = outage()
    for found in results["stages"].values():
        found.pop("told_kept", None)
    told = stripe_outage.paragraph(results)
    assert "at stage 1 42 of 42 got their order after all" in told
    assert "were told that it is kept was not noted" in told
    assert "told are ordered none was lost" in told


def test_an_outage_that_nobody_noticed_is_told_so():
    results = outage()
    results["stages"] = dict.fromkeys("1234", results["stages"]["4"])
    assert "Nobody saw an error." in stripe_outage.paragraph(results)


def test_an_outage_that_stage_4_does_not_survive_is_told_so():
    told = stripe_outage.paragraph(
        outage(charged_twice=1, pending=2, dead_letters=3, settled_after=200.0)
    )
    assert "1 charged twice at stage 4" in told
    assert "2 still pending at stage 4" in told
    assert "too late" in told
    assert "3 messages were given up" in told


def test_an_outage_is_blind_to_no_order():
    sold = [Sale(at, 0.1, "202 accepted", True, f"o{at}") for at in range(5)]
    sold += [Sale(5, 0.1, "503 kept", False, name) for name in ("late", "gone")]
    sold.append(Sale(5, 0.1, "503 away", False))
    status = ["confirmed", "declined", "pending", "failed"]  # and o4 is not there
    orders = [Order(f"o{at}", word, at, at) for at, word in enumerate(status)]
    orders += [Order(name, "confirmed", 5, 6) for name in ("late", "later")]
    charges = {"o0": 1, "late": 1, "o4": 1, "of nobody": 1, "of before": 1}
    found = stripe_outage._became(sold, orders, charges, {"of before"})
    assert found["lost"] == 3
    assert found["told_kept"] == 2
    assert found["confirmed_after_all"] == 2
    assert found["confirmed_uncharged"] == 1
    assert found["charged_unconfirmed"] == 2
    told = stripe_outage.paragraph(outage(lost=2))
    assert "2 promised and lost at stage 4" in told


def bug(**more):
    return {
        "broken": 15.0,
        "mended": 130.0,
        "redriven": 131.0,
        "rate": 1.0,
        "purchases": 60,
        "answers": {"accepted": 60},
        "accepted_p95": 31.24,
        "waited": 45,
        "in_queue_still": 0,
        "orders": 60,
        "confirmed": 60,
        "charged_once": 60,
        "settled_after": 12.0,
        "dead_letters_left": 0,
    } | more


def test_a_bug_is_told_with_what_it_left():
    told = poison.paragraph(bug())
    assert "one a second: none of 60 purchases was refused" in told
    assert "all 60 orders were confirmed, and each was charged once" in told
    assert "1 s later one redrive" in told
    assert told.endswith("No dead letter was left.")
    assert "one in twenty waited 31,240 ms or longer" in told
    told = poison.paragraph(bug(settled_after=-6.5))
    assert "By then all 60 orders were confirmed" in told
    told = poison.paragraph(bug(charged_once=59, dead_letters_left=2))
    assert "59 charged exactly once, which is not" in told
    assert "2 dead letters were left, of what was in the queue" in told


def test_the_poison_is_in_the_line_that_takes_up_a_message():
    source = REPOSITORY / "stage4_async" / "payments" / SOURCE
    bad = zipfile.ZipFile(io.BytesIO(poisoned(packed(source.read_bytes()))))
    broken = bad.read(SOURCE)
    assert b"{}[" + WORK + b"]" in broken
    compile(broken, SOURCE, "exec")
    with pytest.raises(LookupError, match="break another line"):
        poisoned(packed(b"nothing of ours"))


def packed(source):
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as package:
        package.writestr(SOURCE, source)
    return whole.getvalue()
