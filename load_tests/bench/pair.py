"""The monolith and the split services side by side, on equally many workers."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sandbox.runner import RunningStage, started
from sandbox.runner.stages import STAGES
from sandbox.runner.state import RUN_ROOT
from tests.backstage import backstage_of
from tests.guest import Guest

from .guests import PLENTY, PRODUCT_ID
from .servers import Server, server_at

# Between the services' own ports there is room for the monolith's five.
MONOLITH_BELOW = 3
MONOLITH, SERVICES = STAGES[1], STAGES[2]
WORKERS = len(SERVICES.services)
# What both stages have, beside what they are compared in.
BESIDE = {"database": 30, "Stripe sandbox": 10, "mailbox": 20}


@dataclass(frozen=True)
class Side:
    """One of the two stages while it runs.

    Attributes:
        running: the stage.
        servers: its gunicorns by name, each with its workers.
        roots: the processes whose CPU time is watched with every load, by name.
        tokens: of as many guests as there will be connections.
    """

    running: RunningStage
    servers: dict[str, Server]
    roots: dict[str, int]
    tokens: list[str]

    @property
    def port(self) -> int:
        """Where guests come in."""
        return int(self.running.site_url.rpartition(":")[2])


@dataclass(frozen=True)
class Pair:
    """Both stages."""

    monolith: Side
    services: Side


@contextmanager
def both(port_base: int, log_level: str, guests: int) -> Iterator[Pair]:
    """Start both stages with empty databases; stop them at the end.

    Args:
        port_base: the first port of the services; the monolith's is a little below.
        log_level: of both.
        guests: how many sign up at each.

    Raises:
        StartError: something did not come up.
    """
    shared = {"LOG_LEVEL": log_level, "NLU_ENGINE": "light", "REPLICAS": ""}
    with (
        fresh(
            1, "bench-monolith", port_base - MONOLITH_BELOW, shared, WORKERS
        ) as monolith,
        fresh(2, "bench-services", port_base, shared, 1) as services,
    ):
        yield Pair(_monolith(monolith, guests), _services(services, guests))


@contextmanager
def strong_monolith(port_base: int, guests: int) -> Iterator[Side]:
    """Start a monolith with the strong engine, alone; stop it at the end.

    Args:
        port_base: as of `both`.
        guests: how many sign up.

    Raises:
        StartError: it did not come up.
    """
    engine = {"NLU_ENGINE": "strong"}
    base = port_base - MONOLITH_BELOW
    with fresh(1, "bench-strong", base, engine, workers=1) as running:
        yield _monolith(running, guests)


@contextmanager
def fresh(
    stage: int, name: str, port_base: int, env: dict[str, str], workers: int
) -> Iterator[RunningStage]:
    """Start a stage with an empty database and full shelves; stop it at the end.

    Args:
        stage: its number.
        name: of the run; what an earlier one of this name left goes.
        port_base: its first port.
        env: settings.
        workers: of each of its servers.

    Raises:
        StartError: it did not come up.
    """
    shutil.rmtree(RUN_ROOT / name, ignore_errors=True)
    env = env | {"WEB_CONCURRENCY": str(workers)}
    with started(stage, name=name, port_base=port_base, env=env) as running:
        backstage_of(running).set_stock(PRODUCT_ID, PLENTY)
        yield running


def _monolith(running: RunningStage, guests: int) -> Side:
    return _side(running, {"monolith": 0}, {}, guests)


def _services(running: RunningStage, guests: int) -> Side:
    offsets = {service.name: service.offsets[0] for service in SERVICES.services}
    return _side(running, offsets, {"nginx": 0, "Redis": 35}, guests)


def _side(
    running: RunningStage, gunicorns: dict[str, int], more: dict[str, int], guests: int
) -> Side:
    base = int(running.site_url.rpartition(":")[2])
    servers = {name: server_at(base + at) for name, at in gunicorns.items()}
    beside = {name: server_at(base + at) for name, at in (BESIDE | more).items()}
    roots = {name: server.master for name, server in (servers | beside).items()}
    tokens = [Guest(running).token for _ in range(guests)]
    return Side(running, servers, roots, tokens)
