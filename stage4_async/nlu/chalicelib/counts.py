"""How many: people, pieces, nights, and which one of those shown."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from .remaining import FIGURE as _N
from .remaining import Remaining

_PEOPLE = (
    r"(?:people|persons?|guests?|adults?|pax|of us|friends|diners|passengers|"
    r"travell?ers|kids|children|heads)"
)
# "With three friends" makes four.
_COMPANY = rf"\bwith {_N} (?:\w+ )?(?:friends|colleagues|others|other people)\b"
_FOLLOWS = r"(?= *(?:$|[·.,!?]|please\b|on\b|at\b|in\b|this\b|next\b|tonight\b))"
_PARTY = (
    rf"(?:\bfor |\bof )?{_N} (?:more |other |hungry )?{_PEOPLE}\b",
    r"\b(?:party|group|family|table|reservation|room|seats?|ride|car|dinner) "
    rf"(?:of|for) {_N}",
    rf"\b(?:we'?re|we are|we will be|we'll be|there(?:'s| are| will be)) {_N}",
    rf"\bfor {_N}{_FOLLOWS}",
)
_COUPLE = (
    r"\bmy \w+ and (?:i|me)\b|\bme and my \w+|\bthe (?:both|two) of us|\bwith my "
    r"(?:wife|husband|spouse|partner|girlfriend|boyfriend|fianc[eé]e?)\b(?!')"
)
_ALONE = (
    r"\b(?:just|only) (?:for )?(?:me|myself)\b|\bby myself\b|\bfor myself\b|\balone\b"
)
_PACKS = r"(?:boxes|box|bunch(?:es)?|bouquets?|bottles?|portions?|sets?|packs?)"
_UNITS = r"(?:pieces?|units?|items?|times?|of (?:those|these|them|it|the))"


def alternatives(rest: Remaining) -> dict[str, Any]:
    """Read "2 or 2" as 2, and note "2 or 3" as unclear, with its figures."""
    pattern = rf"(?<![\w.-]){_N} ?(?:,? or |-|\u2013){_N}(?![\w.]*\d)"
    match = re.search(pattern, rest.text)
    if not match:
        return {}
    if match[1] == match[2]:
        kept = rest.text[: match.start(1)] + rest.text[match.start(2) :]
        rest.text = kept
        return {}
    rest.unclear.append("number")
    rest.cut(*match.span())
    figures = [int(at) for at in match.groups() if re.fullmatch(r"\d{1,3}", at)]
    return {"figures": tuple(figures)}


def people(rest: Remaining) -> dict[str, Any]:
    """Find the size of the party."""
    if match := rest.take(_COMPANY):
        others = rest.whole(match[1], "party")
        return {"party_size": None if others is None else others + 1}
    for pattern in _PARTY:
        if match := re.search(pattern, rest.text, re.IGNORECASE):
            # Only the figure goes: the table of "a table for 2" is a category.
            rest.cut(match.start(1), match.end())
            return {"party_size": rest.whole(match[1], "party")}
    if rest.take(_COUPLE):
        return {"party_size": 2}
    return {"party_size": 1} if rest.take(_ALONE) else {}


def nights(rest: Remaining) -> dict[str, Any]:
    """Find for how many nights a room is wanted."""
    if match := rest.take(rf"(?:\bfor )?(?<![\w.]){_N}(?: more)? nights?\b"):
        return {"nights": rest.whole(match[1], "nights")}
    if rest.take(r"\b(?:a|per|for the|one) night\b"):
        return {"nights": 1}
    return {}


_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "last": -1}


def ordinal(rest: Remaining) -> dict[str, Any]:
    """Find which one of those shown is meant: 1 for the first, -1 for the last."""
    words = "|".join(_ORDINALS)
    match = rest.take(
        rf"\b({words}|\d(?=st|nd|rd|th))(?:st|nd|rd|th)? (?:one|option|choice|card)\b"
    ) or rest.take(rf"\b(?:the|your) ({words})\b(?! (?:time|week|month|order))")
    if match:
        said = match[1].lower()
        return {"ordinal": _ORDINALS.get(said) or int(said)}
    if match := rest.take(r"\b(?:number|option|no\.|#) ?(\d)\b(?! of)"):
        return {"ordinal": int(match[1])}
    return {}


def quantity(rest: Remaining, countable: Callable[[str], bool]) -> dict[str, Any]:
    """Find how many are wanted; else a figure that is not said to be anything.

    countable tells whether a word names something one can have several of.
    """
    rest.take(rf"\b(?:not|instead of) {_N}\b")
    rest.take(rf"{_N}[ -]years?[ -]olds?\b")
    if match := rest.take(rf"{_N} dozens?\b"):
        count = rest.whole(match[1], "quantity")
        return {} if count is None else {"quantity": count * 12, "dozens": True}
    if match := rest.take(rf"(?<!\w){_N} (?:more )?{_PACKS}\b"):
        return {"quantity": rest.whole(match[1], "quantity"), "packed": True}
    patterns = (
        rf"\bquantity(?: to| of| is|:)? {_N}\b",
        rf"(?<!\w){_N} ?x\b|\bx ?{_N}\b",
        rf"(?<!\w){_N} (?:more )?{_UNITS}\b",
    )
    for pattern in patterns:
        if match := rest.take(pattern):
            figure = next(group for group in match.groups() if group)
            return {"quantity": rest.whole(figure, "quantity")}
    if re.search(
        r"\ban? (?:box|jar|bunch|bouquet|basket|platter) of\b", rest.text, re.I
    ):
        return {"quantity": 1, "packed": True}
    if re.search(r"\b(?:a few|several|lots|a lot|plenty)\b", rest.text, re.I):
        rest.unclear.append("quantity")
    return _counted(rest, countable)


def _counted(rest: Remaining, countable: Callable[[str], bool]) -> dict[str, Any]:
    """Read "3 sushi platters" and "a cake" as quantities, other figures as numbers."""
    for match in re.finditer(rf"(?<![\w.-]){_N}(?![\w.]*\d)", rest.text):
        after = re.split(r"[^\w' -]", rest.text[match.end() :])[0].split()[:4]
        figure = rest.whole(match[1], "number")
        rest.cut(*match.span())
        if figure is None:
            return {}
        if any(countable(word) for word in after):
            return {"quantity": figure}
        return {"number": figure}
    for match in re.finditer(r"\b(?:an?|1) ((?:[\w'-]+ ?){1,3})", rest.text, re.I):
        words = match[1].split()
        at = next((at for at, word in enumerate(words) if countable(word)), None)
        # "a dozen roses" has been read; "a few roses" and "a box of roses" have not.
        if at is not None and not words[at].endswith("s") and "few" not in words:
            return {"quantity": 1}
    return {}
