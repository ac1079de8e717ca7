"""The experiments of lesson 4: what they reckon, break and tell, when it is bad too."""

from __future__ import annotations

import copy
import io
import zipfile

import pytest

from load_tests.experiments import poison, sales, spike, stripe_outage
from load_tests.experiments.backstage4 import SOURCE, WORK, poisoned
from load_tests.experiments.sales import Order, Sale
from load_tests.limits.settings import REPOSITORY


def test_an_answer_is_what_its_guest_makes_of_it():
    labels = ["202 accepted", "503 Stripe: away", "429", "no answer: TimeoutError"]
    told = [sales.kind(Sale(0, 1, label, label.startswith("2"))) for label in labels]
    assert told == ["accepted", "503", "429", "no answer"]


def test_things_are_done_at_their_times_and_a_failure_is_told():
    done = []
    with sales.timetable(
        (0, lambda: done.append(1)), (0, lambda: done.append(2))
    ) as at:
        pass
    assert done == [1, 2]
    assert len(at) == 2
    with pytest.raises(ZeroDivisionError), sales.timetable((0, lambda: 1 / 0)):
        pass


def drained(mu, usual=0.6, times=10):
    """Return what the spike makes of a line with so many finished a second."""
    when = spike._when(spike.AFTER_SECONDS)
    free, orders = 0.0, []
    for at in when:
        free = max(free, at) + 1 / mu
        orders.append(Order("o", "confirmed", at, free))
    return spike._drain([Sale(at, 0.1, "202 accepted", True) for at in when], orders, 0)


@pytest.mark.parametrize("mu", [2.5, 3.0, 4.0])
def test_a_queue_of_one_line_drains_as_it_is_reckoned(mu):
    found = drained(mu)
    assert found["mu"] == pytest.approx(mu, rel=0.03)
    assert found["lambda"] == pytest.approx(spike.USUAL, rel=0.03)
    assert found["drained_seconds"] == pytest.approx(found["reckoned_seconds"], rel=0.1)


def test_a_spike_that_stage_4_refuses_is_told_so():
    compared = {"p50_4": 0.05, "p50_3": 0.8, "ratio": [0.06, 0.05, 0.07]}
    found = {
        "answers": {"accepted": 180},
        "spike": 180,
        "not_confirmed": 0,
        "charged_twice": 0,
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
    }
    fine = copy.deepcopy(well) | {"accepted": 124, "dead_letters": 0, "repeated": 2}
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
    assert "stage 1 refused 42" in told
    assert "stage 4 refused 0" in told
    assert "42 at stage 1" in told
    assert "each was charged once" in told
    assert "no message was given up" in told


def test_an_outage_that_stage_4_does_not_survive_is_told_so():
    told = stripe_outage.paragraph(
        outage(charged_twice=1, pending=2, dead_letters=3, settled_after=200.0)
    )
    assert "1 charged twice at stage 4" in told
    assert "2 still pending at stage 4" in told
    assert "too late" in told
    assert "3 messages were given up" in told


def bug(**more):
    return {
        "broken": 15.0,
        "mended": 130.0,
        "redriven": 131.0,
        "rate": 1.0,
        "purchases": 60,
        "answers": {"accepted": 60},
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
    told = poison.paragraph(bug(charged_once=59, dead_letters_left=2))
    assert "59 charged exactly once, which is not" in told
    assert told.endswith("2 dead letters were left.")


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
