"""The time of day: "at 7pm", "19:30", "half past eight", "noon", "in the evening"."""

from __future__ import annotations

import re
from typing import Any

from .remaining import Remaining

ANY = "any"
_MINUTES = {"half past": 30, "quarter past": 15, "quarter to": -15}
_PARTS = {"noon": "12:00", "midday": "12:00", "midnight": "00:00", "tonight": "evening"}
_PART = re.compile(
    r"\b(morning|noon|midday|lunch ?time|afternoon|evening|tonight|night|midnight)\b",
    re.IGNORECASE,
)
_AFTER = (
    r"(?= *(?:$|[·.,!?;]|on\b|in\b|for\b|please\b|to(?:day|morrow|night)\b|this\b))"
)


def time(rest: Remaining) -> dict[str, Any]:
    """Find a time of day.

    time is "HH:MM" in 24 hours, a part of the day ("evening"), or "any". half_day is
    False when the text leaves open whether morning or evening is meant; that is for
    whoever knows what the time is for.
    """
    found = _clock(rest)
    part = _PART.search(rest.text)
    word = part[1].lower().replace(" ", "") if part else None
    if found is None:
        if rest.take(r"\b(?:any ?time|whenever|no matter when|at no special time)\b"):
            return {"time": ANY}
        if word == "lunchtime":
            word = "noon"
        return {"time": _PARTS.get(word, word)} if word else {}
    hour, minute, certain = found
    if not (0 <= hour <= 23 and 0 <= minute <= 59):
        rest.unclear.append("time")
        return {}
    if not certain and word:
        return {"time": written(in_part(hour, word), minute)}
    return {"time": written(hour, minute), **({} if certain else {"half_day": False})}


def written(hour: int, minute: int) -> str:
    """Write a time of day as "HH:MM"."""
    return f"{hour:02d}:{minute:02d}"


def in_part(hour: int, part: str) -> int:
    """Return the hour of 24 for an hour of 12 in the "morning", "evening" and so on."""
    if part == "morning":
        return hour % 12
    late = part in ("night", "midnight") and hour == 12
    return 0 if late else hour % 12 + 12


def in_words(time_of_day: str) -> str:
    """Write "19:00" as "7:00 pm"."""
    hour, minute = time_of_day.split(":")
    half = "pm" if int(hour) >= 12 else "am"
    return f"{(int(hour) - 1) % 12 + 1}:{minute} {half}"


def _clock(rest: Remaining) -> tuple[int, int, bool] | None:
    """Take out a time of the clock: hour, minute, and whether its half is known."""
    lead = r"\b(?:(?:at|around|about|by) )?"
    if match := rest.take(rf"{lead}(\d{{1,2}})(?:[:.](\d\d))? ?([ap])\.?m\b\.?"):
        hour, minute = int(match[1]), int(match[2] or 0)
        if hour > 12:
            return hour, minute, True
        return hour % 12 + 12 * (match[3].lower() == "p"), minute, True
    if match := rest.take(rf"{lead}(\d{{1,2}})(?::(\d\d)|h(\d\d)?)\b"):
        hour = int(match[1])
        sure = hour > 12 or hour == 0 or match[1].startswith("0")
        return hour, int(match[2] or match[3] or 0), sure or hour == 12
    if match := rest.take(rf"{lead}(?:a )?({'|'.join(_MINUTES)}) (\d{{1,2}})\b"):
        hour, minute = int(match[2]), _MINUTES[match[1].lower()]
        hour, minute = (hour - 1, 60 + minute) if minute < 0 else (hour, minute)
        return hour, minute, hour > 12
    match = (
        rest.take(rf"{lead}(\d{{1,2}}) ?o'? ?clock\b")
        or rest.take(rf"\bat (\d{{1,2}}){_AFTER}")
        or rest.take(r"\b(\d{1,2})(?= in the (?:morning|afternoon|evening)\b)")
    )
    if match:
        hour = int(match[1])
        return hour, 0, hour >= 12 or hour == 0
    return None
