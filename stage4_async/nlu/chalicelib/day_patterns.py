"""How guests write a day, and which day each way of writing means.

A weekday alone is its next day after today; "next Friday" is the Friday of next week,
whose first day is Monday. Figures with dots are day first. Figures with slashes are
month first or day first: where both are days still to come, both are meant.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import TypeAlias

from .calendar_words import (
    MONTHS,
    WEEKDAYS,
    coming,
    day_of_month,
    in_year,
    month_number,
    months_later,
    next_monday,
    weekday_number,
)
from .well_known_days import NAME, next_day

# The days that may be meant: one when it is clear, none when it cannot be told.
Days: TypeAlias = tuple[date, ...]
Resolve: TypeAlias = Callable[["re.Match[str]", date], Days]

_WEEKDAY = "|".join(WEEKDAYS)
_MONTH = "|".join([*MONTHS, *(month[:3] for month in MONTHS), "sept"])
_DAY = r"(\d{1,2})(?:st|nd|rd|th|\.)?"
_ANCHOR = rf"(now|today|tomorrow|{_WEEKDAY})"
_YEAR = r"(?:,? (?:in )?(\d{4}|next year))?\b"
_NOT_A_DAY = r"(?! (?:one|option|choice|card|floor|street|avenue|time|order|birthday))"


def _iso(match: re.Match[str], today: date) -> Days:
    year, month, day = map(int, match.groups())
    return (date(year, month, day),)


def _slashes(match: re.Match[str], today: date) -> Days:
    first, second, year = int(match[1]), int(match[2]), match[3]
    days = []
    for month, day in dict.fromkeys([(first, second), (second, first)]):
        try:
            days.append(in_year(day, month, year, today))
        except ValueError:
            continue
    if not days:
        raise ValueError("no such day")
    ahead = tuple(day for day in days if day >= today)
    return ahead or (days[0],)


def _day_first(match: re.Match[str], today: date) -> Days:
    return (in_year(int(match[1]), int(match[2]), match[3], today),)


def _month_day(match: re.Match[str], today: date) -> Days:
    year = _year(match[3], today)
    return (in_year(int(match[2]), month_number(match[1]), year, today),)


def _day_month(match: re.Match[str], today: date) -> Days:
    year = _year(match[3], today)
    return (in_year(int(match[1]), month_number(match[2]), year, today),)


def _year(said: str | None, today: date) -> str | None:
    return str(today.year + 1) if said and said.lower() == "next year" else said


def _near(match: re.Match[str], today: date) -> Days:
    said = match[0].lower()
    if "after" in said:
        return (today + timedelta(days=2),)
    return (today + timedelta(days=_NEAR.get(said.split()[0], 0)),)


_NEAR = {"tomorrow": 1, "tmrw": 1, "tmw": 1, "yesterday": -1}


def _from_now(match: re.Match[str], today: date) -> Days:
    count, unit = match["count"], match["unit"].lower()
    number = 1 if count.lower() in ("a", "an") else int(count)
    start = today
    anchor = (match.groupdict().get("anchor") or "now").lower()
    if anchor == "tomorrow":
        start += timedelta(days=1)
    elif anchor in WEEKDAYS:
        start = coming(weekday_number(anchor), today)
    if match.groupdict().get("ago"):
        number = -number
    if unit.startswith(("month", "year")):
        return (months_later(start, number * (12 if unit.startswith("year") else 1)),)
    days = {"d": 1, "n": 1, "w": 7, "f": 14}[unit[0]]
    return (start + timedelta(days=days * number),)


def _weekday(match: re.Match[str], today: date) -> Days:
    word, week = (match["which"] or "").lower(), (match["week"] or "").lower()
    weekday = weekday_number(match["day"])
    if word in ("last", "past", "previous"):
        return (coming(weekday, today) - timedelta(days=7),)
    if word == "next" or week.endswith("next week"):
        return (next_monday(today) + timedelta(days=weekday),)
    later = timedelta(days=7 if week else 0)
    return (coming(weekday, today) + later,)


def _weekend(match: re.Match[str], today: date) -> Days:
    if (match["which"] or "").lower() == "next":
        return (next_monday(today) + timedelta(days=5),)
    return (today + timedelta(days=max(5 - today.weekday(), 0)),)


def _of_month(match: re.Match[str], today: date) -> Days:
    return (day_of_month(int(match[1]), today),)


def _of_which_month(match: re.Match[str], today: date) -> Days:
    first = today.replace(day=1)
    if match["which"].lower() == "next":
        first = months_later(first, 1)
    return (first.replace(day=int(match["day"])),)


def _end_of_month(match: re.Match[str], today: date) -> Days:
    ahead = 2 if (match["which"] or "").lower() == "next" else 1
    return (months_later(today.replace(day=1), ahead) - timedelta(days=1),)


def _named(match: re.Match[str], today: date) -> Days:
    return (next_day(match["name"], today),)


def _unclear(match: re.Match[str], today: date) -> Days:
    return ()


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


# The first pattern to take a piece of the text keeps it.
PATTERNS: tuple[tuple[re.Pattern[str], Resolve], ...] = (
    (_pattern(r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b"), _iso),
    (
        _pattern(r"(?<![\d/])(\d{1,2})/(\d{1,2})(?:/(\d{4}|\d{2}))?(?![\d/])"),
        _slashes,
    ),
    (
        _pattern(r"(?<![\d.])(\d{1,2})\.(\d{1,2})\.(?:(\d{4}|\d{2})\b|(?!\d))"),
        _day_first,
    ),
    (_pattern(rf"\b({_MONTH})\.? (?:the )?{_DAY}{_YEAR}"), _month_day),
    (_pattern(rf"\b{_DAY} (?:day )?(?:of )?({_MONTH})\b\.?{_YEAR}"), _day_month),
    (
        _pattern(
            r"\b(?P<count>an?|\d{1,4}) "
            r"(?P<unit>days?|weeks?|months?|years?|fortnights?) "
            rf"(?:(?:from|after) (?P<anchor>{_ANCHOR})|(?P<ago>ago))\b"
        ),
        _from_now,
    ),
    # "Three weeks on Saturday" is Saturday and three weeks to some, and to others not.
    (_pattern(rf"\b(?:an?|\d+) weeks? (?:on|this|next) (?:{_WEEKDAY})\b"), _unclear),
    (
        _pattern(
            r"\b(?:in|within) (?P<count>an?|\d{1,4}) "
            r"(?P<unit>days?|nights?|weeks?|months?|years?|fortnights?)(?:'s?)?"
            r"(?: time)?\b"
        ),
        _from_now,
    ),
    (
        _pattern(
            r"\bthe day after tomorrow|day after tomorrow|\btomorrow|\btmrw\b|\btmw\b"
            r"|\byesterday|\btoday|\btonight|\bthis (?:morning|afternoon|evening)"
            r"|\bright now|\basap\b|\bas soon as possible\b"
        ),
        _near,
    ),
    (
        _pattern(
            r"\b(?:(?P<which>this|next|last|past|previous|coming) )?"
            rf"(?P<day>{_WEEKDAY}|tues|thurs|fri)\b(?P<week> (?:of )?next week| week)?"
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
    (
        _pattern(
            r"(?<!\bthe )(?<!\bin )\b(?P<which>)"
            r"(?P<day>mon|tue|wed|thu|sat|sun)(?P<week>)(?=[.!]?$)"
        ),
        _weekday,
    ),
    (_pattern(r"\b(?:(?P<which>this|next|the) )?weekend\b"), _weekend),
    (
        _pattern(r"\b(?:the )?end of (?:the|(?P<which>this|next)) month\b"),
        _end_of_month,
    ),
    (
        _pattern(
            r"\b(?:the )?(?P<day>\d{1,2})(?:st|nd|rd|th)? "
            r"of (?P<which>this|next) month\b"
        ),
        _of_which_month,
    ),
    (
        _pattern(rf"\b(?:on|by) (?P<name>{NAME})\b"),
        _named,
    ),
    (
        _pattern(r"\b(?P<name>christmas eve|new year'?s eve|christmas day)\b"),
        _named,
    ),
    (_pattern(rf"\b(?:on )?the (\d{{1,2}})(?:st|nd|rd|th)\b{_NOT_A_DAY}"), _of_month),
    (_pattern(r"(?<=day )(\d{1,2})(?:st|nd|rd|th)\b"), _of_month),
    (_pattern(rf"\bon (\d{{1,2}})(?:st|nd|rd|th)\b{_NOT_A_DAY}"), _of_month),
    (
        _pattern(
            r"\b(?:(?:this|next|last|some ?time) (?:week|month|year)"
            r"|in a few (?:days|weeks)|some ?time|any day|soon)\b"
        ),
        _unclear,
    ),
)
