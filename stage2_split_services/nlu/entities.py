"""What a text mentions: products, how many, when, where, for whom, for how much.

Pure functions: the same text, catalogue and day always give the same entities. Each
kind takes its part out of the text, so that the 5 of "5 Main Street" is no quantity.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from .dates import MONTHS, WEEKDAYS, correct_days, find_dates
from .lexicon import lexicon_of
from .numbers import in_figures
from .products import Product

CITIES_FILE = Path(__file__).parent / "data" / "cities.txt"

# Stands for a part that has been taken out: no pattern below crosses it.
_GONE = "\u00b7"
_N = r"(-?\d+(?:\.\d+)?)"


@dataclass(frozen=True)
class Entities:
    """What was found; None or empty where nothing was.

    products are ids, several when the text fits several equally. min_amount and
    max_amount are in cents. number is a figure that is not said to be anything.
    ordinal picks from a list, 1 for the first, -1 for the last. place is the name of a
    place that is no known city. unclear names what was mentioned without being clear
    ("date", "quantity", "number"); mentions names details spoken of ("address").
    """

    products: tuple[str, ...] = ()
    category: str | None = None
    quantity: int | None = None
    dozens: bool = False
    number: int | None = None
    party_size: int | None = None
    min_amount: int | None = None
    max_amount: int | None = None
    cheapest: bool = False
    date: date | None = None
    time: str | None = None
    address: str | None = None
    city: str | None = None
    place: str | None = None
    email: str | None = None
    occasion: str | None = None
    recipient: str | None = None
    ordinal: int | None = None
    unclear: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return what was found, as values that JSON can hold."""
        found: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None or value is False or value == ():
                continue
            found[field.name] = value.isoformat() if field.name == "date" else value
        return found


def extract(text: str, today: date, products: Iterable[Product]) -> Entities:
    """Find the entities of a text; dates are counted from today."""
    rest = _Rest(text.replace("\u2019", "'"))
    found: dict[str, Any] = {"unclear": (), "mentions": _mentions(text)}
    for find in (_email, _address, _city):
        found |= find(rest)
    rest.text = correct_days(in_figures(rest.text))
    for find in (_money, _time):
        found |= find(rest)
    found |= _date(rest, today)
    lexicon = lexicon_of(products)
    found |= _people(rest) | _ordinal(rest)
    found |= _quantity(rest, lexicon.is_countable)
    found |= _occasion(rest) | _recipient(rest)
    found["products"], found["category"] = lexicon.find(rest.text)
    found["cheapest"] = bool(re.search(r"\bcheapest\b|\bleast expensive\b", rest.text))
    found["unclear"] += tuple(rest.unclear)
    return Entities(**found)


@lru_cache(maxsize=1)
def cities() -> dict[str, str]:
    """Return the known cities: every name in lower case, with the name to show."""
    known: dict[str, str] = {}
    for line in CITIES_FILE.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            names = [name.strip() for name in line.split(",")]
            known |= {name.lower(): names[0] for name in names}
    return known


class _Rest:
    """The part of a text that nothing has taken yet."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.unclear: list[str] = []

    def take(self, pattern: str, flags: int = re.IGNORECASE) -> re.Match[str] | None:
        match = re.search(pattern, self.text, flags)
        if match:
            self.cut(*match.span())
        return match

    def cut(self, start: int, end: int) -> None:
        self.text = f"{self.text[:start]} {_GONE} {self.text[end:]}"

    def whole(self, figure: str, what: str) -> int | None:
        """Return a whole number; note it as unclear when it is none, or absurd."""
        if "." in figure or len(figure) > 9:
            self.unclear.append(what)
            return None
        return int(figure)


def _email(rest: _Rest) -> dict[str, Any]:
    match = rest.take(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
    return {"email": match.group().rstrip(".")} if match else {}


_NOT_IN_STREET = (
    r"(?!(?:to|at|on|for|and|in|of|from|by|with|dollars?|people|guests|days?|weeks?)\b)"
)
_STREET_WORD = rf"(?:{_NOT_IN_STREET}[A-Za-z][\w'.-]*|\d+(?:st|nd|rd|th))"
_STREET = (
    r"street|st|avenue|ave|road|rd|lane|ln|drive|boulevard|blvd|court|square|"
    r"terrace|parkway|pkwy|highway|hwy|circle|alley|crescent|gardens|quay|plaza|"
    r"broadway|(?-i:Dr|Way|Place|Hill|Close|Row|Walk|Park|Ct|Pl|Sq)"
)
_ADDRESS = (
    rf"(?<![\w$.-])\d{{1,5}}[a-z]?(?:,)? (?:(?:{_STREET_WORD} ){{1,4}}(?:{_STREET})\b"
    r"|broadway\b)\.?(?: (?:north|south|east|west|[ns][ew])\b)?"
    r"(?:,? ?(?:apt|apartment|suite|unit|flat|floor|#)\.? ?\w+)?"
)
_PO_BOX = r"\bp\.? ?o\.? box \d+"
_TAIL = re.compile(r",? *(?:([A-Z][\w.'-]*(?: [A-Z][\w.'-]*){0,2})(?: (\d{5}))?|\d{5})")


def _address(rest: _Rest) -> dict[str, Any]:
    match = re.search(f"{_ADDRESS}|{_PO_BOX}", rest.text, re.IGNORECASE)
    if not match:
        return {}
    end = match.end()
    # City, state and postcode follow, each with its capital letter.
    for _ in range(3):
        tail = _TAIL.match(rest.text, end)
        if not tail or not _is_place_name(tail[1] or ""):
            break
        end = tail.end()
    address = rest.text[match.start() : end].strip(" .,")
    rest.cut(match.start(), end)
    return {"address": address}


_NO_PLACES = {*WEEKDAYS, *MONTHS, "tomorrow", "today", "please", "thanks", "i", "on"}


def _is_place_name(name: str) -> bool:
    return not any(word.strip(".,").lower() in _NO_PLACES for word in name.split())


def _city(rest: _Rest) -> dict[str, Any]:
    for name in sorted(cities(), key=len, reverse=True):
        short = len(name.replace(".", "")) <= 2
        shown = re.escape(name.upper() if short else name)
        flags = 0 if short else re.IGNORECASE
        if rest.take(rf"(?<!\w){shown}(?!\w)", flags):
            return {"city": cities()[name]}
    pattern = r"\b(?:in|near|to|at) ((?:[A-Z][\w'-]+ ?){1,3})"
    match = re.search(pattern, rest.text)
    if match and _is_place_name(match[1]):
        return {"place": match[1].strip()}
    return {}


_CURRENCY = r"(?:dollars?|bucks?|usd|euros?|pounds?|\$)"
_SUM = rf"\$? ?(\d{{1,6}}(?:[.,]\d{{1,2}})?) ?{_CURRENCY}?"
_NOT_MONEY = r"(?! ?(?:people|persons|guests|days|weeks|of us|tickets|rooms))\b"
_LESS = (
    r"(?:under|below|less than|up to|at most|max(?:imum)?(?: of)?|cheaper than|"
    r"no more than|not more than|within|budget (?:is|of)|budget)"
)
_MORE = r"(?:over|above|more than|at least|minimum(?: of)?)"


def _money(rest: _Rest) -> dict[str, Any]:
    pair = rest.take(rf"\bbetween {_SUM} (?:and|to) {_SUM}") or rest.take(
        rf"\$? ?(\d{{1,6}}) ?(?:-|to) ?\$?(\d{{1,6}}) ?{_CURRENCY}"
    )
    if pair:
        low, high = sorted((_cents(pair[1]), _cents(pair[2])))
        return {"min_amount": low, "max_amount": high}
    if match := rest.take(rf"\b{_LESS} {_SUM}{_NOT_MONEY}"):
        return {"max_amount": _cents(match[1])}
    if match := rest.take(rf"\b{_MORE} {_SUM}{_NOT_MONEY}"):
        return {"min_amount": _cents(match[1])}
    exact = (
        rf"(?:\$ ?(\d{{1,6}}(?:[.,]\d{{1,2}})?)|(\d{{1,6}}(?:\.\d\d)?) ?{_CURRENCY})"
    )
    if match := rest.take(rf"(?:\b(?:about|around|roughly) )?{exact}"):
        # A sum alone is a budget, kept with some room on both sides.
        cents = _cents(match[1] or match[2])
        return {"min_amount": cents // 2, "max_amount": cents * 5 // 4}
    return {}


def _cents(figure: str) -> int:
    whole, _, part = figure.replace(",", ".").partition(".")
    return int(whole) * 100 + int(part.ljust(2, "0") or 0)


def _time(rest: _Rest) -> dict[str, Any]:
    match = rest.take(r"\b(?:at )?(\d{1,2})(?::(\d\d))? ?([ap])\.?m\b\.?") or rest.take(
        r"\b(?:at )?(\d{1,2}):(\d\d)()\b"
    )
    if match:
        hour = int(match[1]) % 12 + 12 if match[3].lower() == "p" else int(match[1])
        return {"time": f"{hour:02d}:{match[2] or '00'}"}
    match = rest.take(r"\bat (\d{1,2})(?: ?o'clock)?(?= *(?:$|[·.,!?]))")
    if match:
        return {"time": f"{int(match[1]):02d}:00"}
    match = re.search(r"\b(morning|noon|afternoon|evening|night|tonight)\b", rest.text)
    return {"time": match[1]} if match else {}


def _date(rest: _Rest, today: date) -> dict[str, Any]:
    dates = find_dates(rest.text, today)
    refused = re.compile(r"(?:\bnot|\binstead of|\brather than)(?: on)? *$", re.I)
    wanted = [at for at in dates if not refused.search(rest.text[: at.start])]
    for at in reversed(dates):
        rest.cut(at.start, at.end)
    if not wanted:
        return {}
    if wanted[0].value is None:
        rest.unclear.append("date")
    return {"date": wanted[0].value}


_PEOPLE = (
    r"(?:people|persons?|guests?|adults?|pax|of us|friends|diners|passengers|"
    r"travell?ers|kids|children|heads)"
)
_FOLLOWS = r"(?= *(?:$|[·.,!?]|please\b|on\b|at\b|in\b|this\b|next\b|tonight\b))"
_PARTY = (
    rf"(?:\bfor |\bof )?{_N} (?:more |other |hungry )?{_PEOPLE}\b",
    rf"\b(?:party|group|table|reservation|room|seats?|ride|car|dinner) (?:of|for) {_N}",
    rf"\b(?:we'?re|we are|we will be|we'll be|there(?:'s| are| will be)) {_N}",
    rf"\bfor {_N}{_FOLLOWS}",
)
_COUPLE = r"\b(?:me and my|my) \w+(?: and (?:i|me)\b)|\bme and my \w+|\bthe both of us"
_ALONE = (
    r"\b(?:just|only) (?:for )?(?:me|myself)\b|\bby myself\b|\bfor myself\b|\balone\b"
)


def _people(rest: _Rest) -> dict[str, Any]:
    for pattern in _PARTY:
        if match := re.search(pattern, rest.text, re.IGNORECASE):
            # Only the figure goes: the table of "a table for 2" is a category.
            rest.cut(match.start(1), match.end())
            return {"party_size": rest.whole(match[1], "party")}
    if rest.take(_COUPLE):
        return {"party_size": 2}
    return {"party_size": 1} if rest.take(_ALONE) else {}


_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "last": -1}


def _ordinal(rest: _Rest) -> dict[str, Any]:
    words = "|".join(_ORDINALS)
    match = rest.take(
        rf"\b({words}|\d(?=st|nd|rd|th))(?:st|nd|rd|th)? (?:one|option|choice|card)\b"
    ) or rest.take(rf"\bthe ({words})\b(?! (?:time|week|month|order))")
    if match:
        said = match[1].lower()
        return {"ordinal": _ORDINALS.get(said) or int(said)}
    if match := rest.take(r"\b(?:number|option|no\.|#) ?(\d)\b(?! of)"):
        return {"ordinal": int(match[1])}
    return {}


_UNITS = (
    r"(?:pieces?|units?|items?|boxes|box|bunch(?:es)?|bouquets?|bottles?|portions?|"
    r"sets?|nights?|of (?:those|these|them|it|the))"
)


def _quantity(rest: _Rest, countable: Callable[[str], bool]) -> dict[str, Any]:
    rest.take(rf"\b(?:not|instead of) {_N}\b")
    if match := rest.take(rf"{_N} dozens?\b"):
        count = rest.whole(match[1], "quantity")
        return {} if count is None else {"quantity": count * 12, "dozens": True}
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
        return {"quantity": 1}
    if re.search(r"\b(?:a few|several|lots|a lot|plenty)\b", rest.text, re.I):
        rest.unclear.append("quantity")
    return _counted(rest, countable)


def _counted(rest: _Rest, countable: Callable[[str], bool]) -> dict[str, Any]:
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


_OCCASIONS = {
    "birthday": r"\b(?:birth ?day|b-?day|turn(?:s|ing) \d+)",
    "anniversary": r"\banniversar",
    "wedding": r"\b(?:wedding|bridal|getting married|bride|groom)\b",
    "valentine": r"\bvalentine",
    "mothers-day": r"\b(?:mother|mum|mom)'?s'? day\b",
    "christmas": r"\b(?:christmas|xmas|holiday season)\b",
    "baby": r"\b(?:new ?born|(?:a|the|new) baby|baby shower|new parents?)\b",
    "get-well": r"\b(?:get well|sick|ill|hospital|surgery|feel better|unwell)\b",
    "sympathy": r"\b(?:funeral|condolence|sympathy|passed away|grieving|died)\b",
    "thanks": r"\b(?:to thank|thank[- ]you (?:gift|present|flowers)|gratitude)\b",
    "housewarming": r"\b(?:house ?warming|new (?:home|house|apartment|flat))\b",
    "graduation": r"\b(?:graduat\w+|exams?|degree)\b",
    "farewell": r"\b(?:farewell|leaving|retire\w*|goodbye present)\b",
    "congratulations": r"\b(?:congratulat\w+|promotion|promoted|new job|celebrat\w+)\b",
    "romance": r"\b(?:romantic|romance|date night|propos(?:e|al)|first date)\b",
}


def _occasion(rest: _Rest) -> dict[str, Any]:
    for name, pattern in _OCCASIONS.items():
        if re.search(pattern, rest.text, re.IGNORECASE):
            return {"occasion": name}
    return {}


_RECIPIENT = (
    r"\b(?:my|our|his|her) (?:dear |best |old |little |big |new )?"
    r"(mother|mom|mum|mommy|father|dad|daddy|parents|wife|husband|spouse|partner|"
    r"fianc[eé]e?|girlfriend|boyfriend|sister|brother|daughter|son|child|kids?|"
    r"grandmother|grandma|granny|grandfather|grandpa|grandparents|aunt|uncle|cousin|"
    r"niece|nephew|friends?|boss|manager|colleagues?|coworkers?|team|teacher|neighbou?rs?|"
    r"clients?|family|mother-in-law|doctor|nurse|assistant|secretary|host)\b"
)


def _recipient(rest: _Rest) -> dict[str, Any]:
    match = re.search(_RECIPIENT, rest.text, re.IGNORECASE)
    return {"recipient": match[1].lower()} if match else {}


_MENTIONS = {
    "address": r"\b(?:address|place|location|city|where to|destination|pick-?up)\b",
    "date": r"\b(?:date|day|when)\b",
    "quantity": r"\b(?:quantity|amount|how many|number|count)\b",
    "party": r"\b(?:people|guests|party|persons)\b",
    "product": r"\b(?:product|item|something else|another one|other one)\b",
}


def _mentions(text: str) -> tuple[str, ...]:
    return tuple(
        name for name, pattern in _MENTIONS.items() if re.search(pattern, text, re.I)
    )
