"""The words of the catalogue, and which products and category a text speaks of."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TypeAlias

from rapidfuzz.distance import OSA

from .products import CATEGORIES, Product

_Entry: TypeAlias = tuple[str, str, str, tuple[str, ...]]

MOST_CANDIDATES = 6
_STOP = {"a", "an", "of", "at", "the", "with", "six", "and", "for", "in", "to", "dozen"}
# What guests say around a detail without changing what it is.
SMALL_WORDS = frozenset(
    re.findall(
        r"\S+",
        """
        a actually an and at be book bring by could deliver enough fine for from get
        gimme give good great have hello hi hm hmm i i'd i'll i'm in is it it's its just
        like lovely make maybe me my need nice no of oh ok okay on one ones only or
        order our perfect please pls plz rather send should so sorry sure take thank
        thanks that that's the them then there these this to too um us wait want we we'd
        we'll well will with would yeah yep yes you
        """,
    )
)
# Words of their own, though a slip away from one of ours: a house is no horse.
_NO_SLIPS = {"house"}
# "show me" asks; "a show" is something to see.
_ASKING = re.compile(
    r"\bshow(?= (?:me|us|my|all|the|your|more|other|what|some|a few|any)\b)"
)


class Lexicon:
    """The words that point at each product and category."""

    def __init__(self, entries: Iterable[_Entry]) -> None:
        """Take (id, category, name, keywords) of each product."""
        self._categories = {
            word: (name, 2 if at == 0 else 1)
            for name, category in CATEGORIES.items()
            for at, word in enumerate(category.words)
        }
        # The "room" of "Single room" tells it from no other room.
        common = _STOP | self._categories.keys()
        self._entries = [
            (
                product_id,
                category,
                {stem(word) for word in keywords},
                {stem(word) for word in _words(name)} - common,
            )
            for product_id, category, name, keywords in entries
        ]
        self._keywords: set[str] = set()
        self._known = set(self._categories)
        for _, _, keywords, named in self._entries:
            self._keywords |= keywords
            self._known |= keywords | named

    def find(self, text: str) -> tuple[tuple[str, ...], str | None]:
        """Return the ids that fit the text best, and the category it names.

        A product needs one of its keywords in the text, or its category together with
        a word of its name; of those, the ones that share most words remain.
        """
        words = self._read(text)
        category = self._category(words)
        scores: dict[str, int] = {}
        for product_id, kind, keywords, named in self._entries:
            if category and kind != category and not self._only_here(words, keywords):
                continue
            hits = sum(word in keywords for word in words)
            names = len(set(words) & (named - keywords))
            if hits or (category == kind and names and not self._generic(words, kind)):
                scores[product_id] = 3 * min(hits, 2) + names
        best = max(scores.values(), default=0)
        found = [name for name, score in scores.items() if score == best]
        kinds = {kind for name, kind, _, _ in self._entries if name in found}
        if category and kinds == {category} and _joins_all(text, category):
            return (), category
        return tuple(found[:MOST_CANDIDATES]), category

    def among(self, text: str, products: Iterable[str]) -> tuple[str, ...]:
        """Return those of the products shown that share most words with the text."""
        words = set(self._read(text))
        shown = set(products)
        scores = {
            product_id: len(words & (keywords | named))
            for product_id, _, keywords, named in self._entries
            if product_id in shown
        }
        best = max(scores.values(), default=0)
        return tuple(name for name, score in scores.items() if score == best and best)

    def is_known(self, word: str) -> bool:
        """Tell whether a word is one of the catalogue's, misspelt or not."""
        return self._corrected(word.lower()) in self._known

    def is_countable(self, word: str) -> bool:
        """Tell whether a word names a product that one can have several of."""
        found = self._corrected(word.lower())
        return found in self._keywords or found in ("ticket", "room", "bouquet")

    def _category(self, words: list[str]) -> str | None:
        scores: dict[str, int] = {}
        for word in words:
            if word in self._categories:
                name, weight = self._categories[word]
                scores[name] = scores.get(name, 0) + weight
        return max(scores, key=scores.__getitem__) if scores else None

    def _generic(self, words: list[str], kind: str) -> bool:
        """Tell whether the text has no word of a name but the category's own."""
        own = {word for word, (name, _) in self._categories.items() if name == kind}
        others = set(words) - own
        return not any(
            others & named
            for _, category, _, named in self._entries
            if category == kind
        )

    def _only_here(self, words: list[str], keywords: set[str]) -> bool:
        """Tell whether the text has a keyword that the named category cannot mean."""
        category = self._category(words)
        elsewhere = {
            word
            for _, kind, others, named in self._entries
            if kind == category
            for word in others | named
        }
        return any(word in keywords and word not in elsewhere for word in words)

    def _read(self, text: str) -> list[str]:
        return [self._corrected(word) for word in _words(text)]

    def _corrected(self, said: str) -> str:
        """Return the catalogue's word that this is a form or misspelling of, or itself.

        The first letter must be right, and one slip is allowed in a short word, two in
        a long one.
        """
        word = stem(said)
        if word in self._known or word in _NO_SLIPS or len(said) < 5:
            return word
        slips = 1 if len(word) < 8 else 2
        near = [
            (distance, known)
            for known in self._known
            if known[0] == word[0] and len(known) >= 5
            for distance in [OSA.distance(word, known, score_cutoff=slips)]
            if distance <= slips
        ]
        return min(near)[1] if near else word


def _joins_all(text: str, category: str) -> bool:
    """Tell whether a text names a whole category besides: "cakes and sweets"."""
    joint = r"(?: and | or | & |, | and other | or other )"
    pattern = rf"{joint}{category}\b|\b{category}{joint}"
    return re.search(pattern, text, re.IGNORECASE) is not None


def lexicon_of(products: Iterable[Product]) -> Lexicon:
    """Return the lexicon of a catalogue; the last one is kept."""
    return _lexicon(
        tuple((at.product_id, at.category, at.name, at.keywords) for at in products)
    )


@lru_cache(maxsize=4)
def _lexicon(entries: tuple[_Entry, ...]) -> Lexicon:
    return Lexicon(entries)


def stem(word: str) -> str:
    """Return the singular of an English noun, roughly and without a dictionary."""
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}y"
    if re.search(r"(?:ch|sh|x|ss)es$", word):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us")):
        return word[:-1]
    return word


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", _ASKING.sub(" ", text.lower()))
