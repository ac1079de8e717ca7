"""Reading Lambda's `REPORT` lines, and the table made of them."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from load_tests.bench import calls, lambdas, report_lambdas
from load_tests.bench.load import LoadError

# As Lambda writes it: with tabs, and the start of a worker at the end.
AMAZON = (
    "REPORT RequestId: 3f8c-1\tDuration: 12.34 ms\tBilled Duration: 13 ms\t"
    "Memory Size: 512 MB\tMax Memory Used: 88 MB\tInit Duration: 640.12 ms\t\n"
)
# As MiniStack does.
LOCAL = (
    "REPORT RequestId: 3f8c-2\tDuration: 20 ms\tBilled Duration: 20 ms\t"
    "Memory Size: 512 MB\tMax Memory Used: 176 MB"
)


def test_a_report_of_amazon_is_read():
    report = lambdas.report_of(AMAZON)
    assert report == lambdas.Report("3f8c-1", 12.34, 13, 512, 88, 640.12)


def test_a_report_of_the_local_aws_has_no_start():
    report = lambdas.report_of(LOCAL)
    assert report == lambdas.Report("3f8c-2", 20.0, 20, 512, 176, None)


def test_other_lines_are_none():
    for line in ("START RequestId: 3f8c-1 Version: $LATEST", "", '{"level": "INFO"}'):
        assert lambdas.report_of(line) is None


def test_the_table_has_a_row_for_each_function():
    report = lambdas.report_of(LOCAL)
    one = lambdas.Function(
        "nlu-api",
        "POST /nlu",
        cold=[900.0],
        cold_reports=[report],
        warm=[20.0, 30.0, 40.0],
        warm_reports=[report] * 3,
        package=35.7,
    )
    told = report_lambdas.markdown(
        {
            "machine": {"cores": "2"},
            "cold": 1,
            "warm": 3,
            "functions": [asdict(one)],
        }
    )
    (row,) = [line for line in told.splitlines() if line.startswith("| nlu-api")]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells == [
        *("nlu-api", "POST /nlu", "900", "20", "30.0 (39.0)", "20", "20"),
        *("512", "176", "not seen", "35.7", "not seen"),
    ]


def test_visits_are_told_with_their_interval_and_what_they_do_not_show():
    visits = {
        "functions": [3.0],
        "services": [30.0],
        "ratio": {"estimate": 0.1, "low": 0.1, "high": 0.1},
        "p50": {"products": (2.0, 20.0)},
    }
    told = report_lambdas.markdown(
        {
            "machine": {"cores": "2"},
            "cold": 1,
            "warm": 3,
            "rounds": 2,
            "visits_a_round": 5,
            "functions": [],
            "visits": visits,
        }
    )
    assert "| 3.00 | 30.00 | **0.100** | 0.100 to 0.100 |" in told
    assert "| products | 2.0 | 20.0 |" in told
    assert "Lambda and DynamoDB take is not in it" in told


def test_cpu_is_of_the_workers_that_were_there_all_the_time():
    assert calls.used_between({1: 5.0, 2: 10.0}, {1: 9.0, 2: 11.0}) == 5.0
    for after in ({1: 9.0}, {1: 9.0, 2: 11.0, 3: 800.0}):
        with pytest.raises(LoadError, match="measure again"):
            calls.used_between({1: 5.0, 2: 10.0}, after)
