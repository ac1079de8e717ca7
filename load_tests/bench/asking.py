"""What one service's call of another costs: reads a plan, writes the times of calls.

The calls are those that the product itself makes, from one thread: the monolith asks
its catalogue by a function, checkout asks its by `calls.py`. A process of its own, for
both stages' folders must be importable.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Protocol

import msgspec

from sandbox.runner.stages import REPOSITORY, STAGES

from .load import LoadError

TIMEOUT_SECONDS = 120
WARM_UP_CALLS = 50


class Product(Protocol):
    """A product, whichever stage's."""

    name: str


class Questions(msgspec.Struct, kw_only=True):
    """What to ask, and how often.

    Attributes:
        product_id: which product is read.
        key: the secret by which the catalogue knows checkout.
        database_url: of the monolith.
        urls: where the catalogue is asked over HTTP, by the way's name.
        rounds: how often the ways take turns.
        calls: so many a turn.
    """

    product_id: str
    key: str
    database_url: str
    urls: dict[str, str]
    rounds: int
    calls: int


def ask(questions: Questions) -> dict[str, list[list[float]]]:
    """Ask in a process of its own; return the seconds of each call by way and round.

    Raises:
        LoadError: something was not answered.
    """
    folders = [REPOSITORY, *(STAGES[number].path for number in (1, 2))]
    found = os.pathsep.join(str(folder) for folder in folders)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "load_tests.bench.asking"],
            input=msgspec.json.encode(questions),
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": found},
            timeout=TIMEOUT_SECONDS,
            check=True,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise LoadError(f"the catalogue could not be asked: {error}") from error
    return msgspec.json.decode(done.stdout, type=dict[str, list[list[float]]])


def _perform(questions: Questions) -> dict[str, list[list[float]]]:
    ways = {"function": _by_function(questions)} | {
        name: _by_http(questions, url) for name, url in questions.urls.items()
    }
    told = {way().name for way in ways.values()}
    if len(told) != 1:
        raise SystemExit(f"the stages do not sell the same: {told}")
    seen: dict[str, list[list[float]]] = {name: [] for name in ways}
    for _ in range(questions.rounds):
        for name, way in ways.items():
            seen[name].append(_timed(way, questions.calls))
    return seen


def _timed(way: Callable[[], Product], calls: int) -> list[float]:
    for _ in range(WARM_UP_CALLS):
        way()
    found = []
    for _ in range(calls):
        began = time.perf_counter()
        way()
        found.append(time.perf_counter() - began)
    return found


def _by_function(questions: Questions) -> Callable[[], Product]:
    from concierge.catalog import Catalog
    from concierge.database import Database

    catalog = Catalog(Database(questions.database_url))
    return lambda: catalog.product(questions.product_id)


def _by_http(questions: Questions, url: str) -> Callable[[], Product]:
    from checkout.calls import Callee, Patience
    from checkout.catalog import Catalog

    catalog = Catalog(Callee("catalog", url, Patience()), questions.key)
    return lambda: catalog.product(questions.product_id)


if __name__ == "__main__":
    questions = msgspec.json.decode(sys.stdin.buffer.read(), type=Questions)
    sys.stdout.buffer.write(msgspec.json.encode(_perform(questions)))
