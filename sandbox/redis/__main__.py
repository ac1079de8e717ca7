"""Run Redis in the foreground: `python -m sandbox.redis --port 8235`.

The server takes this process's place, so signals reach it without a detour.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from .program import find_program


def main() -> int:
    """Become the server; return an exit status only when there is none."""
    arguments = _arguments()
    try:
        program = find_program()
        arguments.data.mkdir(parents=True, exist_ok=True)
        os.execv(program, [str(program), *options(arguments.port, arguments.data)])  # noqa: S606
    except (RuntimeError, OSError) as error:
        print(error, file=sys.stderr, flush=True)
    return 1


def options(port: int, data: Path) -> list[str]:
    """Return the server's command line.

    Args:
        port: where it listens, on loopback.
        data: the folder of its append-only file.
    """
    settings = {
        "bind": "127.0.0.1",
        "protected-mode": "yes",
        "port": str(port),
        "dir": str(data.resolve()),
        "daemonize": "no",
        # What was logged out must stay so after a kill: each change is appended, and
        # written to the disk every second.
        "appendonly": "yes",
        "save": "",
        "maxmemory-policy": "noeviction",
    }
    return [word for name, value in settings.items() for word in (f"--{name}", value)]


def _arguments() -> argparse.Namespace:
    run_dir = Path(os.environ.get("RUN_DIR", ".run/stage2"))
    parser = argparse.ArgumentParser(prog="python -m sandbox.redis")
    parser.add_argument(
        "--port", type=int, default=int(os.environ.get("REDIS_PORT", "8235"))
    )
    parser.add_argument("--data", type=Path, default=run_dir / "redis")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
