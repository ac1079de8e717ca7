"""How much it may cost."""

from __future__ import annotations

from typing import Any

from .calendar_words import MONTHS
from .remaining import Remaining

_CURRENCY = r"(?:dollars?|bucks?|usd|euros?|pounds?|\$)"
_SUM = rf"(?:usd )?\$? ?(\d{{1,6}}(?:[.,]\d{{1,2}})?) ?{_CURRENCY}?"
_MONTH = "|".join(month[:3] for month in MONTHS)
_NOT_MONEY = (
    rf"(?! ?(?:st|nd|rd|th|(?:of )?(?:{_MONTH})[a-z]*)\b)"
    r"(?! ?(?:people|persons?|guests?|days?|weeks?|hours?|nights?|of us|of them|"
    r"tickets|rooms|pieces|seats|adults|kids|roses|tulips|o'clock|[ap]m))\b"
)
_LESS = (
    r"(?:under|below|less than|up to|at most|max(?:imum)?(?: of)?|cheaper than|"
    r"no more than|not more than|not over|within|budget (?:is|of)|budget|spend|"
    r"can(?:no|')t (?:go over|spend more than)|maximum)"
)
_MORE = r"(?:over|above|more than|at least|from|minimum(?: of)?|starting at)"
_ABOUT = r"(?:about|around|roughly|approximately|circa|say|some)"


def money(rest: Remaining) -> dict[str, Any]:
    """Find the limits of a price, in cents."""
    pair = rest.take(rf"\bbetween {_SUM} (?:and|to|-) {_SUM}{_NOT_MONEY}") or rest.take(
        rf"\$? ?(\d{{1,6}}) ?(?:-|to) ?\$?(\d{{1,6}}) ?{_CURRENCY}"
    )
    pair = pair or rest.take(r"\$ ?(\d{1,6}) ?(?:-|to|and) ?\$? ?(\d{1,6})\b")
    if pair:
        low, high = sorted((_cents(pair[1]), _cents(pair[2])))
        return {"min_amount": low, "max_amount": high}
    if match := rest.take(rf"\b{_LESS} (?:{_ABOUT} )?{_SUM}{_NOT_MONEY}"):
        return {"max_amount": _cents(match[1])}
    if match := rest.take(rf"\b{_MORE} {_SUM}{_NOT_MONEY}"):
        return {"min_amount": _cents(match[1])}
    exact = (
        rf"(?:\$ ?(\d{{1,6}}(?:[.,]\d{{1,2}})?)|(\d{{1,6}}(?:\.\d\d)?) ?{_CURRENCY})"
    )
    bound = rest.take(rf"{exact} (?:or|and) (?:less|under|cheaper|below)\b")
    bound = bound or rest.take(rf"{exact} (?:max(?:imum)?|tops|at most)\b")
    if bound:
        return {"max_amount": _cents(bound[1] or bound[2])}
    if match := rest.take(rf"{exact} (?:or|and) (?:more|over|up)\b"):
        return {"min_amount": _cents(match[1] or match[2])}
    match = rest.take(rf"(?:\b{_ABOUT} )?{exact}")
    about = match or rest.take(r"\b(?:about|around|roughly) ((?:\d0|\d\d+[05]))\b()")
    if about:
        # A sum alone is a budget, kept with some room on both sides.
        cents = _cents(about[1] or about[2])
        return {"min_amount": cents // 2, "max_amount": cents * 5 // 4}
    return {}


def _cents(figure: str) -> int:
    whole, _, part = figure.replace(",", ".").partition(".")
    return int(whole) * 100 + int(part.ljust(2, "0") or 0)
