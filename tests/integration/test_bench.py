"""The benchmark runs: a very short one, whose figures mean nothing."""

import json

import pytest

from load_tests.bench import __main__ as bench

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
