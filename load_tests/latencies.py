"""Latencies in an HDR histogram: every percentile to three digits, however long."""

from __future__ import annotations

from hdrh.histogram import HdrHistogram

LONGEST_SECONDS = 3600
DIGITS = 3
MICROSECONDS = 1_000_000


class Latencies:
    """How long many answers took, in microseconds from 1 to an hour.

    Source: Tene, HdrHistogram; a value is kept to three significant digits.
    """

    def __init__(self) -> None:
        self._histogram = HdrHistogram(1, LONGEST_SECONDS * MICROSECONDS, DIGITS)

    def __len__(self) -> int:
        return int(self._histogram.get_total_count())

    def record(self, seconds: float) -> None:
        """Count one; what is longer than an hour counts as an hour."""
        value = max(1, round(seconds * MICROSECONDS))
        self._histogram.record_value(min(value, LONGEST_SECONDS * MICROSECONDS))

    def percentile(self, percent: float) -> float:
        """Return the seconds within which so many percent were answered.

        Raises:
            ValueError: nothing was counted.
        """
        if not len(self):
            raise ValueError("nothing was measured; measure for longer")
        value = self._histogram.get_value_at_percentile(percent)
        return float(value / MICROSECONDS)

    @property
    def longest(self) -> float:
        """The longest, in seconds."""
        return self.percentile(100)

    def encoded(self) -> bytes:
        """Return all of it for another process; see `add`."""
        return bytes(self._histogram.encode())

    def add(self, encoded: bytes) -> None:
        """Count what another process has counted."""
        self._histogram.decode_and_add(encoded)


def of(seconds: list[float]) -> Latencies:
    """Return latencies that are all there already, in seconds."""
    found = Latencies()
    for each in seconds:
        found.record(each)
    return found
