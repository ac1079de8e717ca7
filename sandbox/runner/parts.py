"""The parts of a run as honcho's processes, and their output."""

from __future__ import annotations

import subprocess
import threading
from collections import deque
from collections.abc import Mapping
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

    def keep(self, line: bytes) -> None:
        """Add a line to the part's log file."""
        self.last_lines.append(line)
        self._log.write(line)
        self._log.flush()


def parts_of(
    folder: Path, without: set[str], logs: Path, env: Mapping[str, str]
) -> dict[str, Part]:
    """Return the parts that a stage's Procfile names, not yet started.

    Args:
        folder: the stage's folder, where the parts run.
        without: the parts to leave out.
        logs: the folder for their full output.
        env: their environment.
    """
    logs.mkdir(parents=True, exist_ok=True)
    procfile = parse_procfile((folder / "Procfile").read_text(encoding="utf-8"))
    colours = cycle(get_colours())
    parts = {}
    for name, command in procfile.processes.items():
        if name not in without:
            parts[name] = Part(name, command, logs / f"{name}.log", env, folder)
            parts[name].colour = next(colours)
    return parts
