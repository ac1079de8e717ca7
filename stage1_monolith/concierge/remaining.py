"""A text from which each reader takes the part that it understands.

So the 5 of "5 Main Street" is part of an address, and no quantity.
"""

from __future__ import annotations

import re

# Stands for a part that has been taken out: no pattern crosses it.
GONE = "\u00b7"
# It begins with its first digit: trying each of a long row would take the square of it.
FIGURE = r"(-?(?<!\d)\d+(?:\.\d+)?)"


class Remaining:
    """The part of a text that nothing has taken yet, and what was not clear in it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.unclear: list[str] = []

    def take(self, pattern: str, flags: int = re.IGNORECASE) -> re.Match[str] | None:
        """Take out the first match of a pattern and return it, or None."""
        match = re.search(pattern, self.text, flags)
        if match:
            self.cut(*match.span())
        return match

    def cut(self, start: int, end: int) -> None:
        """Take out the text between two positions."""
        self.text = f"{self.text[:start]} {GONE} {self.text[end:]}"

    def whole(self, figure: str, what: str) -> int | None:
        """Return a whole number; note `what` as unclear when it is none, or absurd."""
        if "." in figure or len(figure) > 9:
            self.unclear.append(what)
            return None
        return int(figure)
