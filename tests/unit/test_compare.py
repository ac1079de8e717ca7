"""A comparison of made-up figures: what it says, and when it says nothing."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from itertools import pairwise

import pytest

from load_tests import readme
from load_tests.answers import WrongAnswer
from load_tests.bench.load import LoadError
from load_tests.compare import (
    agreement,
    pictures,
    processes,
    rounds,
    stages,
    tables,
)
from load_tests.compare.__main__ import AGAIN, PART, RESULTS, in_readme
from load_tests.compare.conclusions import paragraphs
from load_tests.compare.generator import within
from load_tests.compare.load import Measured
from load_tests.compare.page import page
from load_tests.compare.processes import Held, part_of
from load_tests.compare.result import (
    Result,
    StageResult,
    curve,
    pooled,
    times,
    turn,
)
from load_tests.compare.summary import summaries
from load_tests.compare.visits import BOUGHT, CHECKOUT, KINDS, ORDER, Visitor
from load_tests.costs import figures
from sandbox.runner import RunningStage
from sandbox.runner.state import Places, write_state

MACHINE = {"measured": "2026-11-23", "commit": "c0ffee", "cpu": "a CPU", "cores": "2"}


def measured(
    visits=60.0, milliseconds=40.0, cpu=5.0, generator=0.5, errors=None, idle=0.3
):
    """What the generator may tell of ten seconds."""
    answers = {kind: [milliseconds / 1000] * 10 for kind in KINDS}
    return Measured(
        seconds=10.0,
        visits=visits,
        answers=answers | {BOUGHT: [3 * milliseconds / 1000] * 10},
        errors=errors or {},
        cpu_seconds={"concierge": cpu, "PostgreSQL": 1.0},
        generator_seconds=generator,
        idle=idle,
    )


WORKER = Held(part="concierge", resident=90.0, unique=60.0)


def stage(turns, memory=(WORKER,)):
    answers = pooled(turns)
    return StageResult(
        turns=[turn(number, each) for number, each in enumerate(turns, start=1)],
        pooled={kind: times(took) for kind, took in answers.items()},
        curve=curve(answers[BOUGHT]),
        memory=list(memory),
        workers=2,
        start_seconds=5.0,
        idle_share=0.01,
    )


def result(stages, **more):
    known = {
        "machine": MACHINE,
        "guests": 4,
        "seconds": 10.0,
        "warm_up_seconds": 2.0,
        "rounds": 5,
        "cores": 1,
        "took_seconds": 300.0,
        "interrupted": False,
        "beside": [],
        "stages": stages,
    }
    return Result(**(known | more))


def four_stages(**more):
    """The newer, the slower; a little different in each round."""
    return result(
        {
            number: stage(
                [
                    measured(60 / number + at / 10, 40 * number, 5 + at / 100)
                    for at in range(5)
                ]
            )
            for number in (1, 2, 3, 4)
        },
        **more,
    )


def told(of):
    return "\n".join(paragraphs(of, summaries(of)))


# Rounds


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 9])
def test_each_has_each_place_and_comes_after_each_other_equally_often(count):
    those = list(range(count))
    whole = count * (2 if count % 2 else 1)
    orders = [rounds.order(those, number) for number in range(1, 2 * whole + 1)]
    assert all(sorted(each) == those for each in orders)
    for place in zip(*orders, strict=True):
        assert set(Counter(place).values()) == {2 * whole // count}
    after = Counter(pair for each in orders for pair in pairwise(each))
    assert len(after) == count * (count - 1)
    assert len(set(after.values())) <= 1


def test_rounds_take_turns():
    seen = []

    def load(number):
        seen.append(number)
        return measured()

    found = rounds.measure([1, 2], 2, load, lambda number: [], lambda words: None)
    assert seen == [1, 2, *(1, 2), *(2, 1)]  # the first does not count
    assert [number for number, _ in found.turns[2]] == [1, 2]
    assert not found.interrupted


@pytest.mark.parametrize("ends", [KeyboardInterrupt(), LoadError("it broke")])
def test_what_was_measured_before_an_end_is_kept(ends):
    left = [measured()] * 5

    def load(number):
        if not left:
            raise ends
        return left.pop()

    words = []
    found = rounds.measure([1, 2], 5, load, lambda number: [], words.append)
    assert {number: len(turns) for number, turns in found.turns.items()} == {1: 1, 2: 2}
    assert found.interrupted == isinstance(ends, KeyboardInterrupt)
    assert "Ended early" in words[-1]


# Figures


@pytest.mark.parametrize(
    ("begun", "done", "part"),
    [(2, 4, 1), (0, 2, 0.5), (9, 11, 0.5), (0, 0.5, 0), (11, 12, 0), (0, 12, 0.75)],
)
def test_a_visit_counts_by_its_part_within(begun, done, part):
    assert within(begun, done, 1, 10) == pytest.approx(part)


def test_figures_of_a_stage():
    found = summaries(four_stages())
    assert found[1].figures["visits"].estimate == pytest.approx(6.02, abs=0.01)
    assert found[1].figures["requests"].estimate == pytest.approx(5.0)
    assert found[1].figures["cpu a request"].estimate == pytest.approx(120.4, abs=0.1)
    assert found[1].core_share == pytest.approx(0.602)
    assert found[1].idle_share == pytest.approx(0.3)
    assert found[1].others_share == pytest.approx(0.098)
    assert found[1].generator_share == pytest.approx(0.05)
    assert found[1].ratios == {}
    assert found[2].ratios["visits"].estimate == pytest.approx(0.502, abs=0.001)
    assert found[2].ratios["visits"].below
    assert found[2].ratios["p50 products"].estimate == pytest.approx(2.0)


def test_more_of_the_quick_requests_make_no_stage_quicker():
    """Stage 4's guests ask how their order is, again and again; that is quick."""
    asks = measured()
    asks.answers[ORDER] = [0.001] * 200
    of = result({1: stage([measured()] * 3), 4: stage([asks] * 3)})
    found = summaries(of)[4]
    assert found.ratios["requests a visit"].estimate > 4
    for name in set(tables.COMPARED) - {"visits", "cpu a visit"}:
        assert found.ratios[name].estimate == pytest.approx(1.0), name
    assert not [name for name in tables.COMPARED if "request" in name]


def test_only_rounds_that_both_had_are_compared():
    of = result({1: stage([measured(), measured(30)]), 2: stage([measured()])})
    assert summaries(of)[2].ratios["visits"].estimate == pytest.approx(1.0)


def test_a_stage_of_which_no_visit_came_to_an_end_has_no_ratio():
    of = result({1: stage([measured()]), 3: stage([measured(0.0, errors={"503": 9})])})
    found = summaries(of)[3]
    assert "visits" not in found.ratios
    assert found.errors == 9
    assert "9 of 50 answers of stage 3 were wrong" in told(of)
    assert tables.markdown(of, summaries(of))


# What it says


def test_the_newer_stage_is_said_to_lose_where_it_loses():
    words = told(four_stages())
    assert (
        "Stage 2 (services) makes fewer visits a second than the monolith: 0.50 times"
    ) in words
    assert words.count("On one machine it loses on all counts.") == 3


def test_the_newer_stage_is_said_to_win_where_it_wins():
    fast = [measured(200 + at, 10, 1.0) for at in range(5)]
    slow = [measured(60 + at, 40, 5.0) for at in range(5)]
    words = told(result({1: stage(slow), 2: stage(fast)}))
    assert "makes more visits a second than the monolith" in words
    assert "A visit takes less CPU" in words
    assert "loses" not in words


def test_no_difference_is_called_one_when_the_intervals_hold_1():
    ours = [measured(60 + at) for at in (0, 3, -3, 1, -1)]
    theirs = [measured(60 + at) for at in (1, -3, 3, 0, -1)]
    assert "These rounds cannot tell whether stage 2 (services) makes more or" in told(
        result({1: stage(theirs), 2: stage(ours)})
    )


def test_a_core_that_others_used_is_said_and_one_that_was_idle():
    words = told(four_stages())
    assert "Other programs of this machine took 10 % of stage 1's" in words
    assert "Its core was idle for 30 % of the time" in words
    calm = told(result({n: stage([measured(idle=0.4)] * 5) for n in (1, 2)}))
    assert "Other programs" not in calm


def test_asynchronous_is_said_not_to_be_cheaper():
    assert "asynchronous is not cheaper" in told(four_stages())


def test_what_a_laptop_cannot_show_of_functions_is_said():
    assert "say nothing about Lambda's" in told(four_stages())
    assert "Lambda" not in told(result({1: stage([measured()] * 5)}))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"interrupted": True}, "Ended early"),
        ({"beside": ["stage1"]}, "stage1 ran beside them"),
        ({"cores": 0}, "shared all cores"),
        ({"cores": 0}, "all on the cores that everything here shared"),
        ({"cores": 0}, "The cores, which all shared, were idle for 30 %"),
        ({"cores": 1}, "had one core for all its processes"),
        ({"cores": 1}, "all on the one core that the monolith had to itself"),
        ({"cores": 1}, "Its core was idle for 30 %"),
    ],
)
def test_how_it_was_measured_is_said(more, said):
    assert said in told(four_stages(**more))


def test_nobody_has_a_core_of_their_own_where_all_are_shared():
    of = four_stages(cores=0)
    shared = told(of) + tables.markdown(of, summaries(of))
    for words in ("Its core", "its core:", "one core that", "had one core"):
        assert words not in shared


def test_few_rounds_and_a_busy_generator_are_said():
    words = told(result({1: stage([measured(generator=8.0)])}))
    assert "With one round the intervals are wide or missing" in words
    assert "it limits the fastest stage" in words


def with_services():
    sizes = {"nlu": 70.0, "catalog": 40.0, "identity": 35.0, "checkout": 45.0}
    services = [Held(part=p, resident=u + 20, unique=u) for p, u in sizes.items()]
    return result({1: stage([measured()]), 2: stage([measured()], services)})


def test_what_a_worker_holds_is_said():
    words = told(with_services())
    assert "A worker of the monolith holds 60 MiB" in words
    assert "nlu holds 70, the others 35 to 45" in words


def test_nlu_is_said_to_need_a_larger_instance_only_where_the_bill_gives_it_one(
    monkeypatch,
):
    of = with_services()
    assert "puts each of them on the smallest instance, t3.nano." in told(of)
    strong = figures.services("strong")
    monkeypatch.setattr(figures, "services", lambda: strong)
    assert "puts only nlu (t3.small) on more than the smallest instance" in told(of)
    assert "each of them" not in told(of)


# Tables, pictures, the page


def test_the_table_has_a_column_for_each_stage_and_a_dash_for_what_is_missing():
    of = result({1: stage([measured()]), 3: stage([measured(0.0, errors={"x": 1})])})
    lines = tables.markdown(of, summaries(of)).splitlines()
    assert lines[0] == "|  | 1 monolith | 3 serverless |"
    assert "| visits a second | 6.00 | – |" in lines


def test_the_page_needs_no_other_file_and_escapes_what_it_shows(tmp_path):
    of = four_stages(machine=MACHINE | {"commit": "<script>alert(1)</script>"})
    found = summaries(of)
    drawn = pictures.draw(of, found, tmp_path)
    words = page(of, found, drawn)
    assert len(drawn) == words.count('src="data:image/png;base64,') == 3
    assert not re.findall(r'(?:src|href)="(?!data:)', words)
    assert "<script>" not in words
    assert "Stage 2 (services) makes" in words
    assert words.count("<table") == words.count("</table>") > 5


def test_what_is_in_parts_is_shown_in_groups():
    found = pictures.grouped({"identity": 1, "nlu": 2, "MiniStack": 3, "Redis": 4})
    assert found[pictures.PRODUCT] == 3
    assert sum(found.values()) == 10


# Two comparisons


def test_two_comparisons_agree_when_their_intervals_meet(tmp_path):
    one = four_stages()
    (tmp_path / "one.json").write_text(json.dumps(_plain(one)))
    before = agreement.read(tmp_path / "one.json")
    found = agreement.pairs(one, before)
    assert len(found) == 3 * len(tables.COMPARED)
    assert all(pair.agree for pair in found)
    assert "30 of 30 ratios agree" in agreement.markdown(found)


def test_two_comparisons_that_differ_are_said_to():
    one = four_stages()
    other = result(
        {
            1: stage([measured(60 + at) for at in range(5)]),
            2: stage([measured(90 + at) for at in range(5)]),
        }
    )
    found = agreement.pairs(one, other)
    assert "**no**" in agreement.markdown(found)
    assert not next(pair for pair in found if pair.what == "visits").agree


def test_what_is_no_comparison_is_refused(tmp_path):
    (tmp_path / "x.json").write_text("{}")
    for file in ("x.json", "missing.json"):
        with pytest.raises(agreement.UnreadableError, match=file):
            agreement.read(tmp_path / file)


def _plain(of):
    import msgspec

    return msgspec.to_builtins(of, str_keys=True)


# Processes

FUNCTION = "ministack-lambda-concierge-local"


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ("python gunicorn concierge.app:create_app()", "concierge"),
        ("python gunicorn --config nlu/gunicorn.conf.py nlu.app:create_app()", "nlu"),
        (f"python /tmp/{FUNCTION}-checkout-api-8f/_worker.py", "function checkout-api"),
        ("postgres: checkpointer", "PostgreSQL"),
        ("python -m sandbox.stripe", "Stripe stand-in"),
        ("python /x/sandbox/aws/server.py", "MiniStack"),
        ("nginx: worker process", "nginx"),
        ("sleep 5", "what is above"),
    ],
)
def test_a_process_is_known_by_its_words(words, part):
    assert part_of(words, "what is above") == part


# A visit


class Reply:
    def __init__(self, status, body, location=""):
        self.status_code, self._body, self._location = status, body, location

    def read(self):
        return json.dumps(self._body).encode()

    def get(self, name, default=None):
        return self._location or default


ORDER_ID = "ord_" + 24 * "0"


def order(status):
    return {
        "orderId": ORDER_ID,
        "status": status,
        "productId": "candy-jar",
        "name": "Candy",
        "quantity": 1,
        "amount": 100,
        "currency": "usd",
        "deliveryAddress": "x",
        "deliveryDate": "2026-11-24",
        "createdAt": "2026-11-23T00:00:00Z",
        "updatedAt": "2026-11-23T00:00:00Z",
        "message": "",
    }


class Shop:
    """Answers as a stage does; orders become final after so many looks."""

    def __init__(self, looks=1, accepted=True, last="confirmed"):
        self.asked, self._looks, self._last = [], looks, last
        self._accepted = accepted

    def request(self, method, path, body, headers):
        self.asked.append(path)
        assert headers["Authorization"] == "Bearer t"
        if path.endswith("/products"):
            return Reply(200, {"products": []})
        if path.endswith("/nlu"):
            return Reply(200, {"messages": [{"type": "unstructured"}]})
        if path.endswith("/checkout"):
            status = "pending" if self._accepted else "confirmed"
            bought = {"success": True, "message": "", "order": order(status)}
            place = f"/v1/orders/{ORDER_ID}"
            return Reply(202 if self._accepted else 200, bought, place)
        self._looks -= 1
        return Reply(200, order("pending" if self._looks else self._last))


def visited(shop):
    from load_tests.accounts import Account

    noted = []
    Visitor(
        *(shop, "http://127.0.0.1:1/begin/v1", Account(token="t"), "candy-jar"),
        *("2026-11-24", lambda kind, took: noted.append(kind)),
    ).visit()
    return noted


def test_a_visit_looks_at_the_order_once_where_the_checkout_waits():
    shop = Shop(accepted=False)
    assert visited(shop) == [*KINDS, BOUGHT]
    assert shop.asked[-1] == f"/begin/v1/orders/{ORDER_ID}"


def test_a_visit_follows_an_order_that_was_accepted():
    assert visited(Shop(looks=3)).count(ORDER) == 3


def test_an_order_that_is_given_up_is_no_visit():
    with pytest.raises(WrongAnswer, match="failed"):
        visited(Shop(last="failed"))


def test_no_answer_is_a_wrong_one():
    shop = Shop()
    shop.request = None
    with pytest.raises(WrongAnswer, match="no answer: TypeError"):
        visited(shop)


def test_the_kinds_are_in_the_order_of_a_visit():
    assert KINDS[-2:] == (CHECKOUT, ORDER)


# Beside other stages


def test_a_stage_that_is_up_already_is_named_and_ours_are_not(monkeypatch, tmp_path):
    monkeypatch.setattr(stages, "RUN_ROOT", tmp_path)
    for name in ("stage1", "compare-stage1"):
        running = RunningStage(
            *(1, name, "http://a", "http://a/v1", "bearer", "http://s", None),
            os.getpid(),
        )
        write_state(Places(tmp_path, name), running)
    assert stages.others_up() == ["stage1"]


def test_a_core_is_given_only_where_there_is_one_to_spare(monkeypatch):
    monkeypatch.setattr(processes, "cores", lambda: [0, 1, 5])
    assert stages.shared_out() == stages.Cores([5], [0, 1])
    monkeypatch.setattr(processes, "cores", lambda: [0])
    assert stages.shared_out() is None


def test_a_family_is_read_from_the_system():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        below = {process.pid for process, _ in processes.family(os.getpid())}
        assert {os.getpid(), child.pid} <= below
        assert processes.cpu_seconds(os.getpid())["runner"] > 0
        assert all(held.unique > 0 for held in processes.memory(os.getpid()))
    finally:
        child.communicate()


# README.md


def test_the_readme_tells_what_the_saved_comparison_says():
    saved = agreement.read(RESULTS / "compare" / "result.json")
    assert readme.told(PART) == in_readme(saved)


def test_the_readme_is_told_again(tmp_path):
    page = tmp_path / "README.md"
    page.write_text("Before.\n<!-- told by x -->\nOld.\n<!-- end of x -->\nAfter.\n")
    readme.tell("x", "New.", page)
    assert readme.told("x", page) == "New."
    assert page.read_text().startswith("Before.\n")
    assert page.read_text().endswith("\nAfter.\n")
    with pytest.raises(LookupError, match="put both back"):
        readme.told("y", page)


def test_the_readme_may_tell_that_two_agree():
    assert "30 of 30 ratios agree" in agreement.told(four_stages(), four_stages())


def test_the_agreement_in_the_readme_is_that_of_the_saved_comparison():
    """Saved without another to hold it against, it says so and has no figures."""
    saved = agreement.read(RESULTS / "compare" / "result.json")
    words = readme.told(AGAIN)
    if words == agreement.ALONE:
        return
    assert f"This comparison (commit {saved.machine['commit']})" in words
    rows = [line.split(" | ") for line in words.splitlines() if "| stage" in line]
    now = [tables.with_interval(pair.one) for pair in agreement.pairs(saved, saved)]
    assert [row[2] for row in rows] == now
