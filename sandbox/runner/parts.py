"""The parts of a run as honcho's processes, and their output."""

from __future__ import annotations

import subprocess
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from functools import partial
from itertools import cycle
from pathlib import Path
from queue import SimpleQueue

from honcho.colour import get_colours
from honcho.environ import parse_procfile
from honcho.printer import Message
from honcho.process import Popen, Process

LAST_LINES = 20
LOOK_SECONDS = 0.1


class Part(Process):  # type: ignore[misc]
    """One line of the Procfile, running in a process group of its own.

    It writes its log file itself, and we follow the file: a pipe would wake us with
    every line, which costs the parts more than the line does, and would block or kill
    them when we stall or die.
    """

    def __init__(
        self, name: str, command: str, log: Path, env: Mapping[str, str], cwd: Path
    ) -> None:
        super().__init__(command, name=name, env=dict(env), cwd=str(cwd))
        self.last_lines: deque[bytes] = deque(maxlen=LAST_LINES)
        self.log_path = log
        log.write_bytes(b"")
        self._status: int | None = None

    def start(self, events: SimpleQueue[Message]) -> None:
        """Start the part; its output, some lines at once, and its end are events."""
        threading.Thread(target=self.run, args=(events,), daemon=True).start()

    def run(self, events: SimpleQueue[Message], ignore_signals: bool = False) -> None:
        """Run the part until it ends.

        Args:
            events: where its start, its output and its end arrive.
            ignore_signals: honcho's; nothing of ours needs it.
        """
        self._events = events
        with self.log_path.open("ab") as log:
            self._child_ctor = partial(Popen, stdin=subprocess.DEVNULL, stdout=log)
            self._child = self._child_ctor(self.cmd, env=self.env, cwd=self.cwd)
        self._send_message({"pid": self._child.pid}, type="start")
        with self.log_path.open("rb") as log:
            unended = b""
            while self._child.poll() is None:
                time.sleep(LOOK_SECONDS)
                lines, newline, unended = (unended + log.read()).rpartition(b"\n")
                self._tell(lines + newline)
            self._tell(unended + log.read())
        self._status = self._child.returncode
        self._send_message({"returncode": self._status}, type="stop")

    def _tell(self, lines: bytes) -> None:
        if lines:
            self.last_lines.extend(lines.splitlines(keepends=True))
            self._send_message(lines)

    def status(self) -> int | None:
        """Return its exit status, or `None` until its last line was read."""
        return self._status

    def group(self) -> int | None:
        """Return the id of its process group, or `None` before it has started."""
        child: subprocess.Popen[bytes] | None = self._child
        return child.pid if child else None

    def last_words(self) -> str:
        """Return its last lines, and where the rest of them is."""
        lines = [line.decode("utf-8", "replace") for line in self.last_lines]
        words = "Its last lines:\n" + "".join(f"    {line}" for line in lines)
        return words.rstrip() + f"\nAll of its output: {self.log_path}"


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
