"""What the runner says on its output: its own words, and the parts' lines by name."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping

from honcho.printer import Message, Printer

from .parts import Part


class Voice:
    """Speaks as long as somebody listens; a closed output must not stop the stopping.

    Args:
        parts: the parts, whose names precede their lines.
        unheard: called once, when the output turns out to be closed.
    """

    def __init__(self, parts: Mapping[str, Part], unheard: Callable[[], None]) -> None:
        self._printer = Printer(width=max(map(len, parts), default=0))
        self._unheard = unheard
        self._open = True

    def say(self, words: str) -> None:
        """Say something of the runner's own, without a prefix."""
        self._speak(lambda: print(words, flush=True))

    def relay(self, line: Message) -> None:
        """Print a line of a part after its time and name."""
        self._speak(lambda: self._printer.write(line))

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
