"""Dates as guests write them: "tomorrow", "next Friday", "on the 3rd", "June 5"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from rapidfuzz import fuzz, process

from .calendar_words import MONTHS, WEEKDAYS
from .day_patterns import PATTERNS, Days
from .remaining import Remaining


@dataclass(frozen=True)
class FoundDate:
    """Where a date stands in a text, and the days it may mean.

    There is one when it is clear, none for what cannot be ("February 30") or is no
    single day ("next week").
    """

    days: Days
    start: int
    end: int


_REFUSED = re.compile(r"(?:\bnot|\binstead of|\brather than)(?: on)? *$", re.I)
_WANTED = re.compile(r"\b(?:on|by|for|make it|until) *$", re.I)
_RANGE = re.compile(r" *(?:to|until|till|through|-|\u2013) *(?:on )?", re.I)
_JOINED = re.compile(r",? *(?:the )?", re.I)


def find_day(rest: Remaining, today: date) -> dict[str, Any]:
    """Take the dates out of a text and find the one that is meant.

    "Friday to Sunday" is a day and a number of nights.
    """
    rest.text = _ordinals_in_figures(rest.text)
    dates = find_dates(rest.text, today)
    wanted = [at for at in dates if not _REFUSED.search(rest.text[: at.start])]
    said = rest.text
    for at in reversed(dates):
        rest.cut(at.start, at.end)
    if not wanted:
        return {"mentions": ("date",)} if dates else {}
    first = next((at for at in wanted if _WANTED.search(said[: at.start])), wanted[0])
    others = [at for at in wanted if at.start > first.start]
    between = said[first.end : others[0].start] if others else ""
    days = first.days
    if others and len(days) == len(others[0].days) == 1:
        if _RANGE.fullmatch(between) and others[0].days > days:
            nights = (others[0].days[0] - days[0]).days
            return {"date": days[0], "nights": nights}
        if re.fullmatch(r",? or (?:on )?", between) and others[0].days != days:
            days += others[0].days
    if len(days) == 1:
        return {"date": days[0]}
    rest.unclear.append("date")
    return {"days": days} if days else {}


def find_dates(text: str, today: date) -> list[FoundDate]:
    """Return the dates in a text whose numbers are figures, in order."""
    taken: list[FoundDate] = []
    for pattern, resolve in PATTERNS:
        for match in pattern.finditer(text):
            if any(match.start() < at.end and at.start < match.end() for at in taken):
                continue
            try:
                days = resolve(match, today)
            except (ValueError, OverflowError):
                days = ()
            taken.append(FoundDate(days, match.start(), match.end()))
    return _joined(sorted(taken, key=lambda found: found.start), text)


def _joined(dates: Sequence[FoundDate], text: str) -> list[FoundDate]:
    """Make one date of a weekday and the day of a month next to it.

    When the two do not agree, as in "Friday, June 12", it is not clear which is right.
    """
    joined: list[FoundDate] = []
    for at in dates:
        before = joined[-1] if joined else None
        if (
            before
            and _JOINED.fullmatch(text[before.end : at.start])
            and re.search(WEEKDAY_WORD, text[before.start : before.end], re.I)
            and re.search(r"\d", text[at.start : at.end])
        ):
            named = at.days and before.days and at.days[0].weekday()
            fits = at.days and before.days and named == before.days[0].weekday()
            days = at.days if fits else _either(before, at)
            joined[-1] = FoundDate(days, before.start, at.end)
        else:
            joined.append(at)
    return joined


WEEKDAY_WORD = "|".join(day[:3] for day in WEEKDAYS)


def _either(weekday: FoundDate, day: FoundDate) -> Days:
    return tuple(dict.fromkeys([*day.days, *weekday.days]))


def correct_days(text: str) -> str:
    """Return the text with misspelt weekdays, "tomorrow" and "2day" put right."""
    text = re.sub(r"\b2(?=day\b|nite\b|night\b|mor)", "to", text, flags=re.I)
    return re.sub(r"[A-Za-z]{6,10}", _corrected, text)


_OTHER_DAYS = {"birthday", "holiday", "yesterday", "everyday", "someday", "weekday"}


def _corrected(match: re.Match[str]) -> str:
    word = match.group().lower()
    if word in _OTHER_DAYS or not (word.endswith("ay") or word.startswith("tom")):
        return match.group()
    names = [*WEEKDAYS, "tomorrow"]
    best = process.extractOne(word, names, scorer=fuzz.ratio, score_cutoff=80)
    return best[0] if best else match.group()


_ORDINAL_WORDS = (
    *("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"),
    *("ninth", "tenth", "eleventh", "twelfth", "thirteenth", "fourteenth"),
    *("fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth"),
    "twentieth",
)


def _ordinals_in_figures(text: str) -> str:
    """Write ordinals in words as figures where they are days of a month.

    "The second" is the second card, "the second of June" a day.
    """
    month = "|".join(month[:3] for month in MONTHS)
    for number, word in enumerate(_ORDINAL_WORDS, start=1):
        where = "" if number > 5 else rf"(?= (?:day )?of (?:{month}|this|next))"
        text = re.sub(rf"\bthe {word}\b{where}", f"the {number}th", text, flags=re.I)
    return text


def in_words(day: date, today: date) -> str:
    """Write a date for people: "tomorrow (Friday 6 June)", with the year if another."""
    year = f" {day.year}" if day.year != today.year else ""
    name = f"{day:%A} {day.day} {day:%B}{year}"
    near = {0: "today", 1: "tomorrow"}.get((day - today).days)
    return f"{near} ({name})" if near else name
