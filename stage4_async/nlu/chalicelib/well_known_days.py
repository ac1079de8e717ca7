"""Days that everybody knows by name, and when each comes next."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

from dateutil.easter import easter

from .calendar_words import coming

# As a regular expression; an apostrophe may be missing anywhere.
NAME = (
    r"(?:christmas|xmas)(?: eve| day)?|new year'?s?(?: eve| day)?|"
    r"(?:saint |st\.? )?valentine'?s?(?: day)?|halloween|independence day|"
    r"(?:mother|mum|mom|father|dad)'?s'? day|thanksgiving(?: day)?|"
    r"easter(?: sunday| monday)?"
)
_ALONE = re.compile(
    rf"(?:it'?s |it is |make it |maybe |please )?(?:on |for |by |at )?(?P<name>{NAME})"
    r"(?:,? please)?[.!]?",
    re.IGNORECASE,
)
# Of names that begin alike, the longer one first. Days that move from year to year are
# those of the United States, where our cities are.
_DAYS: dict[str, Callable[[int], date]] = {
    "christmas eve": lambda year: date(year, 12, 24),
    "christmas": lambda year: date(year, 12, 25),
    "new years eve": lambda year: date(year, 12, 31),
    "new year eve": lambda year: date(year, 12, 31),
    "new year": lambda year: date(year, 1, 1),
    "valentine": lambda year: date(year, 2, 14),
    "halloween": lambda year: date(year, 10, 31),
    "independence": lambda year: date(year, 7, 4),
    "mother": lambda year: _nth(2, 6, date(year, 5, 1)),
    "father": lambda year: _nth(3, 6, date(year, 6, 1)),
    "thanksgiving": lambda year: _nth(4, 3, date(year, 11, 1)),
    "easter monday": lambda year: easter(year) + timedelta(days=1),
    "easter": easter,
}
_SAME = {"xmas": "christmas", "mum": "mother", "mom": "mother", "dad": "father"}


def alone(text: str) -> str | None:
    """Return the name of the day that a text is, and nothing besides it."""
    match = _ALONE.fullmatch(text)
    return match["name"] if match else None


def next_day(name: str, today: date) -> date:
    """Return the next day of that name, today's included.

    Raises ValueError when there is none of that name.
    """
    plain = re.sub(r"^(?:saint|st\.?) |'", "", name.lower())
    first, _, rest = plain.partition(" ")
    short = first.removesuffix("s") if first[:3] in ("mum", "mom", "dad") else first
    plain = f"{_SAME.get(short, short)} {rest}"
    for start, of_year in _DAYS.items():
        if plain.startswith(start):
            day = of_year(today.year)
            return day if day >= today else of_year(today.year + 1)
    raise ValueError(f"no day is called {name!r}")


def _nth(count: int, weekday: int, first: date) -> date:
    """Return the nth such weekday of the month that begins on `first`."""
    before = first - timedelta(days=1)
    return coming(weekday, before) + timedelta(weeks=count - 1)
