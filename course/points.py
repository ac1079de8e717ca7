"""Points for an exercise, by the rubric of its page: a plugin of pytest.

A check says with `@pytest.mark.row(2)` which row of the rubric it belongs to. A row's
points are given when it has checks and all of them pass.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PAGES = Path(__file__).resolve().parents[1] / "docs" / "exercises"
ROW = re.compile(r"^\| (\d+) \| (.+?) \|$", re.MULTILINE)
HEADING = "\n## Rubric\n"
ROWS: dict[str, list[int]] = {}


@dataclass(frozen=True)
class Row:
    """A row of a rubric."""

    points: int
    words: str


def rubric(name: str) -> list[Row]:
    """Read the rubric of an exercise's page.

    Args:
        name: of the exercise's folder and page.
    """
    page = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    _, _, table = page.partition(HEADING)
    return [Row(int(points), words) for points, words in ROW.findall(table)]


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known."""
    config.addinivalue_line("markers", "row(number): of the rubric, from 1 on")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Note the row of each check."""
    for item in items:
        ROWS[item.nodeid] = [m.args[0] for m in item.iter_markers("row")]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the points, row by row, with the checks that did not pass."""
    exercise = Path(config.args[0].partition("::")[0]).parent.name
    rows = rubric(exercise)
    for line in lines(rows, _missed(terminalreporter, len(rows))):
        terminalreporter.write_line(line)


def lines(rows: list[Row], missed: dict[int, list[str]]) -> Iterator[str]:
    """Return the points as text.

    Args:
        rows: of the rubric.
        missed: of the rows that are not whole, the checks that did not pass.
    """
    got = 0
    for number, row in enumerate(rows, start=1):
        mine = 0 if number in missed else row.points
        got += mine
        why = f"  (see {', '.join(missed[number])})" if number in missed else ""
        yield f"  {mine} of {row.points}  {row.words}{why}"
    yield f"Points: {got} of {sum(row.points for row in rows)}"


def _missed(reporter: pytest.TerminalReporter, rows: int) -> dict[int, list[str]]:
    passed = {report.nodeid for report in reporter.stats.get("passed", ())}
    ended_badly = {
        report.nodeid
        for kind in ("failed", "error")
        for report in reporter.stats.get(kind, ())
    }
    missed = defaultdict(list)
    for nodeid, its_rows in ROWS.items():
        if nodeid not in passed or nodeid in ended_badly:
            for row in its_rows:
                missed[row].append(nodeid.rpartition("::")[2])
    # A grader that cannot be imported has no checks, and none of them fails.
    checked = {row for its_rows in ROWS.values() for row in its_rows}
    for row in set(range(1, rows + 1)) - checked:
        missed[row].append("the errors above: none of its checks ran")
    return dict(missed)
