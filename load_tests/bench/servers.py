"""The stage under measurement and the bare views beside it, on one database."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from sandbox.runner import Port, RunningStage, Stage, started
from sandbox.runner.state import RUN_ROOT

POSTGRES_OFFSET = 30
BARE = Stage(
    number=1,
    folder="load_tests/bench/bare",
    port_base=8193,
    ports=(
        Port("PORT", 0, "no_database"),
        Port("SAME_STATEMENTS_PORT", 1, "same_statements"),
        Port("IN_A_TRANSACTION_PORT", 2, "in_a_transaction"),
        Port("ONE_STATEMENT_PORT", 3, "one_statement"),
    ),
    health_path="/v1/products",
)
BARE_OFFSET = 36


@dataclass(frozen=True)
class Memory:
    """What a worker holds in memory, in MiB.

    Attributes:
        resident: RSS: all of its pages, shared ones in full.
        proportional: PSS: shared pages divided among those who share them.
        unique: USS: what its end would free.
    """

    resident: float
    proportional: float
    unique: float


@dataclass(frozen=True)
class Server:
    """One gunicorn: where it listens, and its master process."""

    port: int
    master: int

    def memory(self) -> list[Memory]:
        """Return what each of its workers holds now."""
        workers = psutil.Process(self.master).children()
        return [_memory(worker) for worker in workers]


@dataclass(frozen=True)
class Servers:
    """Everything that runs during a benchmark.

    Attributes:
        running: the stage.
        product: the stage's gunicorn.
        bare: the bare views' gunicorns by name.
        database_port: of PostgreSQL.
        roots: the processes whose CPU time is watched with every load, by name.
    """

    running: RunningStage
    product: Server
    bare: dict[str, Server]
    database_port: int
    roots: dict[str, int]

    @property
    def database_url(self) -> str:
        """The stage's database, for what cannot be done over the API."""
        return f"postgresql://postgres@127.0.0.1:{self.database_port}/concierge"


@contextmanager
def everything(stage: int, port_base: int, log_level: str) -> Iterator[Servers]:
    """Start a stage with an empty database, and the bare views; stop them at the end.

    Args:
        stage: its number.
        port_base: the stage's first port; the bare views use those from 36 on.
        log_level: the stage's; the bare views write nothing a request at any.

    Raises:
        StartError: something did not come up.
    """
    name = f"stage{stage}-bench"
    database_port = port_base + POSTGRES_OFFSET
    url = f"postgresql+psycopg://postgres@127.0.0.1:{database_port}/concierge"
    for old in (name, f"{name}-bare"):
        shutil.rmtree(Path(RUN_ROOT) / old, ignore_errors=True)
    with (
        started(
            stage, name=name, port_base=port_base, env={"LOG_LEVEL": log_level}
        ) as running,
        started(
            BARE,
            name=f"{name}-bare",
            port_base=port_base + BARE_OFFSET,
            env={"DATABASE_URL": url},
        ),
    ):
        bare = {
            port.part: server_at(port_base + BARE_OFFSET + port.offset)
            for port in BARE.ports
        }
        roots = {"database": _listener(database_port)}
        yield Servers(running, server_at(port_base), bare, database_port, roots)


def server_at(port: int) -> Server:
    """Return who listens on a port of loopback.

    Raises:
        RuntimeError: nobody of ours does.
    """
    return Server(port, _listener(port))


def _listener(port: int) -> int:
    """Return the process that listens on a port: the parent of all who do."""
    for process in psutil.process_iter():
        if _listens(process, port):
            while (parent := process.parent()) and _listens(parent, port):
                process = parent
            return process.pid
    raise RuntimeError(f"nobody of ours listens on port {port} any more; see .run/")


def _listens(process: psutil.Process, port: int) -> bool:
    try:
        connections = process.net_connections("tcp4")
    except psutil.Error:
        return False
    return any(
        connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
        for connection in connections
    )


def _memory(worker: psutil.Process) -> Memory:
    info = worker.memory_full_info()
    # Only Linux tells the proportional share.
    sizes = (info.rss, getattr(info, "pss", info.rss), info.uss)
    return Memory(*(size / 2**20 for size in sizes))
