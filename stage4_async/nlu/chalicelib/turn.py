"""What one turn of the conversation works with, and what it comes to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeAlias

from .conversation import State
from .entities import Entities
from .products import Product
from .replies import Reply
from .understanding import Engine, Reading

# Above this an intent is sure enough to interrupt an order.
CLEAR = 0.5

Orders: TypeAlias = Sequence[Mapping[str, Any]]
Answer: TypeAlias = tuple[State, list[Reply]]


@dataclass(frozen=True)
class World:
    """What the dialogue knows besides the conversation.

    now is in UTC. orders are the guest's own as the API shows them, newest first; None
    while they cannot be seen, which is not the same as none.
    """

    now: datetime
    products: Mapping[str, Product]
    orders: Orders | None
    engine: Engine

    @property
    def today(self) -> date:
        """The day that "tomorrow" follows."""
        return self.now.date()

    @property
    def newest(self) -> str | None:
        """The id of the guest's newest order, if there is one to be seen."""
        return str(self.orders[0].get("orderId")) if self.orders else None


@dataclass(frozen=True)
class Heard:
    """A text of the guest and what was understood of it."""

    text: str
    reading: Reading

    @property
    def found(self) -> Entities:
        """What the text mentions."""
        return self.reading.entities

    @property
    def intent(self) -> str | None:
        """What the guest wants; None when it is nothing that we do."""
        return self.reading.intent

    @property
    def gives(self) -> bool:
        """Whether the text is no more than details of an order, such as a date."""
        found = self.found
        limits = (found.min_amount, found.max_amount, found.ordinal, found.email)
        others = found.products or found.refused or found.category or found.occasion
        if others or found.cheapest or any(at is not None for at in limits):
            return False
        return found.bare and found.has_detail and not self.is_question

    @property
    def counts(self) -> bool:
        """Whether a figure in the text counts, and picks no card: "just one"."""
        return re.search(r"\b(?:just|only|enough)\b", self.text, re.I) is not None

    @property
    def is_question(self) -> bool:
        """Whether the text asks something; "can it be Friday?" asks for Friday."""
        if self.found.has_detail and _REQUEST.match(self.text):
            return False
        first = self.text.lower().split(maxsplit=1)[0].rstrip(",.!")
        return self.text.endswith("?") or first in _QUESTION_WORDS


_REQUEST = re.compile(
    r"(?:hm+,? |ok,? |and |so )?(?:can|could|may|will|would) "
    r"(?:it|you|they|we|i|that|this)(?: please| also)? "
    r"(?:be|come|arrive|go|deliver|send|bring|make|change|book|reserve|pick)\b",
    re.IGNORECASE,
)
_QUESTION_WORDS = {
    *("what", "what's", "who", "who's", "why", "how", "how's", "when", "where"),
    *("where's", "which", "is", "isn't", "are", "do", "does", "can", "could"),
    *("will", "would", "may", "tell", "play", "has", "have"),
}
