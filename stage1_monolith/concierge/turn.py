"""What one turn of the conversation works with, and what it comes to."""

from __future__ import annotations

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

    now is in UTC. orders are the guest's own as the API shows them, newest first.
    """

    now: datetime
    products: Mapping[str, Product]
    orders: Orders
    engine: Engine

    @property
    def today(self) -> date:
        """The day that "tomorrow" follows."""
        return self.now.date()

    @property
    def newest(self) -> str | None:
        """The id of the guest's newest order."""
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
    def is_question(self) -> bool:
        """Whether the text asks something."""
        first = self.text.lower().split(maxsplit=1)[0].rstrip(",.!")
        return self.text.endswith("?") or first in _QUESTION_WORDS


_QUESTION_WORDS = {
    *("what", "what's", "who", "who's", "why", "how", "how's", "when", "where"),
    *("where's", "which", "is", "isn't", "are", "do", "does", "can", "could"),
    *("will", "would", "may", "tell", "play", "has", "have"),
}
