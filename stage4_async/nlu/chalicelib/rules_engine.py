"""The rules engine: a handful of regular expressions, as the lecture's demo had.

It is the baseline. It needs no memory to speak of and no training, it is right about
the phrases its author thought of, and only about those.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from .intents import Intent

# The first rule that matches wins, so the narrow ones stand first.
RULES: tuple[tuple[str, str], ...] = (
    ("start_over", r"\b(start over|start again|restart|reset)\b"),
    ("reorder", r"\b(reorder|same again|last time)\b"),
    ("order_status", r"\b(where is my|status|track|my orders)\b"),
    ("human", r"\b(human|agent|representative|real person)\b"),
    ("refund_question", r"\b(refund|return|money back)\b"),
    ("payment_question", r"\b(pay|visa|mastercard|credit card)\b"),
    ("delivery_question", r"\b(do you deliver|delivery|shipping)\b"),
    ("cancel", r"\b(cancel|never ?mind|forget it)\b"),
    ("repeat", r"\b(repeat|say (that|it) again|pardon)\b"),
    ("correct", r"\b(change|actually|instead|i meant)\b"),
    ("recommend", r"\b(recommend|suggest|ideas?|help me choose)\b"),
    ("product_question", r"\b(how much|price|in stock|tell me (more )?about)\b"),
    ("more_options", r"\b(more|else|cheaper|other)\b"),
    ("help", r"\b(help|what can you do|how does this work)\b"),
    ("order", r"\b(order|buy|send|book|reserve|get me|i need|i'll take)\b"),
    ("browse", r"\b(show|list|browse|do you have|what .* have)\b"),
    ("browse", r"^(flowers|gifts|sweets|food|tables|tickets|rides|rooms)$"),
    ("thank", r"\b(thanks|thank you|thx)\b"),
    ("goodbye", r"\b(bye|goodbye|see you)\b"),
    ("greet", r"^(hi|hello|hey|good (morning|afternoon|evening))\b"),
    ("affirm", r"^(yes|yeah|yep|sure|ok|okay|right)\b"),
    ("deny", r"^(no|nope|nah)\b"),
)


class RulesEngine:
    """Guess intents with the first regular expression that matches."""

    name = "rules"

    def __init__(self, intents: Sequence[Intent]) -> None:
        """Keep the rules whose intents the phrase file still has."""
        known = {intent.name for intent in intents}
        self._rules = [
            (name, re.compile(rule)) for name, rule in RULES if name in known
        ]

    def classify(self, text: str) -> tuple[str | None, float]:
        """Return the intent of the first rule that matches, or None; never unsure."""
        lowered = text.lower().strip()
        for name, rule in self._rules:
            if rule.search(lowered):
                return name, 1.0
        return None, 0.0
