"""The drill's table: Markdown for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    Attributes:
        scenario: what was done.
        trials: how often.
        looked_for: what must not be seen, or must.
        result: what was seen.
        met: whether that is as it must be.
        seed: of what was drawn at random; None where nothing was.
        details: each broken law; what there is to say beyond the table.
    """

    scenario: str
    trials: int
    looked_for: str
    result: str
    met: bool
    seed: int | None = None
    details: list[str] = field(default_factory=list)

    @property
    def bound(self) -> str:
        """What no failure in N random trials says about the rate, with 95 % confidence.

        Source: the rule of three, 1 - 0.05 ** (1 / N) < 3 / N.
        """
        if self.seed is None or not self.met:
            return ""
        return f"< {3 / self.trials:.2g}"


HEADINGS = ("scenario", "trials", "seed", "looked for", "result", "3/N", "met")


def as_markdown(figures: Sequence[Figure]) -> str:
    """Write the table, and below it what went wrong."""
    rows = [HEADINGS, ("---",) * len(HEADINGS)]
    for figure in figures:
        row = (
            figure.scenario,
            f"{figure.trials:,}",
            "" if figure.seed is None else str(figure.seed),
            figure.looked_for,
            figure.result,
            figure.bound,
            "yes" if figure.met else "NO",
        )
        rows.append(row)
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    wrong = [
        f"- {figure.scenario}: {detail}"
        for figure in figures
        if not figure.met
        for detail in figure.details
    ]
    return "\n".join([table, *(["", *wrong] if wrong else [])])


def write_json(figures: Sequence[Figure], path: Path) -> None:
    """Write the table as JSON, with every detail."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [asdict(figure) | {"bound": figure.bound} for figure in figures]
    path.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
