"""The network of locks and cores gives what is known to be right."""

from functools import partial

import msgspec
import pytest

from load_tests import readme
from load_tests.compare.load import Measured
from load_tests.intervals import Figure
from load_tests.limits.queueing import worker_throughput
from load_tests.model import prediction, report
from load_tests.model.__main__ import PART, RESULTS, levels, read, told
from load_tests.model.network import Demands, bound, throughput
from load_tests.model.prediction import (
    MONOLITH,
    SERVICES,
    Level,
    Prediction,
    by_law,
    demands,
    predictions,
    taken,
)

FEW = 1500  # visits, so that a test is quick; the chain's own noise is 2 to 3 %
NEAR = 0.06


def test_one_guest_alone_takes_what_they_compute_and_wait():
    asked = Demands({"web": 0.03}, 0.01, 0.02)
    assert throughput(asked, {"web": 1}, 1, 2, FEW) == pytest.approx(1 / 0.06, rel=NEAR)


def test_one_core_is_all_that_there_is():
    asked = Demands({"web": 0.03}, 0.02, 0.0)
    assert throughput(asked, {"web": 4}, 8, 1, FEW) == pytest.approx(20, rel=NEAR)


def test_one_worker_computes_for_one_guest_at_a_time():
    # The machine repairman, which has a closed form and a simulation of its own.
    asked = Demands({"web": 0.01}, 0.0, 0.05)
    known = worker_throughput(8, 0.01, 0.05)
    assert throughput(asked, {"web": 1}, 8, 64, FEW) == pytest.approx(known, rel=NEAR)


def test_nothing_exceeds_the_bound_and_more_workers_do_not_hurt():
    asked = Demands({"web": 0.04}, 0.014, 0.005)
    found = [throughput(asked, {"web": n}, 8, 2, FEW) for n in (1, 2, 4)]
    limits = [bound(asked, {"web": n}, 8, 2) for n in (1, 2, 4)]
    assert limits == pytest.approx([25, 2 / 0.054, 2 / 0.054])
    assert all(x < (1 + NEAR) * limit for x, limit in zip(found, limits, strict=True))
    assert found[0] < found[1] < (1 + NEAR) * found[2]


def test_the_same_seed_gives_the_same_figure():
    asked = Demands({"web": 0.04}, 0.01, 0.0)
    assert throughput(asked, {"web": 2}, 4, 2, 100) == throughput(
        asked, {"web": 2}, 4, 2, 100
    )


def turns(visits, cpu, rounds=3, generator=0.1):
    return [
        Measured(
            seconds=10.0,
            visits=visits + at / 100,
            answers={},
            errors={},
            cpu_seconds={part: visits * used for part, used in cpu.items()},
            generator_seconds=visits * generator / 100,
            idle=1.0,
            beside=0.0,
        )
        for at in range(rounds)
    ]


CPU = {"concierge": 0.04, "PostgreSQL": 0.01, "Stripe stand-in": 0.003}


def test_demands_are_cpu_time_over_visits():
    alone, busy = turns(10 / 0.07, CPU), turns(400, CPU)
    found = demands(MONOLITH, alone, busy)
    assert found.locked == pytest.approx(
        {"concierge": 0.04, "Stripe stand-in": 0.003}, rel=1e-3
    )
    assert found.free == pytest.approx(0.011, rel=1e-3)
    assert found.waits == pytest.approx(0.07 - 0.054, rel=1e-2)


def a_load(workers, guests, calibrates, what=MONOLITH):
    return Level(what=what, workers=workers, guests=guests, calibrates=calibrates)


def test_only_what_the_model_was_not_told_is_predicted():
    measured = {
        a_load(3, 1, True): turns(10 / 0.07, CPU),
        a_load(3, 4, True): turns(350, CPU),
        a_load(1, 8, False): turns(240, CPU),
        a_load(1, 8, False, SERVICES): turns(200, CPU),
    }
    (found,) = predictions(measured, 2)
    assert found.level == a_load(1, 8, False)
    assert found.predicted == pytest.approx(1 / 0.04, rel=NEAR)
    assert found.error == pytest.approx(25 / 24 - 1, abs=NEAR)
    assert found.met


def test_the_law_sees_each_number_of_workers_from_the_others():
    measured = {
        a_load(n, 8, False): turns(visits, CPU)
        for n, visits in ((1, 250), (2, 400), (3, 420), (4, 420))
    }
    assert [n for n, _, _ in by_law(measured, 8, 2)] == [1, 2, 3, 4]
    assert by_law(dict(list(measured.items())[:3]), 8, 2) == []


def test_the_loads_that_calibrate_are_not_those_that_are_predicted():
    told = {str(level) for level in levels() if level.calibrates}
    asked = {str(level) for level in levels() if not level.calibrates}
    assert not told & asked
    for workers in ("1 worker", "2 workers", "4 workers"):
        assert f"monolith, {workers}, 8 guests" in asked
    assert "services, 8 guests" in asked


@pytest.mark.parametrize(
    ("predicted", "said"),
    [
        ([10.5, 9.5], "All 2 are within 10 %"),
        ([12.0, 10.0], "1 of 2 are within 10 %. Not: monolith, 1 worker, 8 guests"),
        ([12.0, 10.0], "Too high"),
        ([8.0, 10.0], "Too low"),
        ([8.0, 12.0], "Some are too high and some too low"),
        ([], "Nothing could be predicted"),
    ],
)
def test_a_goal_that_is_missed_is_said(predicted, said):
    told = [
        Prediction(a_load(n, 8, False), x, Figure(10.0, 9.0, 11.0))
        for n, x in enumerate(predicted, start=1)
    ]
    assert said in report.verdict(told)


def with_others(turn, share):
    """Have other programs take so much of two cores, and nobody be idle."""
    ours = sum(turn.cpu_seconds.values()) + turn.generator_seconds
    idle = 1 - share - ours / turn.seconds / 2
    return msgspec.structs.replace(turn, idle=idle)


def test_others_are_neither_the_load_nor_the_stages_that_are_idle_beside_it():
    (busy,) = turns(100, {"concierge": 0.05}, rounds=1)
    busy = msgspec.structs.replace(busy, idle=0.25, generator_seconds=1.0, beside=0.8)
    assert taken(busy, 2) == pytest.approx(1 - 0.25 - (0.5 + 0.1 + 0.08) / 2)
    nobody_looked = msgspec.structs.replace(busy, beside=None)
    assert taken(nobody_looked, 2) == pytest.approx(taken(busy, 2) + 0.04)
    assert taken(msgspec.structs.replace(busy, idle=0.9), 2) == 0


CALM = {
    a_load(3, 1, True): turns(10 / 0.07, CPU, rounds=5),
    a_load(3, 4, True): turns(350, CPU, rounds=5),
}


@pytest.fixture
def few_visits(monkeypatch):
    monkeypatch.setattr(prediction, "throughput", partial(throughput, visits=FEW))


def predicted(asked, told=CALM):
    (found,) = predictions(told | {a_load(4, 8, False): asked}, 2)
    return found


@pytest.mark.usefixtures("few_visits")
@pytest.mark.parametrize("visits", [185, 900])
def test_a_disturbed_round_is_left_out_whether_it_was_slow_or_quick(visits):
    (one,) = turns(visits, {"concierge": 0.01}, rounds=1)
    asked = turns(350, CPU, rounds=3)
    found = predicted([*asked, with_others(one, 0.44)])
    assert found.judged
    assert found.measured == predicted(asked).measured
    # And one that nobody disturbed stays, however odd it is.
    kept = predicted([*asked, with_others(one, 0.01)])
    ends = (kept.measured.low, kept.measured.high)
    assert one.visits / one.seconds in ends
    assert kept.measured.estimate == pytest.approx(35, rel=0.01)


@pytest.mark.usefixtures("few_visits")
def test_what_the_model_is_told_of_is_chosen_by_the_same_rule():
    (one,) = turns(185, {"concierge": 0.1}, rounds=1)
    asked = turns(350, CPU)
    few = a_load(3, 4, True)
    told = CALM | {few: [*CALM[few], with_others(one, 0.3)]}
    assert predicted(asked, told) == predicted(asked)


@pytest.mark.usefixtures("few_visits")
def test_a_busy_machine_is_no_judge():
    """Told how many cores were left, a model would but repeat what was measured."""
    half = [with_others(turn, 0.5) for turn in turns(185, CPU)]
    found = predicted([*turns(350, CPU, rounds=2), *half])
    assert found.predicted == pytest.approx(2 / 0.054, rel=NEAR)
    assert not found.judged
    # Of a load with too few all rounds are shown, so that nothing is hidden.
    assert (found.measured.low, found.measured.high) == pytest.approx((18.5, 35.001))
    said = report.verdict([found])
    assert said.startswith("**Not judged**: any. That takes 3 undisturbed rounds")
    met = Prediction(a_load(1, 8, False), 10.0, Figure(10.0))
    said = report.verdict([met, found])
    assert said.startswith("All 1 are within 10 %")
    assert "**Not judged**: monolith, 4 workers, 8 guests." in said
    one = a_load(3, 1, True)
    disturbed = CALM | {one: [with_others(turn, 0.2) for turn in CALM[one]]}
    assert not predicted(turns(350, CPU), disturbed).judged
    assert not predicted(turns(350, CPU, rounds=2)).judged


def slower(turn, times):
    """The same round on a machine that computes so many times as long."""
    used = {part: times * cpu for part, cpu in turn.cpu_seconds.items()}
    return msgspec.structs.replace(
        turn, cpu_seconds=used, generator_seconds=times * turn.generator_seconds
    )


@pytest.mark.usefixtures("few_visits")
def test_how_slow_the_machine_was_is_reckoned_with():
    usual, slow = turns(350, CPU), [slower(turn, 1.5) for turn in turns(230, CPU)]
    assert predicted(slow).predicted == pytest.approx(
        predicted(usual).predicted / 1.5, rel=0.03
    )
    few = a_load(3, 4, True)
    told = CALM | {few: [slower(turn, 1.5) for turn in turns(230, CPU, rounds=5)]}
    assert predicted(usual, told).predicted == pytest.approx(
        predicted(usual).predicted, rel=0.03
    )
    # Its throughput alone says nothing.
    assert predicted(turns(100, CPU)).predicted == pytest.approx(
        predicted(usual).predicted, rel=0.01
    )
    assert "took 1.0 to 1.5 ms of CPU" in report.speed(
        {few: usual, a_load(1, 1, True): slow}
    )


@pytest.mark.usefixtures("few_visits")
def test_what_idle_stages_take_beside_is_not_there_for_the_stage():
    beside = CALM | {
        level: [msgspec.structs.replace(turn, beside=1.0) for turn in each]
        for level, each in CALM.items()
    }
    asked = turns(350, CPU)
    assert predicted(asked, beside).predicted == pytest.approx(
        0.95 * predicted(asked).predicted, rel=0.03
    )


def test_what_was_left_out_is_said_and_why():
    level = a_load(4, 8, False)
    calm = turns(350, CPU, rounds=4)
    loud = [*calm[:3], with_others(calm[3], 0.44)]
    assert "0 of 4 were: others took up to 0.0 %" in report.disturbance(
        {level: calm}, 2
    )
    said = report.disturbance({level: loud}, 2)
    assert "1 of 4 were: others took up to 44.0 %, at the median 0.0 %." in said
    assert "The generator is none of them, nor are the stages" in said
    old = [msgspec.structs.replace(turn, beside=None) for turn in calm]
    assert "Nobody looked here" in report.disturbance({level: old}, 2)


def test_the_readme_tells_what_is_saved():
    assert readme.told(PART) == told(*read(RESULTS / "model" / "result.json")).strip()


def test_the_report_and_its_picture(tmp_path):
    measured = {
        a_load(3, 1, True): turns(10 / 0.07, CPU),
        a_load(3, 4, True): turns(350, CPU),
        a_load(1, 8, False): turns(240, CPU),
    }
    told = predictions(measured, 2)
    machine = {"measured": "today", "commit": "c", "cpu": "x", "cores": "2"}
    words = report.markdown(machine, measured, told, [(1, 25.0, 0.04)])
    assert "| monolith, 1 worker, 8 guests |" in words
    assert "| 3 of 3 |" in words
    assert "| 1 | 25.00 | +4.0 % |" in words
    report.draw(measured, told, tmp_path / "model.png")
    assert (tmp_path / "model.png").stat().st_size > 1000
