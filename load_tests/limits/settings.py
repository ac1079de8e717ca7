"""The limits that we set ourselves, read from the stages' own files."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from load_tests.costs.prices import decimals

REPOSITORY = Path(__file__).resolve().parents[2]
QUOTAS = Path(__file__).with_name("limits.yaml")
MONOLITH = REPOSITORY / "stage1_monolith"
SERVICES = REPOSITORY / "stage2_split_services"
FOLDERS = {3: "stage3_serverless", 4: "stage4_async"}


class SettingNotFound(Exception):
    """A stage's file does not say any more what the limits model reads there."""


@cache
def quotas() -> Any:
    """Read `limits.yaml`, each number as an exact decimal."""
    return decimals(QUOTAS.read_text(encoding="utf-8"))


def threads(home: Path = MONOLITH) -> int:
    """Return the threads of one worker, as `gunicorn.conf.py` has them."""
    return _number(home / "gunicorn.conf.py", r'"WEB_THREADS", "(\d+)"')


def connections(package: Path = MONOLITH / "concierge") -> int:
    """Return the connections to PostgreSQL that one worker may hold."""
    source = package / "connections.py"
    pool = _number(source, r"connections: int = (\d+)")
    return pool + _number(source, r"max_overflow=(\d+)")


def pooled(service: str) -> int:
    """Return the connections that one worker of a service may hold, 0 without a pool.

    Args:
        service: of stage 2.
    """
    package = SERVICES / service
    return connections(package) if (package / "connections.py").exists() else 0


def api_rate(stage: int) -> int:
    """Return the requests a second that the stage's public API lets through."""
    return _parameter(stage, "Rate")


def api_burst(stage: int) -> int:
    """Return the requests that it lets through at once."""
    return _parameter(stage, "Burst")


def consumers() -> int:
    """Return how many payments stage 4 charges at once, or what is assumed of it."""
    return int(_of_payments(r"(?m)^WORKERS = (\d+)", "consumers"))


def paced_rate() -> float:
    """Return the requests a second that these send to Stripe, all of them together."""
    return _of_payments(r"(?m)^    stripe_rate: .+ = ([\d.]+)$", "paced_rate")


def charged_a_second(stripe_ms: float = 300) -> float:
    """Return the payments a second that the queue lets through to Stripe.

    So many at once by the time of each (Little's law), and no more than their pace.

    Args:
        stripe_ms: what Stripe takes for a checkout, milliseconds.
    """
    each_ms = number("consumer_ms") + stripe_ms
    at_once = consumers() / (each_ms / 1000)
    return min(at_once, paced_rate() / number("stripe", "calls_a_checkout"))


def number(*path: str) -> float:
    """Return a quota by its place in `limits.yaml`."""
    found = quotas()
    for name in path:
        found = found[name]
    return float(Decimal(found))


def _parameter(stage: int, name: str) -> int:
    source = REPOSITORY / FOLDERS[stage] / "public_api.yaml"
    if not source.exists():  # stage 4 keeps the API of stage 3
        source = REPOSITORY / FOLDERS[3] / "public_api.yaml"
    return _number(source, rf"(?m)^  {name}:\n    Type: Number\n    Default: (\d+)")


def _of_payments(pattern: str, otherwise: str) -> float:
    source = REPOSITORY / FOLDERS[4] / "payments" / "chalicelib" / "config.py"
    text = source.read_text(encoding="utf-8") if source.exists() else ""
    found = re.search(pattern, text)
    return float(found[1]) if found else number(otherwise)


def _number(source: Path, pattern: str) -> int:
    found = re.search(pattern, source.read_text(encoding="utf-8"))
    if not found:
        raise SettingNotFound(
            f"{source.relative_to(REPOSITORY)} has no {pattern}: bring "
            "load_tests/limits/settings.py in step with it."
        )
    return int(found[1])
