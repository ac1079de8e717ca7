"""The names of days and months, and arithmetic with them."""

from __future__ import annotations

from datetime import date, timedelta

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


def weekday_number(name: str) -> int:
    """Return 0 for "monday", "mon" or "Monday", to 6 for Sunday."""
    shorts = [weekday[:3] for weekday in WEEKDAYS]
    return shorts.index(name[:3].lower())


def month_number(name: str) -> int:
    """Return 1 for "january", "jan" or "January", to 12 for December."""
    shorts = [month[:3] for month in MONTHS]
    return shorts.index(name[:3].lower()) + 1


def coming(weekday: int, today: date) -> date:
    """Return the next day of that name after today."""
    return today + timedelta(days=(weekday - today.weekday() - 1) % 7 + 1)


def next_monday(today: date) -> date:
    """Return the first day of next week."""
    return today + timedelta(days=7 - today.weekday())


def months_later(start: date, months: int) -> date:
    """Return the same day of another month, or that month's last."""
    total = start.year * 12 + start.month - 1 + months
    for day in range(start.day, 27, -1):
        try:
            return date(total // 12, total % 12 + 1, day)
        except ValueError:
            continue
    return date(total // 12, total % 12 + 1, min(start.day, 28))


def in_year(day: int, month: int, year: str | None, today: date) -> date:
    """Return a day of a year of two or four digits, else of the year it must mean.

    Raises ValueError when there is no such day.
    """
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


def day_of_month(day: int, today: date) -> date:
    """Return the next day with that number; raises ValueError when there is none."""
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
