"""A process that ends a run's parts when the runner itself was killed.

Nothing can catch SIGKILL, so the runner keeps the write end of a pipe open, and this
process reads from it: first the process groups, then the end of the file, which comes
only when the runner is no more. It works the same on Linux and on macOS.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO

from .ending import end_run
from .stages import REPOSITORY

GRACE_SECONDS = 3.0


class Guard:
    """The runner's side of the guard process."""

    def __init__(self, mark: str, state: Path, lock: IO[str]) -> None:
        command = [sys.executable, "-m", "sandbox.runner.guard", mark, str(state)]
        # It keeps the run's lock: a next run starts only when this one's parts ended.
        self._process = subprocess.Popen(  # noqa: S603 (our own words)
            command,
            stdin=subprocess.PIPE,
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONPATH": _python_path()},
            pass_fds=[lock.fileno()],
            start_new_session=True,  # Ctrl-C in the terminal is not for it
            text=True,
        )

    def watch(self, group: int) -> None:
        """Add a process group to those that end with the runner."""
        if self._process.stdin:
            with suppress(BrokenPipeError):  # `is_there` tells about that
                self._process.stdin.write(f"{group}\n")
                self._process.stdin.flush()

    def is_there(self) -> bool:
        """Tell whether the guard process still guards."""
        return self._process.poll() is None

    def dismiss(self) -> None:
        """End the guard process; what it watched is ended first."""
        self._process.communicate()


def _python_path() -> str:
    return os.pathsep.join(filter(None, [str(REPOSITORY), os.getenv("PYTHONPATH")]))


def main(mark: str, state: str) -> None:
    """Read process groups until the runner is no more, then end them all.

    Args:
        mark: the run's mark.
        state: the path of the run's state file, which goes with the runner.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups = [int(line) for line in sys.stdin]
    Path(state).unlink(missing_ok=True)
    end_run(groups[::-1], mark, GRACE_SECONDS)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
