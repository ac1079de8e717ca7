"""The state of a run on disk: its lock, and the file that says where it is ready."""

from __future__ import annotations

import fcntl
import json
import os
import time
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import IO, TypedDict

from .ending import lives
from .stages import REPOSITORY, RUN_COMMAND

RUN_ROOT = REPOSITORY / ".run"
LEFTOVER_SECONDS = 15.0


class RunningReplica(TypedDict):
    """One replica of a service: its address, and the id of its process group."""

    url: str
    group: int


@dataclass(frozen=True)
class RunningStage:
    """A stage that is ready.

    `api_url` ends in /v1, the other addresses have no slash at the end; `mailbox_url`
    is `None` when mail goes to an SMTP server of the user's. `services` are those that
    live behind a gateway, with all their replicas. What follows them is of a stage on
    the local AWS: the names of tables and queues and the ids of the services' own APIs,
    each by the service that it is of.
    """

    stage: int
    name: str
    site_url: str
    api_url: str
    auth: str
    stripe_url: str
    mailbox_url: str | None
    runner_pid: int
    services: dict[str, list[RunningReplica]] = field(default_factory=dict)
    aws_endpoint_url: str | None = None
    region: str | None = None
    user_pool_id: str | None = None
    user_pool_client_id: str | None = None
    identity_pool_id: str | None = None
    tables: dict[str, str] = field(default_factory=dict)
    queues: dict[str, str] = field(default_factory=dict)
    service_apis: dict[str, str] = field(default_factory=dict)

    @property
    def page_url(self) -> str:
        """The address to open in a browser; S3 has no page for a bare slash there."""
        return self.site_url + ("/" if self.aws_endpoint_url is None else "/index.html")


# What the state file of a stage without an AWS does not have.
OF_AWS = {
    "aws_endpoint_url",
    "region",
    "user_pool_id",
    "user_pool_client_id",
    "identity_pool_id",
    "tables",
    "queues",
    "service_apis",
}


class AlreadyRunningError(Exception):
    """The very same run is up already; the message says what runs where."""


@dataclass(frozen=True)
class Places:
    """Where a run keeps its files: `<root>/<name>.json` and `<root>/<name>/`."""

    root: Path
    name: str

    @property
    def state(self) -> Path:
        """The file that exists while the run is ready."""
        return self.root / f"{self.name}.json"

    @property
    def data(self) -> Path:
        """The folder of the parts' durable data."""
        return self.root / self.name

    @property
    def logs(self) -> Path:
        """The folder of the parts' full output."""
        return self.data / "logs"

    @property
    def lock(self) -> Path:
        """The file that a run keeps locked; it holds the runner's pid."""
        return self.data / "runner.lock"


def write_state(places: Places, running: RunningStage) -> None:
    """Write the state file at one stroke: a reader sees all of it or none."""
    draft = places.state.with_suffix(".json.new")
    told = asdict(running)
    if running.aws_endpoint_url is None:
        told = {name: value for name, value in told.items() if name not in OF_AWS}
    draft.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    draft.replace(places.state)


def read_state(places: Places) -> RunningStage | None:
    """Return the state of a run, or `None` when it is not ready or not there."""
    try:
        found = json.loads(places.state.read_text(encoding="utf-8"))
        known = {known.name for known in fields(RunningStage)}
        running = RunningStage(**{k: v for k, v in found.items() if k in known})
    except (OSError, ValueError, TypeError, AttributeError):
        return None
    return running if lives(running.runner_pid) else None


def acquire(places: Places) -> IO[str]:
    """Lock a run for this process; the lock ends with the returned file.

    When the last runner was killed, its guard holds the lock until it has ended the
    parts; that is waited for.

    Raises:
        AlreadyRunningError: another runner holds it.
    """
    places.data.mkdir(parents=True, exist_ok=True)
    lock = places.lock.open("a+", encoding="utf-8")
    deadline = time.monotonic() + LEFTOVER_SECONDS
    while not _locked(lock):
        lock.seek(0)
        pid = int(lock.read() or 0)
        if time.monotonic() > deadline or (pid and lives(pid)):
            lock.close()
            raise AlreadyRunningError(_what_runs_where(places, pid))
        time.sleep(0.1)
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    places.state.unlink(missing_ok=True)
    return lock


def _locked(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _what_runs_where(places: Places, pid: int) -> str:
    running = read_state(places)
    where = (
        f"is running already: {running.page_url} (mailbox {running.mailbox_url}/)"
        if running
        else "is being started or stopped already"
    )
    return (
        f"{places.name} {where}, runner pid {pid}.\n"
        f"Stop it with Ctrl-C in its terminal or with: kill {pid}\n"
        "Or start one more beside it, under another name and on other ports: "
        f"{RUN_COMMAND} STAGE --name second --port-base 9100"
    )
