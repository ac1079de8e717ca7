"""What a text mentions: products, how many, when, where, for whom, for how much.

Pure functions: the same text, catalogue and day always give the same entities. Each
kind takes its part out of the text, so that the 5 of "5 Main Street" is no quantity.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any

from . import counts, places
from .dates import correct_days, find_day
from .day_patterns import Days
from .lexicon import SMALL_WORDS, Lexicon, lexicon_of
from .money import money
from .numbers import in_figures
from .occasions import occasion, recipient
from .products import Product
from .remaining import Remaining
from .times import time


@dataclass(frozen=True)
class Entities:
    """What was found; None or empty where nothing was.

    products are ids, several when the text fits several equally; refused are those it
    turns down ("not roses"). min_amount and max_amount are in cents. packed tells that
    quantity counts boxes or bunches; number is a figure that is not said to be
    anything. ordinal picks from a list, 1 for the first, -1 for the last. time is
    "HH:MM", a part of the day or "any"; half_day is False where morning or evening is
    open. place is the name of a place that is no known city. unclear names what was
    mentioned without being clear ("date", "quantity", "number"); days and figures are
    what it may mean then. mentions names details spoken of. bare tells that the text
    holds nothing else, but for small words: "next Friday, please".
    """

    products: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    category: str | None = None
    quantity: int | None = None
    dozens: bool = False
    packed: bool = False
    number: int | None = None
    figures: tuple[int, ...] = ()
    party_size: int | None = None
    nights: int | None = None
    min_amount: int | None = None
    max_amount: int | None = None
    cheapest: bool = False
    date: date | None = None
    days: Days = ()
    time: str | None = None
    half_day: bool = True
    address: str | None = None
    city: str | None = None
    place: str | None = None
    email: str | None = None
    occasion: str | None = None
    recipient: str | None = None
    ordinal: int | None = None
    unclear: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()
    bare: bool = False

    @property
    def has_detail(self) -> bool:
        """Whether the text gives a detail of an order, other than the product."""
        details = (
            *(self.quantity, self.number, self.party_size, self.nights),
            *(self.date, self.time, self.address, self.city),
        )
        return any(detail is not None for detail in details)

    def to_dict(self) -> dict[str, Any]:
        """Return what was found, as values that JSON can hold."""
        found: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if value == field.default or field.name == "bare":
                continue
            if field.name == "days":
                value = tuple(day.isoformat() for day in value)
            found[field.name] = value.isoformat() if field.name == "date" else value
        return found


def extract(text: str, today: date, products: Iterable[Product]) -> Entities:
    """Find the entities of a text; dates are counted from today."""
    rest = Remaining(text.replace("\u2019", "'"))
    found: dict[str, Any] = {}
    for find in (places.email, places.address, places.city):
        found |= find(rest)
    rest.text = correct_days(in_figures(rest.text))
    # "In 2 nights" is a day, "for 2 nights" is none; so dates come before nights.
    found |= money(rest) | time(rest) | find_day(rest, today)
    lexicon = lexicon_of(products)
    found |= counts.nights(rest) if "nights" not in found else {}
    found |= counts.alternatives(rest)
    found |= counts.people(rest) | counts.ordinal(rest)
    found |= counts.quantity(rest, lexicon.is_countable)
    found |= occasion(rest) | recipient(rest)
    wanted, unwanted = _without_refused(rest.text)
    found["products"], found["category"] = lexicon.find(wanted)
    if unwanted:
        named, _ = lexicon.find(unwanted)
        found["refused"] = tuple(at for at in named if at not in found["products"])
    found["cheapest"] = bool(re.search(r"\bcheapest\b|\bleast expensive\b", rest.text))
    found["mentions"] = _mentions(text) + found.get("mentions", ())
    entities = Entities(**found, unclear=tuple(rest.unclear))
    return replace(entities, bare=_is_bare(rest.text, entities, lexicon))


def _is_bare(rest: str, found: Entities, lexicon: Lexicon) -> bool:
    """Tell whether only small words are left of a text from which entities were cut."""
    left = set(re.findall(r"[^\W\d_][\w']*", rest.lower())) - SMALL_WORDS
    left -= {found.recipient, *(found.place or "").lower().split()}
    return all(lexicon.is_known(word) for word in left)


_REFUSED = re.compile(
    r"(?<!why )\b(?:not|instead of|rather than|no more|don't want|do not want|cancel|"
    r"drop)"
    r"((?: (?:the|a|an|any|some))? (?:(?!but\b|and\b|please\b|i\b)[\w'-]+ ?){1,2})",
    re.IGNORECASE,
)
_NO_REFUSAL = re.compile(
    r"^ ?(?:sure|too|more|only|so|very|under|over|bad|really|that)\b"
)


def _without_refused(text: str) -> tuple[str, str]:
    """Return a text without what it turns down ("not roses"), and that part."""
    match = _REFUSED.search(text)
    if not match or _NO_REFUSAL.search(match[1]):
        return text, ""
    return f"{text[: match.start()]} {text[match.end() :]}", match[1]


_MENTIONS = {
    "address": r"\b(?:address|place|location|city|where to|destination|pick-?up)\b",
    "date": r"\b(?:date|day|when)\b",
    "time": r"\b(?:time|hour)\b(?! being)",
    "quantity": r"\b(?:quantity|amount|how many|number|count)\b",
    "party": r"\b(?:people|guests|party|persons)\b",
    "nights": r"\bnights\b",
    "product": r"\b(?:product|item|something else|another one|other one)\b",
}


def _mentions(text: str) -> tuple[str, ...]:
    return tuple(
        name for name, pattern in _MENTIONS.items() if re.search(pattern, text, re.I)
    )
