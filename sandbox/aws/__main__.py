"""Run the local AWS in the foreground: `python -m sandbox.aws --port 8300`.

MiniStack takes this process's place, so signals reach it without a detour. It writes
its state now and then and when it is asked to stop, and reads it when it starts again.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from sandbox.runner.ending import MARK

from . import keeping

# Its functions inherit what it has, so it has nothing of ours: no setting, no secret.
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "SSL_CERT_FILE", "KEEP_SECONDS", MARK)

SERVER = Path(__file__).resolve().with_name("server.py")
MISSING = (
    "MiniStack, the local AWS, is not installed: `make run-stage STAGE=3` does it, or "
    "`pip install --require-hashes -r requirements/aws.lock`."
)


def main() -> int:
    """Become MiniStack; return an exit status only when there is none."""
    arguments = _arguments()
    if importlib.util.find_spec("ministack") is None:
        print(MISSING, file=sys.stderr)
        return 1
    # What functions were unpacked to when the last run was killed.
    shutil.rmtree(arguments.data / "tmp", ignore_errors=True)
    try:
        _begin_whole(arguments.data)
        (arguments.data / "tmp").mkdir(parents=True)
        settings = environment(arguments.port, arguments.data.resolve(), os.environ)
        os.execve(  # noqa: S606 (our own words)
            sys.executable, [sys.executable, str(SERVER)], settings
        )
    except OSError as error:
        print(error, file=sys.stderr)
    return 1


def environment(port: int, data: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Return MiniStack's environment.

    Args:
        port: where it listens, on loopback.
        data: the folder of its state.
        environ: this process's environment.
    """
    inherited = {name: environ[name] for name in INHERITED if name in environ}
    return inherited | {
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": "ERROR",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(data / "state"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(data / "s3"),
        "TMPDIR": str(data / "tmp"),
        "PYTHONUNBUFFERED": "1",
    }


def _begin_whole(data: Path) -> None:
    """Forget the files of buckets that nothing kept knows of: nobody could make them.

    So it is when the first run was killed before it kept anything.
    """
    state = data / "state"
    keeping.settle(state)
    if not keeping.is_there(state):
        shutil.rmtree(data / "s3", ignore_errors=True)


def _arguments() -> argparse.Namespace:
    run_dir = Path(os.environ.get("RUN_DIR", ".run/stage3"))
    parser = argparse.ArgumentParser(prog="python -m sandbox.aws")
    parser.add_argument(
        "--port", type=int, default=int(os.environ.get("AWS_PORT", "8300"))
    )
    parser.add_argument("--data", type=Path, default=run_dir / "aws")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
