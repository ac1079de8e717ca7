"""Run PostgreSQL in the foreground: `python -m sandbox.postgres --port 8130`."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

from . import owners
from .cluster import Cluster, create_databases, execute, prepared

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",  # a few gunicorn pools, the tests and a drill at once
    "shared_buffers": "128MB",
    "log_checkpoints": "off",
    "log_line_prefix": "",
}
FAST_SECONDS = 4.0  # a fast shutdown takes a fraction of one


def main() -> int:
    """Serve until a signal, the end of the parent or the end of the server."""
    arguments = _arguments()
    # The runner starts us; when it is gone (our parent changes) we go as well.
    parent = os.getppid()
    asked: list[int] = []

    def ask(number: int, frame: FrameType | None) -> None:
        asked.append(number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, ask)
    try:
        cluster = prepared(arguments.data)
        access = _make_databases(cluster, arguments)
    except (RuntimeError, OSError) as error:
        if asked:  # the signal ended PostgreSQL's programs as well
            return 0
        print(error, file=sys.stderr, flush=True)
        return 1
    server = _start(cluster, arguments.port, access)
    guard = _start_guard(server.pid)
    try:
        while server.poll() is None and not asked and os.getppid() == parent:
            time.sleep(0.05)
        ended_by_itself = server.poll() is not None
        _stop(server)
    finally:
        guard.kill()
        guard.wait()
    return server.returncode or 1 if ended_by_itself and not asked else 0


def _arguments() -> argparse.Namespace:
    run_dir = Path(os.environ.get("RUN_DIR", ".run/stage1"))
    parser = argparse.ArgumentParser(prog="python -m sandbox.postgres")
    parser.add_argument(
        "--port", type=int, default=int(os.environ.get("POSTGRES_PORT", "8130"))
    )
    parser.add_argument("--data", type=Path, default=run_dir / "postgres")
    parser.add_argument(
        "--database",
        action="append",
        help="a database to create when missing; may be repeated (concierge)",
    )
    parser.add_argument(
        "--owners",
        type=Path,
        default=os.environ.get("POSTGRES_OWNERS"),
        help="a file of users and passwords; each gets a database of its own instead",
    )
    arguments = parser.parse_args()
    arguments.database = arguments.database or ["concierge"]
    return arguments


def _make_databases(cluster: Cluster, arguments: argparse.Namespace) -> list[str]:
    """Make the databases; return the server's options that say who may reach them."""
    if arguments.owners is None:
        create_databases(cluster, arguments.database)
        return []
    passwords = owners.read_passwords(arguments.owners)
    execute(cluster, owners.statements(passwords))
    return [f"-chba_file={owners.write_access(cluster, passwords)}"]


def _start(cluster: Cluster, port: int, access: list[str]) -> subprocess.Popen[str]:
    options = [f"-c{name}={value}" for name, value in SETTINGS.items()] + access
    return cluster.start(
        cluster.command("postgres", "-p", str(port), *options),
        stdin=subprocess.DEVNULL,
    )


def _start_guard(server: int) -> subprocess.Popen[str]:
    """Start a shell that stops the server fast when this process is killed.

    It waits for the end of a pipe that only this process holds open.
    """
    return subprocess.Popen(  # noqa: S603 (our own words and a number)
        ["/bin/sh", "-c", f"read -r _; kill -INT {server}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # a kill of our whole group must not reach it
        text=True,
    )


def _stop(server: subprocess.Popen[str]) -> None:
    """Stop the server: SIGINT is PostgreSQL's fast shutdown, SIGKILL the last resort.

    Source: PostgreSQL documentation, "Shutting Down the Server".
    """
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if server.poll() is not None:
            return
        server.send_signal(number)
        try:
            server.wait(timeout=FAST_SECONDS)
        except subprocess.TimeoutExpired:
            continue


if __name__ == "__main__":
    sys.exit(main())
