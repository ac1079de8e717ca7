"""Copies of the monolith behind nginx, on one PostgreSQL."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import psycopg

from load_tests import gateway
from sandbox.nginx import upstreams
from sandbox.runner import Port, RunningStage, Stage, StartError, asking
from sandbox.runner.ports import accepts
from sandbox.runner.stages import SANDBOX_PORTS, Service
from sandbox.runner.state import RUN_ROOT, Places, read_state

from .lab import Lab

MOST = 6
INTERNAL_OFFSET = 8
FOLLOW_SECONDS = 10.0
PATIENCE_SECONDS = 60.0
FLEET = Stage(
    number=1,
    folder="load_tests/experiments/fleet",
    port_base=8100,
    ports=(
        Port("PORT", 0, "gateway"),
        Port("GATEWAY_INTERNAL_PORT", INTERNAL_OFFSET, "gateway"),
        *SANDBOX_PORTS,
    ),
    services=(Service("web", tuple(range(1, MOST + 1)), 11, ("WEB_DATABASE_URL",)),),
)


@contextmanager
def fleet(
    lab: Lab, copies: int, env: Mapping[str, str] | None = None
) -> Iterator[RunningStage]:
    """Start copies of the monolith, a load balancer and one database.

    Args:
        lab: where.
        copies: how many, up to 6.
        env: variables on top of this process's.

    Raises:
        StartError: something did not come up.
    """
    told = {"REPLICAS": f"web={copies}"} | dict(env or {})
    with lab.stage(FLEET, told) as running:
        yield running


def fill(running: RunningStage, product_id: str, stock: int) -> None:
    """Put exactly so many of a product on the fleet's shelf."""
    port = int(running.site_url.rpartition(":")[2]) + 30
    secrets = json.loads((RUN_ROOT / running.name / "secrets.json").read_text())
    password = secrets["databases"]["web"]
    url = f"postgresql://web:{password}@127.0.0.1:{port}/web"
    with psycopg.connect(url, connect_timeout=5) as connection:
        connection.execute(
            "UPDATE products SET stock = %s WHERE product_id = %s", [stock, product_id]
        )


def use(running: RunningStage, copies: int) -> None:
    """Have the load balancer send guests to the first so many copies only.

    Raises:
        StartError: it does not follow within ten seconds.
    """
    base = int(running.site_url.rpartition(":")[2])
    place = RUN_ROOT / running.name / "upstreams.json"
    now = upstreams.read(place)
    ports = {"web": [base + offset for offset in FLEET.services[0].offsets[:copies]]}
    changed = replace(now, version=now.version + 1, ports=ports)
    gateway.follow(place, changed, base + INTERNAL_OFFSET, FOLLOW_SECONDS)


def stop(running: RunningStage) -> None:
    """Have the only copy end as it does when it is asked to, and wait until it has."""
    now = read_state(Places(RUN_ROOT, running.name))
    if now is None:
        raise StartError(f"{running.name} does not run any more.")
    [copy] = now.services["web"]
    os.killpg(copy["group"], signal.SIGTERM)
    deadline = time.monotonic() + FOLLOW_SECONDS
    while accepts(int(copy["url"].rpartition(":")[2])):
        if time.monotonic() > deadline:
            raise StartError("The monolith does not stop; see .run/.")
        time.sleep(0.05)


def start(running: RunningStage) -> bool:
    """Have a copy start in the place of what is there; tell whether it came up."""
    places = Places(RUN_ROOT, running.name)
    return asking.ask(places, "web", PATIENCE_SECONDS).done
