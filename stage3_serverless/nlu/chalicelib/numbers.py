"""Numbers in words, put into figures: "twenty five" is 25, "a couple of" is 2."""

from __future__ import annotations

import re

_SMALL = (  # 0 to 19
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen"),
    *("seventeen", "eighteen", "nineteen"),
)
_TENS = (
    *("twenty", "thirty", "forty", "fifty"),
    *("sixty", "seventy", "eighty", "ninety"),
)
_VALUES = {word: value for value, word in enumerate(_SMALL)}
_VALUES |= {word: value for value, word in zip(range(20, 100, 10), _TENS, strict=True)}

_TEEN_OR_UNIT = "|".join(sorted(_SMALL, key=len, reverse=True))
_UNDER_HUNDRED = (
    rf"(?:{'|'.join(_TENS)})(?:[ -](?:{'|'.join(_SMALL[1:10])}))?|{_TEEN_OR_UNIT}"
)
_NUMBER = re.compile(
    rf"\b(?:(?P<hundreds>an?|{'|'.join(_SMALL[1:10])}) hundred(?: and)?"
    rf"(?: (?P<more>{_UNDER_HUNDRED}))?|(?P<small>{_UNDER_HUNDRED}))\b",
    re.IGNORECASE,
)
# "this one", "the cheapest one" point at something; they do not count it.
_POINTING = re.compile(
    r"(?:\b(?:the \w+|this|(?<!make )that|the|which|each|every|other|another|first|"
    r"second|third|fourth|fifth|last|next|same|any|no|some|red|white|big|small|good|nice)|"
    r"\w+est|\w+er) $",
    re.IGNORECASE,
)
# "Just the one" counts it all the same.
_COUNTING = re.compile(r"\b(?:just|only) the $", re.IGNORECASE)


def in_figures(text: str) -> str:
    """Return the text with its number words as figures and its signs joined to them.

    Commas between thousands go.
    """
    text = re.sub(r"[A-Za-z]+", _corrected, text)
    text = re.sub(r"\b(?:minus|negative) (?=\w)", "-", text, flags=re.IGNORECASE)
    text = re.sub(r"\bhalf a dozen\b", "6", text, flags=re.IGNORECASE)
    text = re.sub(r"\ba (?:couple|pair)(?: of)?\b", "2", text, flags=re.IGNORECASE)
    text = _NUMBER.sub(_figure, text)
    text = re.sub(r"(?<!\d )\b(?:a )?dozen\b", "1 dozen", text, flags=re.IGNORECASE)
    text = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text)
    return re.sub(r"(?<![\w.])[-\u2212\u2013] ?(?=\d)", "-", text)


_MISSPELT = {
    "tow": "two",
    "thre": "three",
    "fuor": "four",
    "fiev": "five",
    "eigth": "eight",
    "tweleve": "twelve",
    "twelf": "twelve",
    "fourty": "forty",
    "ninty": "ninety",
    "dosen": "dozen",
    "duzen": "dozen",
    "cuple": "couple",
}


def _corrected(match: re.Match[str]) -> str:
    return _MISSPELT.get(match.group().lower(), match.group())


def _figure(match: re.Match[str]) -> str:
    if match["small"]:
        word = match["small"].lower()
        # Two words are enough; all that came before would be read once for each "one".
        before = match.string[max(match.start() - 60, 0) : match.start()]
        if word == "one" and _POINTING.search(before) and not _COUNTING.search(before):
            return match.group()
        return str(_under_hundred(word))
    hundreds = match["hundreds"].lower()
    count = 1 if hundreds in ("a", "an") else _VALUES[hundreds]
    return str(count * 100 + _under_hundred((match["more"] or "zero").lower()))


def _under_hundred(words: str) -> int:
    return sum(_VALUES[word] for word in re.split("[ -]", words))
