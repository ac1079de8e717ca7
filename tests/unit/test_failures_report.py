"""The experiment on failures tells what is wrong, and would not miss it."""

import json
import sys
from contextlib import nullcontext
from unittest.mock import MagicMock

import pytest

from load_tests.failures import crowd, report
from load_tests.failures.operations import OPERATIONS, Answer
from sandbox.runner.stages import REPOSITORY, STAGES

RESULT = REPOSITORY / "load_tests" / "results" / "stage2-failures.json"


def answers(**others):
    """What is seen while `catalog` is hung and all goes as it should."""
    needs = {o.name: "catalog" in o.needs for o in OPERATIONS}
    seen = {
        o.name: [Answer(503 if needs[o.name] else o.well, 0.01)] * 3 for o in OPERATIONS
    }
    return {"catalog": {"hung": seen | others}}


def test_nothing_is_wrong_when_only_what_needs_the_service_says_503():
    assert report.wrong(answers()) == []
    late = [Answer(503, 10.0), Answer(503, 0.01)]
    assert report.wrong(answers(products=late)) == []


@pytest.mark.parametrize(
    ("operation", "tries", "told"),
    [
        ("orders", [Answer(200, 0.1), Answer(503, 0.1)], "answered 503"),
        ("orders", [Answer(None, 15)], "answered None"),
        ("orders", [Answer(200, 10.9)], "took 10.9 s of 10"),
        ("products", [Answer(500, 0.1)], "answered 500"),
        ("products", [Answer(503, 12.5)], "took 12.5 s of 10"),
        ("nlu", [Answer(503, 0.1)], "answered 503"),
    ],
)
def test_what_is_not_as_promised_is_found(operation, tries, told):
    found = report.wrong(answers(**{operation: tries}))
    assert found
    assert all(f"catalog hung: {operation}" in line for line in found)
    assert told in found[-1] or told in found[0]


def test_a_cell_tells_the_usual_answer_and_a_slowest_that_differs():
    usual = [Answer(503, 0.004)] * 3
    assert report.cell(usual, 15) == "503 0.00"
    assert report.cell([Answer(503, 6.02), *usual], 15) == "503 0.00 (6.0)"
    assert report.cell([Answer(200, 0.1), *usual], 15) == "200/503 0.00"
    assert report.cell([Answer(None, 15)], 15) == ">15"


def test_the_table_has_a_row_for_each_failure_and_a_column_for_each_operation():
    head, _, row = report.markdown(answers(), 15).splitlines()
    assert head.count("|") == row.count("|") == len(OPERATIONS) + 3
    assert "| `catalog` | hung |" in row


def test_a_try_without_an_answer_shows():
    tries = [Answer(200, 0.1), Answer(None, 15)]
    assert report.cell(tries, 15) == "200 0.10 (>15)"


def test_the_readme_has_the_table_of_the_committed_result():
    result = json.loads(RESULT.read_text(encoding="utf-8"))
    found = report.from_json(result["answers"]["on"])
    assert report.wrong(found) == result["wrong"] == []
    page = (STAGES[2].path / "README.md").read_text(encoding="utf-8")
    assert report.short(found, result["cap_seconds"]) in page


@pytest.mark.parametrize("save", [False, True])
def test_a_crowd_keeps_its_result_where_it_is_asked_to(monkeypatch, tmp_path, save):
    seen = {"orders": [(200, 0.1)], "checkouts": [], "bought for nobody": 0}
    monkeypatch.setattr(crowd, "started", lambda *_, **__: nullcontext())
    monkeypatch.setattr(crowd, "backstage_of", MagicMock())
    monkeypatch.setattr(crowd, "_tried", lambda running: seen)
    monkeypatch.setattr(crowd, "RUN_ROOT", tmp_path / "run")
    monkeypatch.setattr(crowd, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(sys, "argv", ["crowd", *(["--save"] if save else [])])
    assert crowd.main() == 0
    told = json.loads((tmp_path / "run" / crowd.NAME).read_text())
    assert {"measured", "commit"} <= told["machine"].keys()
    assert (tmp_path / "results" / crowd.NAME).exists() == save
