"""Do two comparisons agree? Their ratios' intervals must have something in common."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from load_tests.bench.report import table
from load_tests.intervals import Figure

from .result import Result
from .summary import summaries
from .tables import COMPARED, ROWS, with_interval

# What README.md says of a comparison that was held against none.
ALONE = "This comparison was not held against an earlier one: `AGAINST=` does so."


class UnreadableError(Exception):
    """A file holds no comparison; the message says which."""


@dataclass(frozen=True)
class Pair:
    """One ratio of one stage to stage 1, as two comparisons have it."""

    stage: int
    what: str
    one: Figure
    other: Figure

    @property
    def agree(self) -> bool:
        """Whether the intervals overlap."""
        ends = (self.one.low, self.one.high, self.other.low, self.other.high)
        if None in ends:
            return False
        low, high, other_low, other_high = (end or 0.0 for end in ends)
        return low <= other_high and other_low <= high


def read(file: Path) -> Result:
    """Return a comparison that was written before.

    Raises:
        UnreadableError: there is none in this file.
    """
    try:
        return msgspec.json.decode(file.read_bytes(), type=Result)
    except (OSError, msgspec.DecodeError) as error:
        raise UnreadableError(f"{file} is no result of a comparison: {error}") from None


def pairs(one: Result, other: Result) -> list[Pair]:
    """Return every ratio that both have."""
    mine, theirs = summaries(one), summaries(other)
    return [
        Pair(stage, what, mine[stage].ratios[what], theirs[stage].ratios[what])
        for stage in mine
        if stage in theirs
        for what in COMPARED
        if what in mine[stage].ratios and what in theirs[stage].ratios
    ]


def told(one: Result, other: Result) -> str:
    """Return what README.md says of two comparisons, the first of which is its own."""
    when, commit = other.machine["measured"], other.machine["commit"]
    now = one.machine["commit"]
    which = (
        f"This comparison (commit {now}) and an earlier one of {when[:16]} (commit "
        f"{commit}), by `AGAINST=`:"
    )
    return f"{which}\n\n{markdown(pairs(one, other))}"


def markdown(found: list[Pair]) -> str:
    """Return the ratios side by side, and how many agree."""
    if not found:
        return "The two comparisons have no ratio in common."
    rows = [
        (
            f"stage {pair.stage}: {ROWS[pair.what][0].removesuffix(', ms')}",
            with_interval(pair.other),
            with_interval(pair.one),
            "yes" if pair.agree else "**no**",
        )
        for pair in found
    ]
    agree = sum(pair.agree for pair in found)
    told = table(("over stage 1", "before", "now", "intervals overlap"), rows)
    return f"{told}\n\n{agree} of {len(found)} ratios agree within their intervals."
