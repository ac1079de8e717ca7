"""Dates as guests write them: "tomorrow", "next Friday", "on the 3rd", "June 5".

A weekday alone is its next day after today; "next Friday" is the Friday of next week,
whose first day is Monday. Figures with slashes are month first, with dots day first.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from rapidfuzz import fuzz, process

WEEKDAYS = (
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
)
MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)

# A day and month without a year that has gone by may mean next year's, but someone
# who says "June 3" on June 15 has more likely misread the calendar.
RECENT = timedelta(days=60)

_WEEKDAY = "|".join(WEEKDAYS)
_MONTH = "|".join([*MONTHS, *(month[:3] for month in MONTHS), "sept"])
_DAY = r"(\d{1,2})(?:st|nd|rd|th)?"
_ANCHOR = rf"(now|today|tomorrow|{_WEEKDAY})"


@dataclass(frozen=True)
class FoundDate:
    """Where a date stands in a text, and which it is; None when it is not clear."""

    value: date | None
    start: int
    end: int


_Resolve = Callable[["re.Match[str]", date], "date | None"]


def find_dates(text: str, today: date) -> list[FoundDate]:
    """Return the dates in a text whose numbers are figures, in order.

    A date that cannot be ("February 30") or is not one day ("next week") is there with
    None.
    """
    taken: list[FoundDate] = []
    for pattern, resolve in _PATTERNS:
        for match in pattern.finditer(text):
            if any(match.start() < at.end and at.start < match.end() for at in taken):
                continue
            try:
                value = resolve(match, today)
            except (ValueError, OverflowError):
                value = None
            taken.append(FoundDate(value, match.start(), match.end()))
    return sorted(taken, key=lambda found: found.start)


def correct_days(text: str) -> str:
    """Return the text with misspelt weekdays and "tomorrow" put right."""
    return re.sub(r"[A-Za-z]{6,10}", _corrected, text)


def in_words(day: date, today: date) -> str:
    """Write a date for people: "tomorrow (Friday 6 June)", with the year if another."""
    year = f" {day.year}" if day.year != today.year else ""
    name = f"{day:%A} {day.day} {day:%B}{year}"
    near = {0: "today", 1: "tomorrow"}.get((day - today).days)
    return f"{near} ({name})" if near else name


_OTHER_DAYS = {"birthday", "holiday", "yesterday", "everyday", "someday", "weekday"}


def _corrected(match: re.Match[str]) -> str:
    word = match.group().lower()
    if word in _OTHER_DAYS or not (word.endswith("ay") or word.startswith("tom")):
        return match.group()
    names = [*WEEKDAYS, "tomorrow"]
    best = process.extractOne(word, names, scorer=fuzz.ratio, score_cutoff=80)
    return best[0] if best else match.group()


def _iso(match: re.Match[str], today: date) -> date:
    year, month, day = map(int, match.groups())
    return date(year, month, day)


def _month_first(match: re.Match[str], today: date) -> date:
    month, day = int(match[1]), int(match[2])
    if month > 12:
        month, day = day, month
    return _in_year(day, month, match[3], today)


def _day_first(match: re.Match[str], today: date) -> date:
    return _in_year(int(match[1]), int(match[2]), match[3], today)


def _month_day(match: re.Match[str], today: date) -> date:
    return _in_year(int(match[2]), _month_number(match[1]), match[3], today)


def _day_month(match: re.Match[str], today: date) -> date:
    return _in_year(int(match[1]), _month_number(match[2]), match[3], today)


def _month_number(name: str) -> int:
    shorts = [month[:3] for month in MONTHS]
    return shorts.index(name[:3].lower()) + 1


def _in_year(day: int, month: int, year: str | None, today: date) -> date:
    if year:
        figure = int(year)
        return date(figure + 2000 if figure < 100 else figure, month, day)
    # 29 February is a date, only not every year: look for the next one.
    for candidate in range(today.year, today.year + 5):
        try:
            value = date(candidate, month, day)
        except ValueError:
            continue
        if value >= today - RECENT:
            return value
    raise ValueError("no such day")


def _near(match: re.Match[str], today: date) -> date:
    said = match[0].lower()
    if "after" in said:
        return today + timedelta(days=2)
    return today + timedelta(days=_NEAR.get(said.split()[0], 0))


_NEAR = {"tomorrow": 1, "tmrw": 1, "tmw": 1, "yesterday": -1}


def _from_now(match: re.Match[str], today: date) -> date:
    count, unit = match["count"], match["unit"].lower()
    number = 1 if count.lower() in ("a", "an") else int(count)
    start = today
    anchor = (match.groupdict().get("anchor") or "now").lower()
    if anchor == "tomorrow":
        start += timedelta(days=1)
    elif anchor in WEEKDAYS:
        start = _coming(anchor, today)
    if match.groupdict().get("ago"):
        number = -number
    if unit.startswith(("month", "year")):
        return _months_later(start, number * (12 if unit.startswith("year") else 1))
    days = {"d": 1, "n": 1, "w": 7, "f": 14}[unit[0]]
    return start + timedelta(days=days * number)


def _months_later(start: date, months: int) -> date:
    total = start.year * 12 + start.month - 1 + months
    for day in range(start.day, 27, -1):
        try:
            return date(total // 12, total % 12 + 1, day)
        except ValueError:
            continue
    return date(total // 12, total % 12 + 1, min(start.day, 28))


def _weekday(match: re.Match[str], today: date) -> date:
    word = (match["which"] or "").lower()
    name = next(day for day in WEEKDAYS if day.startswith(match["day"].lower()[:3]))
    if word in ("last", "past", "previous"):
        return _coming(name, today) - timedelta(days=7)
    if word == "next" or match["week"]:
        monday = today - timedelta(days=today.weekday()) + timedelta(days=7)
        return monday + timedelta(days=WEEKDAYS.index(name))
    return _coming(name, today)


def _coming(name: str, today: date) -> date:
    ahead = (WEEKDAYS.index(name) - today.weekday() - 1) % 7 + 1
    return today + timedelta(days=ahead)


def _weekend(match: re.Match[str], today: date) -> date:
    saturday = today + timedelta(days=max(5 - today.weekday(), 0))
    if (match["which"] or "").lower() == "next":
        return today + timedelta(days=12 - today.weekday())
    return saturday


def _day_of_month(match: re.Match[str], today: date) -> date:
    day = int(match[1])
    if not 1 <= day <= 31:
        raise ValueError("no such day")
    for ahead in range(12):
        month = today.month - 1 + ahead
        try:
            value = date(today.year + month // 12, month % 12 + 1, day)
        except ValueError:
            continue
        if value >= today:
            return value
    raise ValueError("no such day")


def _named(match: re.Match[str], today: date) -> date:
    name = match["name"].lower().replace("'", "")
    month, day = next(when for start, when in _NAMED.items() if name.startswith(start))
    return _in_year(day, month, None, today)


_NAMED = {
    "christmas eve": (12, 24),
    "christmas": (12, 25),
    "new years eve": (12, 31),
    "new year": (1, 1),
    "valentine": (2, 14),
    "halloween": (10, 31),
}


def _unclear(match: re.Match[str], today: date) -> None:
    return None


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


# The first pattern to take a piece of the text keeps it.
_PATTERNS: tuple[tuple[re.Pattern[str], _Resolve], ...] = (
    (_pattern(r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b"), _iso),
    (
        _pattern(r"(?<![\d/])(\d{1,2})/(\d{1,2})(?:/(\d{4}|\d{2}))?(?![\d/])"),
        _month_first,
    ),
    (_pattern(r"(?<![\d.])(\d{1,2})\.(\d{1,2})\.(\d{4})\b"), _day_first),
    (_pattern(rf"\b({_MONTH})\.? (?:the )?{_DAY}(?:,? (\d{{4}}))?\b"), _month_day),
    (_pattern(rf"\b{_DAY} (?:of )?({_MONTH})\b(?:,? (\d{{4}})\b)?"), _day_month),
    (
        _pattern(
            r"\b(?P<count>an?|\d{1,4}) "
            r"(?P<unit>days?|weeks?|months?|years?|fortnights?) "
            rf"(?:(?:from|after) (?P<anchor>{_ANCHOR})|(?P<ago>ago))\b"
        ),
        _from_now,
    ),
    (
        _pattern(
            r"\b(?:in|within) (?P<count>an?|\d{1,4}) "
            r"(?P<unit>days?|nights?|weeks?|months?|years?|fortnights?)(?:' time)?\b"
        ),
        _from_now,
    ),
    (
        _pattern(
            r"\bthe day after tomorrow|day after tomorrow|\btomorrow|\btmrw\b|\btmw\b"
            r"|\byesterday|\btoday|\btonight|\bthis (?:morning|afternoon|evening)"
            r"|\bright now|\basap\b"
        ),
        _near,
    ),
    (
        _pattern(
            r"\b(?:(?P<which>this|next|last|past|previous|coming) )?"
            rf"(?P<day>{_WEEKDAY}|tues|thurs|fri)\b(?P<week> (?:of )?next week)?"
        ),
        _weekday,
    ),
    (
        _pattern(
            r"\b(?:on |(?P<which>this|next|last) )"
            r"(?P<day>mon|tue|wed|thu|sat|sun)\b(?P<week> next week)?"
        ),
        _weekday,
    ),
    (_pattern(r"\b(?:(?P<which>this|next|the) )?weekend\b"), _weekend),
    (
        _pattern(
            r"\b(?:on|by) (?P<name>christmas(?: eve| day)?|new year'?s?(?: eve| day)?|"
            r"valentine'?s?(?: day)?|halloween)\b"
        ),
        _named,
    ),
    (
        _pattern(
            r"\b(?:on )?the (\d{1,2})(?:st|nd|rd|th)\b"
            r"(?! (?:one|option|choice|floor|street|avenue))"
        ),
        _day_of_month,
    ),
    (_pattern(r"\bon (?:the )?(\d{1,2})(?:st|nd|rd|th)\b"), _day_of_month),
    (
        _pattern(
            r"\b(?:(?:this|next|last|some ?time) (?:week|month|year)"
            r"|in a few (?:days|weeks)|some ?time|any ?time|any day|whenever|soon)\b"
        ),
        _unclear,
    ),
)
