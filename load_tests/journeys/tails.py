"""Exact percentiles of each row, for Locust's own are rounded to two digits."""

from __future__ import annotations

import base64

import msgspec

from load_tests.latencies import Latencies

FILE = "tails.json"
PERCENTS = (50.0, 95.0, 99.0, 100.0)


class Row(msgspec.Struct):
    """A row of the table: latencies in seconds.

    Attributes:
        name: what was asked, such as "GET /orders".
        requests: how many were answered or failed.
        failures: how many of them failed.
        seconds: at each of `PERCENTS`.
    """

    name: str
    requests: int
    failures: int
    seconds: list[float]


class Tails:
    """The latencies of each row."""

    def __init__(self) -> None:
        self.latencies: dict[str, Latencies] = {}
        self.failures: dict[str, int] = {}

    def record(self, name: str, seconds: float, failed: bool) -> None:
        """Count an answer."""
        self.latencies.setdefault(name, Latencies()).record(seconds)
        self.failures[name] = self.failures.get(name, 0) + failed

    def taken(self) -> dict[str, tuple[str, int]]:
        """Return all that was counted, for the master, and begin afresh."""
        found = {
            name: (base64.b64encode(each.encoded()).decode(), self.failures[name])
            for name, each in self.latencies.items()
        }
        self.latencies, self.failures = {}, {}
        return found

    def add(self, told: dict[str, tuple[str, int]]) -> None:
        """Count what a worker has counted."""
        for name, (encoded, failures) in told.items():
            each = self.latencies.setdefault(name, Latencies())
            each.add(base64.b64decode(encoded))
            self.failures[name] = self.failures.get(name, 0) + failures

    def rows(self) -> list[Row]:
        """Return the table."""
        return [
            Row(
                name,
                len(each),
                self.failures[name],
                [each.percentile(percent) for percent in PERCENTS],
            )
            for name, each in sorted(self.latencies.items())
        ]


def table(rows: list[Row], seconds: float) -> str:
    """Return the rows as text.

    Args:
        rows: from the file.
        seconds: how long it was measured.
    """
    heads = ("p50", "p95", "p99", "max")
    lines = [
        f"{'milliseconds, exact to three digits':38} {'requests':>8} {'/s':>6} "
        f"{'failed':>6} " + " ".join(f"{head:>8}" for head in heads)
    ]
    for row in rows:
        times = " ".join(f"{1000 * value:8.1f}" for value in row.seconds)
        lines.append(
            f"{row.name:38} {row.requests:8} {row.requests / seconds:6.1f} "
            f"{row.failures:6} {times}"
        )
    return "\n".join(lines)
