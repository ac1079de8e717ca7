"""The benchmark runs: a very short one, whose figures mean nothing."""

import json

import pytest
from wait import free_base

from load_tests.bench import __main__ as bench
from load_tests.bench import compare
from load_tests.costs import figures

OPERATIONS = {"products", "chat", "checkout", "order"}
EXPECTED = {"same_statements", "in_a_transaction", "one_statement", "no_database"}

pytestmark = pytest.mark.full


def test_a_short_comparison_writes_its_result(monkeypatch, tmp_path):
    monkeypatch.setattr(bench, "OUTPUT", tmp_path)
    words = ["bench", "--only", "comparison", "--rounds", "1", "--seconds", "0.3"]
    monkeypatch.setattr("sys.argv", words)
    assert bench.main() == 0
    result = json.loads((tmp_path / "bench-stage1.json").read_text())
    assert {each["against"] for each in result["comparisons"]} == EXPECTED
    assert all(each["ratio"]["estimate"] > 0 for each in result["comparisons"])


def test_the_services_are_measured_against_the_monolith(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(bench, "OUTPUT", tmp_path)
    monkeypatch.setattr(compare, "HOP_SECONDS", 0.2)
    monkeypatch.setattr(compare, "CALLS", 10)
    base = str(free_base(range(-3, 50)))
    words = ["--stage", "2", "--rounds", "1", "--seconds", "1", "--port-base", base]
    monkeypatch.setattr("sys.argv", ["bench", *words])
    assert bench.main() == 0
    result = json.loads((tmp_path / "bench-stage2.json").read_text())
    assert result["mix"]["ratio"]["estimate"] > 0
    assert len(result["hops"]) == 3
    assert result["memory"]["services"].keys() > {"catalog", "checkout"}
    assert "One more hop" in capsys.readouterr().out


def test_functions_are_measured_alone_and_against_the_services(
    monkeypatch, tmp_path, capsys
):
    monkeypatch.setattr(bench, "OUTPUT", tmp_path)
    monkeypatch.setattr(bench, "RESULTS", tmp_path)
    words = ["--stage", "3", "--cold", "1", "--warm", "2", "--rounds", "1"]
    words += ["--visits", "1", "--save", "--port-base", str(free_base(range(50)))]
    monkeypatch.setattr("sys.argv", ["bench", *words])
    assert bench.main() == 0
    result = json.loads((tmp_path / "stage3-bench.json").read_text())
    assert result["visits"]["ratio"]["estimate"] > 0
    assert len(result["functions"]) == 5
    assert "Visits against stage 2" in capsys.readouterr().out
    # And the bill takes what it needs of it.
    calls = figures.functions(3, tmp_path)
    assert {call.operation for call in calls.calls} == {*OPERATIONS, ""}
    assert all(call.billed_ms > 0 for call in calls.calls)
    assert "local AWS" in calls.basis[0]
