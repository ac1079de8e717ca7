"""What a deployment says while it goes on: a line a step, with the time it took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Outcome:
    """How a step ended, in a word or two."""

    words: str = "done"


def say(words: str) -> None:
    """Say something at once."""
    print(words, flush=True)


@contextmanager
def step(name: str) -> Iterator[Outcome]:
    """Say how a step ended, and after how many seconds.

    Args:
        name: of the step.
    """
    began = time.monotonic()
    outcome = Outcome()
    yield outcome
    say(f"{name:28} {outcome.words} ({time.monotonic() - began:.1f} s)")
