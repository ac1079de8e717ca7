"""The parts of a run as honcho's processes, and their output."""

from __future__ import annotations

import subprocess
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from functools import partial
from itertools import cycle
from pathlib import Path
from queue import SimpleQueue
from typing import BinaryIO

from honcho.colour import get_colours
from honcho.environ import parse_procfile
from honcho.printer import Message
from honcho.process import Popen, Process

LAST_LINES = 20


class Part(Process):  # type: ignore[misc]
    """One line of the Procfile, running in a process group of its own.

    Honcho's own manager reads each process's output in one more *process*; those would
    outlive a killed runner. Here a thread does it.
    """

    def __init__(
        self, name: str, command: str, log: Path, env: Mapping[str, str], cwd: Path
    ) -> None:
        super().__init__(command, name=name, env=dict(env), cwd=str(cwd))
        self._child_ctor = partial(Popen, stdin=subprocess.DEVNULL)
        self.last_lines: deque[bytes] = deque(maxlen=LAST_LINES)
        self.log_path = log
        self._log: BinaryIO = log.open("wb")

    def start(self, events: SimpleQueue[Message]) -> None:
        """Start the part; its output and its end arrive as events."""
        threading.Thread(target=self.run, args=(events,), daemon=True).start()

    def status(self) -> int | None:
        """Return its exit status, or `None` while it runs.

        Its output may stay open longer than it lives, where a child of it survives.
        """
        child: subprocess.Popen[bytes] | None = self._child
        return child.poll() if child else None

    def group(self) -> int | None:
        """Return the id of its process group, or `None` before it has started."""
        child: subprocess.Popen[bytes] | None = self._child
        return child.pid if child else None

    def last_words(self) -> str:
        """Return its last lines, and where the rest of them is."""
        lines = [line.decode("utf-8", "replace") for line in self.last_lines]
        words = "Its last lines:\n" + "".join(f"    {line}" for line in lines)
        return words.rstrip() + f"\nAll of its output: {self.log_path}"

    def keep(self, line: bytes) -> None:
        """Add a line to the part's log file."""
        self.last_lines.append(line)
        self._log.write(line)
        self._log.flush()


def commands_of(folder: Path, without: set[str]) -> dict[str, str]:
    """Return the command of each part that a stage's Procfile names.

    Args:
        folder: the stage's folder.
        without: the parts to leave out.
    """
    procfile = parse_procfile((folder / "Procfile").read_text(encoding="utf-8"))
    found = procfile.processes.items()
    return {name: command for name, command in found if name not in without}


def colours_of(names: Iterable[str]) -> dict[str, str]:
    """Give each part a colour of the output."""
    return dict(zip(names, cycle(get_colours()), strict=False))
