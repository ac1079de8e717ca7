"""Each experiment is listed, drawn and told from what is saved, also when it loses."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
import threading
import types
from contextlib import contextmanager, nullcontext

import pytest
import requests

from load_tests.experiments import (
    archive,
    broken_commit,
    idle_cost,
    lab,
    memory,
    pages,
    scale_out,
    security_patch,
    slow_dependency,
    watching,
)
from load_tests.experiments.__main__ import REPOSITORY, listed
from load_tests.experiments.lab import BusyError, alone
from load_tests.experiments.registry import EXPERIMENTS, named
from sandbox.runner import RunningStage
from sandbox.runner.state import Places, write_state
from tests.meta.pages import anchors

NAMES = [experiment.name for experiment in EXPERIMENTS]
each_experiment = pytest.mark.parametrize("experiment", EXPERIMENTS, ids=NAMES)


def test_no_two_experiments_have_the_same_name():
    assert len(set(NAMES)) == len(NAMES)


@each_experiment
def test_the_list_has_its_claim(experiment):
    [line] = [
        line for line in listed().splitlines() if line.split()[:1] == [experiment.name]
    ]
    assert line.endswith(experiment.claim)
    # Who starts all four stages takes longer.
    assert 0 < experiment.seconds <= (300 if len(experiment.stages) < 4 else 600)


@each_experiment
def test_the_readme_has_its_claim(experiment):
    readme = (REPOSITORY / "load_tests" / "README.md").read_text()
    lesson = f"(../{experiment.page})"
    assert f"| `{experiment.name}` | {experiment.claim} | " in readme
    assert lesson in readme


@each_experiment
def test_its_claim_has_a_page(experiment):
    path, _, heading = experiment.page.partition("#")
    assert heading in anchors((REPOSITORY / path).read_text())


@each_experiment
def test_the_page_tells_what_the_saved_results_say(experiment):
    page = (REPOSITORY / experiment.page.partition("#")[0]).read_text()
    found = archive.saved(experiment.name)["results"]
    wrong = f"make experiment NAME={experiment.name} REDRAW=yes tells it again"
    assert pages.told(page, experiment.name) == experiment.paragraph(found), wrong


@each_experiment
def test_a_plot_is_made_of_saved_results(experiment, tmp_path):
    found = archive.saved(experiment.name)
    archive.save(found, experiment.plot, tmp_path / "again")
    assert json.loads((tmp_path / "again.json").read_text()) == found
    assert (tmp_path / "again.png").read_bytes().startswith(b"\x89PNG")


@each_experiment
def test_the_saved_results_say_where_and_when(experiment):
    found = archive.saved(experiment.name)
    assert found["experiment"] == experiment.name
    assert {"measured", "commit", "cpu", "cores"} <= found["machine"].keys()


def test_a_page_is_told_again():
    page = "# T\n\n![A plot](../results/experiments/one.png)\n\nOld\nwords.\n\nMore.\n"
    new = pages.retold(page, "one", "New words.")
    assert new == page.replace("Old\nwords.", "New words.")
    assert pages.told(new, "one") == "New words."
    assert pages.retold(page, "other", "New words.") == page
    assert pages.told(page, "other") is None


def test_a_page_may_end_with_a_paragraph():
    page = "![A plot](results/experiments/one.png)\n\nOld\nwords.\n"
    assert pages.retold(page, "one", "New.").endswith("one.png)\n\nNew.\n")


def test_a_paragraph_may_have_a_list_in_its_middle():
    plot = "![A plot](../results/experiments/one.png)\n\n"
    long = " ".join(["word"] * 60)
    paragraph = f"First:\n\n* {long};\n* two.\n\nSo {long}."
    page = f"{plot}Old.\n\nMore.\n"
    new = pages.retold(page, "one", paragraph)
    assert pages.told(new, "one") == paragraph
    assert all(len(line) <= pages.WIDTH for line in new.splitlines())
    assert pages.retold(new, "one", "Old.") == page


def test_only_one_experiment_runs_at_a_time(tmp_path):
    lock = tmp_path / "experiments" / "lock"
    with alone(lock), pytest.raises(BusyError, match=r"pid \d+.*Ctrl-C"), alone(lock):
        pass
    with alone(lock):
        pass


def test_a_stage_that_is_up_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(lab, "RUN_ROOT", tmp_path)
    assert lab.running_beside() == []
    up = RunningStage(1, "stage1", "", "/v1", "bearer", "", None, os.getpid())
    write_state(Places(tmp_path, "stage1"), up)
    assert lab.running_beside() == ["stage1"]


def test_an_unknown_name_is_told_which_there_are():
    done = subprocess.run(
        [sys.executable, "-m", "load_tests.experiments", "nothing"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "'nothing'" in done.stderr
    assert NAMES[0] in done.stderr


def test_the_month_of_nobody_is_told_as_it_is():
    experiment = named("idle-cost")
    found = archive.saved("idle-cost")["results"]
    assert "next to nothing" in experiment.paragraph(found)
    dear = copy.deepcopy(found)
    dear["totals"]["3"] = [250.0 for _ in found["users"]]
    dear["totals"]["4"] = [251.0 for _ in found["users"]]
    told = experiment.paragraph(dear)
    assert "next to nothing" not in told
    assert "Nothing is as cheap here as the monolith" in told


def asked(ill: float = 0.0, seconds: float = 10.0) -> list[list[float]]:
    """A guest who asks once a second, and gets nothing for a while."""
    return [
        [float(at), 503 if 2 <= at < 2 + ill else 200, 0.1]
        for at in range(int(seconds))
    ]


def watched(**down: float) -> dict:
    names = ("chat", "buy", "browse", "my orders")
    asks = {name: asked(down.get(name.replace(" ", "_"), 0.0)) for name in names}
    return {"asks": asks, "marks": [["begins", 2.0], ["ends", 8.0]]}


EVERYTHING = dict.fromkeys(("chat", "buy", "browse", "my_orders"), 5.0)


def test_downtime_lasts_from_a_failure_to_the_next_answer():
    assert watching.down_seconds(asked(ill=3)) == 3.1
    assert watching.down_seconds([[0.0, 200, 0.1], [1.0, None, 3.0]]) == 3.0
    assert watching.what_was_down(watched()["asks"]) == "nothing was down"
    assert "everything" in watching.what_was_down(watched(**EVERYTHING)["asks"])
    assert "only chat" in watching.what_was_down(watched(chat=2)["asks"])


def test_a_downtime_of_which_nobody_saw_the_end_is_told_as_at_least():
    def told(*names):
        asks = watched()["asks"]
        for name in names:
            asks[name] += [[10.0, None, 3.0], [13.5, 503, 0.1]]
        return watching.what_was_down(asks)

    assert told("chat").startswith("only chat was down, for 3.6 s at least")
    assert "chat and buy were down, for 3.6 s at least" in told("chat", "buy")
    assert "at most" not in told("chat", "buy")
    seen = watched(chat=2, buy=3)["asks"]
    assert watching.what_was_down(seen) == "chat and buy were down, for 3.1 s at most"


def test_it_is_asked_on_until_everybody_was_answered(monkeypatch):
    monkeypatch.setattr(watching, "OPEN_SECONDS", 20.0)
    asks = [[0.0, 503, 0.1]]
    answered = threading.Timer(0.3, asks.append, ([0.5, 200, 0.1],))
    answered.start()
    watching._closed([asks])
    assert not watching.still_down(asks)
    monkeypatch.setattr(watching, "OPEN_SECONDS", 0.0)
    watching._closed([[[0.0, 503, 0.1]]])


def test_a_failure_that_spreads_is_told_so():
    tell = named("kill-nlu").paragraph
    results = {"hang_seconds": 8, "cap_seconds": 3}
    one = watched(**EVERYTHING)
    stayed = {"1": one, "2": watched(chat=5), "3": watched(chat=5)}
    assert "stayed where it was" in tell(results | {"watched": stayed})
    spread = {"1": one, "2": watched(chat=5, buy=5), "3": watched(chat=5)}
    told = tell(results | {"watched": spread})
    assert "At stage 2 it did not stay where it was" in told
    assert "Guests of stage 3 kept" in told
    nothing = {"1": watched(chat=5), "2": watched(chat=5), "3": watched(chat=5)}
    assert "lost no more than the others" in tell(results | {"watched": nothing})


def test_a_patch_tells_who_had_more_to_do():
    ways = {
        title: watched() | {"seconds": seconds, "replaced": []}
        for title, seconds in (
            (security_patch.STOPPED, 5.0),
            (security_patch.ROLLED, 6.0),
            (security_patch.ONE, 6.0),
            (security_patch.ALL, 30.0),
            (security_patch.FUNCTION, 3.0),
        )
    }
    ways[security_patch.STOPPED] |= watched(**EVERYTHING)
    told = named("security-patch").paragraph({"ways": ways})
    assert "having one copy and no load balancer" in told
    assert "*more* work" in told
    assert "without a failure" in told
    ways[security_patch.FUNCTION] |= watched(buy=2)
    ways[security_patch.ROLLED] |= watched(buy=2) | {"seconds": 60.0}
    told = named("security-patch").paragraph({"ways": ways})
    assert "no measure of Amazon's" in told
    assert "not more work" in told
    assert "guests of the monolith noticed" in told


def test_a_broken_commit_tells_where_nobody_looked():
    deployed = {"marks": [["Sam ships", 1.0], ["taken back", 6.0]], "alex_ships": True}
    ways = {
        broken_commit.STOPPED: watched(**EVERYTHING) | {"alex_ships": False},
        broken_commit.ROLLED: watched() | {"alex_ships": False},
        broken_commit.SERVICES: watched() | {"alex_ships": True},
        broken_commit.FUNCTIONS: watched(chat=4) | deployed,
    }

    def tell():
        return named("broken-commit").paragraph({"ways": ways})

    assert "The newer stage lost here" in tell()
    assert "taken back after 5 s" in tell()
    assert "the chat answered again when" in tell()
    assert "has no downtime, monolith or not" in tell()
    assert "Sam's line is not in" not in tell()
    ways[broken_commit.FUNCTIONS] = watched(chat=8, browse=2, buy=1) | deployed
    assert "had not answered yet 3 s later, when we looked no longer" in tell()
    assert "Sam's line is not in what answers buy and browse" in tell()
    ways[broken_commit.FUNCTIONS] = watched() | deployed | {"alex_ships": False}
    assert "newer stage lost" not in tell()
    assert "function of `nlu` deployed: nothing was down, and Alex cannot" in tell()
    ways[broken_commit.SERVICES] = watched(chat=2) | {"alex_ships": True}
    assert "no downtime" not in tell()
    assert "Sam's commit stands in it" in tell()
    ways[broken_commit.SERVICES] = watched() | {"alex_ships": False}
    assert "and only there was not seen this time" in tell()


@pytest.mark.parametrize(
    ("said", "ships"),
    [([503, requests.ConnectionError(), 200], True), ([503] * 1000, False)],
)
def test_alex_has_shipped_when_the_catalogue_answers(monkeypatch, said, ships):
    class Clock:
        now = 0.0

        def monotonic(self):
            return self.now

        def sleep(self, seconds):
            self.now += seconds

    class Catalogue:
        def get(self, path, timeout):
            answer = said.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return types.SimpleNamespace(ok=answer == 200)

    monkeypatch.setattr(broken_commit, "time", Clock())
    assert broken_commit._answers(Catalogue()) == ships


def test_memory_tells_whether_the_split_saves():
    found = archive.saved("memory")["results"]
    tell = named("memory").paragraph
    largest = "strong" if "strong" in found["told"] else "light"
    for services, words in ((1.0, "are cheaper"), (9999.0, "does not save money")):
        changed = copy.deepcopy(found)
        for each in changed["told"][largest]["2"]:
            each["dollars"] = services
        assert tell(changed).count(words) == len(memory.TOLD_USERS)


@pytest.mark.parametrize(
    ("seen", "found"),
    [
        ([[99, 9], [150, 50], [151, 51], [1, 1]], [151, 51]),  # it is steady then
        ([[100 * 2**go] for go in range(9)], [100 * 2**5]),  # it never is
    ],
)
def test_memory_is_read_when_it_grows_no_more(seen, found):
    visits, left = [], [*seen]
    assert memory.at_rest(lambda: visits.append(1), lambda: left.pop(0)) == found
    assert len(visits) == len(seen) - len(left)


def test_a_slow_dependency_tells_what_being_careful_costs():
    def tried(bought: int, waited: float) -> dict:
        buys = [[5.0, 200 if at < bought else 503, 2.0] for at in range(10)]
        asks = {"buy": buys, "my orders": [[5.0, 200, waited]]}
        return {"asks": asks, "marks": [["slow", 2.0], ["as usual", 22.0]]}

    tell = named("slow-dependency").paragraph
    results = {"slow_seconds": 5, "buyers": 12}
    told = tell(results | {"watched": {"on": tried(0, 0.1), "off": tried(8, 12.0)}})
    assert "every thread of `checkout`" in told
    assert "has its price" in told
    told = tell(results | {"watched": {"on": tried(8, 0.1), "off": tried(8, 0.1)}})
    assert "did not help" in told
    assert "cost no sale" in told


def test_slow_is_marked_while_it_is_in_force(monkeypatch):
    happened = []

    @contextmanager
    def slow(running, service):
        happened.append("the gateway follows")
        yield
        happened.append("it is told otherwise")

    class Watching:
        def __init__(self, running, crowd, cap): ...

        def during(self, happen, before, after):
            happen(happened.append)
            marks = [["slow", 2.0], ["as usual", 22.0]]
            return {"asks": {"buy": [[5.0, 200, 2.0]]}, "marks": marks}

    class Laboratory:
        stage = staticmethod(lambda number, env: nullcontext())
        say = staticmethod(lambda words: None)

    monkeypatch.setattr(slow_dependency, "slow", slow)
    monkeypatch.setattr(slow_dependency, "Watch", Watching)
    monkeypatch.setattr(slow_dependency, "LAST_SECONDS", 0.0)
    slow_dependency._tried(Laboratory(), "on")
    first, last = "the gateway follows", "it is told otherwise"
    assert happened == [first, "slow", "as usual", last]


def test_copies_that_bring_nothing_are_told_so():
    def law(error: float) -> dict:
        return {"held_out": [[1, 10.0, error]], "fitted": [10.0] * 6}

    results = {
        "copies": [1, 2, 3, 4, 5, 6],
        "rounds": 1,
        "stripe_ms": 250,
        "threads_a_copy": 8,
        "cores": 2,
        "generator_share": {"products": 0.62, "purchases": 0.1},
        "rates": {
            "products": [[100.0]] * 6,
            "purchases": [[10.0], [20.0], [30.0], [40.0], [50.0], [60.0]],
        },
        "law": {"products": law(0.02), "purchases": law(-0.04)},
    }
    tell = named("scale-out").paragraph
    told = tell(results)
    assert "scaling out works" in told
    assert "do not make more processors" in told
    assert "share the two cores that there are" in told
    assert "took up to 62% of one" in told
    assert "may be trusted" in told
    assert "was 100 a second with one copy, and 100 with six: more" in told
    results["rates"]["products"] = [[float(at)] for at in (100, 150, 140, 130, 120, 90)]
    results["generator_share"] = {"products": 0.2, "purchases": 0.6}
    told = tell(results)
    assert "one copy, 150 with two at best (1.5 times), and 90 with six: more" in told
    assert "took up to 20% of one" in told
    results["rates"]["products"] = [[100.0 * at] for at in range(1, 7)]
    assert "600 with six at best (6.0 times): even that grew" in tell(results)
    results["rates"]["purchases"] = [[10.0]] * 6
    results["law"]["purchases"] = law(0.5)
    told = tell(results)
    assert "brought nothing" in told
    assert "nobody should extrapolate" in told


def test_no_number_of_copies_is_always_the_first():
    up, down = scale_out._turn(0), scale_out._turn(1)
    assert up == down[::-1]
    assert [copies for _, copies in up] == list(scale_out.COPIES)
    assert scale_out.ROUNDS >= 5


def test_a_chain_that_wins_is_told_so():
    way = {"p50_ms": [2.0, 9.0], "p99_ms": [5.0, 30.0], "failed": [10, 80]}
    function = {"p50_ms": [2.0, 2.0], "p99_ms": [5.0, 5.0], "failed": [10, 10]}
    ratio = {"estimate": 0.8, "low": 0.7, "high": 0.9}
    results = {
        "lengths": [1, 8],
        "calls": 1000,
        "fails": 0.01,
        "ways": {"links": way, "functions": function},
        "visits": {"ratio": ratio, "measured": "2026-11-23"},
    }
    tell = named("split-tax").paragraph
    assert "each link adds 1.0 ms" in tell(results)
    assert "the monolith wins" in tell(results)
    ratio |= {"estimate": 1.2, "low": 1.1, "high": 1.3}
    assert "the split wins" in tell(results)
    ratio |= {"low": 0.9}
    assert "no difference" in tell(results)
    ratio |= {"low": None, "high": None}
    assert "in one round, which cannot tell who wins" in tell(results)


def test_cold_starts_say_what_a_laptop_cannot_show():
    function = {"name": "nlu-api", "guests": True, "init_told": False}
    results = {
        "published_ms": [71, 142],
        "functions": [function | {"cold_ms": [900.0], "warm_ms": [30.0]}],
    }
    tell = named("cold-start").paragraph
    assert "30 times as long" in tell(results)
    assert "cannot show" in tell(results)
    results["functions"][0]["cold_ms"] = [31.0]
    assert "hardly a difference" in tell(results)


def test_the_saved_bill_of_nobody_is_the_one_that_is_reckoned_today():
    class Laboratory:
        say = staticmethod(lambda words: None)

    again = "make experiment NAME=idle-cost SAVE=yes"
    assert idle_cost.run(Laboratory()) == archive.saved("idle-cost")["results"], again
