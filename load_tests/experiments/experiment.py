"""What an experiment is: a claim, how it is tried, drawn and told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .lab import Lab

# Whatever JSON can hold: a plot and a paragraph are made of nothing else.
Results = dict[str, Any]


@dataclass(frozen=True)
class Experiment:
    """One claim and how it is tried.

    Attributes:
        name: as one types it.
        claim: what the lecture says, in a sentence.
        page: where the claim stands in the course, from the repository's root.
        seconds: how long it takes on two cores, about.
        stages: those that it starts; none when it only reckons.
        run: tries it. What it returns must survive being written as JSON.
        plot: draws results, saved ones as well, into a file.
        paragraph: tells results in prose, also when they contradict the claim. It knows
            nothing but them: no clock, no file.
    """

    name: str
    claim: str
    page: str
    seconds: int
    stages: tuple[int, ...]
    run: Callable[[Lab], Results]
    plot: Callable[[Results, Path], None]
    paragraph: Callable[[Results], str]
