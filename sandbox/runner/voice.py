"""What the runner says on its output: its own words, and the parts' lines by name."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Mapping

from honcho.printer import Message, Printer

from .parts import Part


class Page(io.StringIO):
    """Lines on their way to the standard output, in whose manner they are coloured."""

    def isatty(self) -> bool:
        """Whether they end on a terminal."""
        return sys.stdout.isatty()

    def taken(self) -> str:
        """Return what was written since the last time."""
        words = self.getvalue()
        self.seek(0)
        self.truncate()
        return words


class Voice:
    """Speaks as long as somebody listens; a closed output must not stop the stopping.

    Args:
        parts: the parts, whose names precede their lines.
        unheard: called once, when the output turns out to be closed.
    """

    def __init__(self, parts: Mapping[str, Part], unheard: Callable[[], None]) -> None:
        # Honcho's printer flushes each line; what comes at once is written at once.
        self._page = Page()
        width = max(map(len, parts), default=0)
        self._printer = Printer(output=self._page, width=width)
        self._unheard = unheard
        self._open = True

    def say(self, words: str) -> None:
        """Say something of the runner's own, without a prefix."""
        self._speak(lambda: print(words, flush=True))

    def relay(self, lines: Message) -> None:
        """Print lines of a part, each after its time and name."""
        self._printer.write(lines)
        words = self._page.taken()
        self._speak(lambda: print(words, end="", flush=True))

    def last_words(self, words: str, part: Part | None) -> None:
        """Say why a run ended, with the last lines of the part that ended it."""
        if part:
            words += "\n" + part.last_words()
        if words:
            self.say(words)

    def _speak(self, action: Callable[[], object]) -> None:
        if not self._open:
            return
        try:
            action()
        except OSError:
            self._open = False
            # What is left in Python's buffer would fail once more at the exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            self._unheard()
