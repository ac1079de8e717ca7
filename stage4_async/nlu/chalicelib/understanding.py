"""Understanding behind one small interface: a text in, a reading out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal, Protocol, TypeAlias, get_args

from .entities import Entities, extract
from .intents import DEFAULT_FILE, Intent, load_intents
from .products import Product

EngineName: TypeAlias = Literal["light", "strong", "rules"]


class Engine(Protocol):
    """Tells intents apart. Safe to share between threads."""

    name: str

    def classify(self, text: str) -> tuple[str | None, float]:
        """Return the likeliest intent, None when out of scope, and a figure 0 to 1."""


@dataclass(frozen=True)
class Reading:
    """What the guest wants, how sure that is, and what about.

    intent is None when it is nothing that we do.
    """

    intent: str | None
    confidence: float
    entities: Entities


def load_engine(name: str, phrases: Path = DEFAULT_FILE) -> Engine:
    """Return the engine of that name, taught the intents of a phrase file.

    Raises IntentFileError for a file that cannot be read, and what `teach` raises.
    """
    return teach(name, load_intents(phrases))


def teach(name: str, intents: Sequence[Intent]) -> Engine:
    """Return the engine of that name, taught these intents.

    Raises ValueError for a name that does not exist, RuntimeError when a package of
    the engine is not installed.
    """
    # Imported here, so that a process holds in memory only the engine it uses.
    if name == "light":
        from .light_engine import LightEngine

        return LightEngine(intents)
    if name == "strong":
        from .strong_engine import StrongEngine

        return StrongEngine(intents)
    if name == "rules":
        from .rules_engine import RulesEngine

        return RulesEngine(intents)
    known = ", ".join(get_args(EngineName))
    raise ValueError(f"There is no engine {name!r}; set NLU_ENGINE to one of: {known}.")


def read(
    text: str, today: date, products: Iterable[Product], engine: Engine
) -> Reading:
    """Return what a guest's text says; dates are counted from today."""
    intent, confidence = engine.classify(text)
    return Reading(intent, confidence, extract(text, today, products))
