"""Where: addresses, cities, and names of places that are no known city."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from .calendar_words import MONTHS, WEEKDAYS
from .remaining import Remaining

CITIES_FILE = Path(__file__).parent / "data" / "cities.txt"
LONGEST_ADDRESS = 200

_NOT_IN_STREET = (
    r"(?!(?:to|at|on|for|and|in|of|from|by|with|dollars?|people|guests|days?|weeks?)\b)"
)
_STREET_WORD = rf"(?:{_NOT_IN_STREET}[A-Za-z][\w'.-]*|\d+(?:st|nd|rd|th))"
_STREET = (
    r"street|st|avenue|ave|road|rd|lane|ln|drive|boulevard|blvd|court|square|"
    r"terrace|parkway|pkwy|highway|hwy|circle|alley|crescent|gardens|quay|plaza|"
    r"broadway|(?-i:Dr|Way|Place|Hill|Close|Row|Walk|Park|Ct|Pl|Sq|"
    r"View|Grove|Mews|Heights|Green|Gate|Rise)"
)
_ADDRESS = (
    r"(?:\b(?:flat|apartment|apt|unit|suite|floor)\.? ?\d+[a-z]?,? )?"
    rf"(?<![\w$.-])\d{{1,5}}[a-z]?(?:,)? (?:(?:{_STREET_WORD} ){{1,4}}(?:{_STREET})\b"
    r"|broadway\b)\.?(?: (?:north|south|east|west|[ns][ew])\b)?"
    r"(?:,? ?(?:apt|apartment|suite|unit|flat|floor|#)\.? ?\w+)?"
)
_PO_BOX = r"\bp\.? ?o\.? box \d+"
_NAMED = (
    r"\b(?:from|to(?! (?:the )?(?:\w+ )+(?:Airport|Station))) (?:the )?("
    r"(?:[A-Z][\w'-]+ ){1,3}(?:Hotel|Hospital|Airport|Station|University|College|"
    r"School|Museum|Theatre|Theater|Library|Hall|Tower|Church|Building)\b)"
)
_TAIL = re.compile(r",? *(?:([A-Z][\w.'-]*(?: [A-Z][\w.'-]*){0,2})(?: (\d{5}))?|\d{5})")
_NO_PLACES = {*WEEKDAYS, *MONTHS, "tomorrow", "today", "please", "thanks", "i", "on"}
_NO_PLACES |= {"christmas", "easter", "noon", "least", "most"}


@lru_cache(maxsize=1)
def cities() -> dict[str, str]:
    """Return the known cities: every name in lower case, with the name to show."""
    known: dict[str, str] = {}
    for line in CITIES_FILE.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            names = [name.strip() for name in line.split(",")]
            known |= {name.lower(): names[0] for name in names}
    return known


def email(rest: Remaining) -> dict[str, Any]:
    """Find an e-mail address."""
    match = rest.take(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
    return {"email": match.group().rstrip(".")} if match else {}


def address(rest: Remaining) -> dict[str, Any]:
    """Find a street address, with the city, state and postcode after it."""
    match = re.search(f"{_ADDRESS}|{_PO_BOX}", rest.text, re.IGNORECASE)
    match = match or re.search(_NAMED, rest.text)
    if not match:
        return {}
    start, end = match.span(match.lastindex or 0)
    # City, state and postcode follow, each with its capital letter.
    for _ in range(3):
        tail = _TAIL.match(rest.text, end)
        if not tail or not is_place_name(tail[1] or ""):
            break
        end = tail.end()
    found = rest.text[start:end].strip(" .,")
    rest.cut(start, end)
    return {"address": found[:LONGEST_ADDRESS]}


def city(rest: Remaining) -> dict[str, Any]:
    """Find a known city, or else the name of another place."""
    if match := _known_city().search(rest.text):
        said = match.group()
        # "la" and "dc" are words of other languages; as places they are capitals.
        if len(said.replace(".", "")) > 2 or said.isupper():
            rest.cut(*match.span())
            return {"city": cities()[said.lower()]}
    pattern = r"\b(?:in|near|to|at) ((?:[A-Z][\w'-]+ ?){1,3})"
    match = re.search(pattern, rest.text)
    if match and is_place_name(match[1]):
        return {"place": match[1].strip()[:60]}
    return {}


@lru_cache(maxsize=1)
def _known_city() -> re.Pattern[str]:
    names = sorted(cities(), key=len, reverse=True)
    either = "|".join(re.escape(name) for name in names)
    return re.compile(rf"(?<!\w)(?:{either})(?!\w)", re.IGNORECASE)


def is_place_name(name: str) -> bool:
    """Tell whether a name can be that of a place, having no day or courtesy in it."""
    return not any(word.strip(".,").lower() in _NO_PLACES for word in name.split())
