"""What it is for, and for whom."""

from __future__ import annotations

import re
from typing import Any

from .remaining import Remaining

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
_RECIPIENT = (
    r"\b(?:my|our|his|her) (?:dear |best |old |little |big |new )?"
    r"(mother|mom|mum|mommy|father|dad|daddy|parents|wife|husband|spouse|partner|"
    r"fianc[eé]e?|girlfriend|boyfriend|sister|brother|daughter|son|child|kids?|"
    r"grandmother|grandma|granny|grandfather|grandpa|grandparents|aunt|uncle|cousin|"
    r"niece|nephew|friends?|boss|manager|colleagues?|coworkers?|team|teacher|neighbou?rs?|"
    r"clients?|family|mother-in-law|doctor|nurse|assistant|secretary|host)\b"
)


def occasion(rest: Remaining) -> dict[str, Any]:
    """Find the occasion."""
    for name, pattern in _OCCASIONS.items():
        if re.search(pattern, rest.text, re.IGNORECASE):
            return {"occasion": name}
    return {}


def recipient(rest: Remaining) -> dict[str, Any]:
    """Find whom it is for."""
    match = re.search(_RECIPIENT, rest.text, re.IGNORECASE)
    return {"recipient": match[1].lower()} if match else {}
