"""What is installed for whom, by what a service's `requirements.txt` lists."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from sandbox.runner.stages import STAGES

STAGE = STAGES[2]
SERVICES = [service.name for service in STAGE.services]
GUARD = Path(__file__).parent
# What the repository has itself, and no service may reach.
OURS = {"concierge", "sandbox", "tests", "load_tests"}


def environment(service: str) -> dict[str, str]:
    """Return an environment in which only a service's own packages are to be found."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join([str(GUARD), str(STAGE.path)]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HIDDEN_PACKAGES": ",".join(sorted(hidden(service))),
    }


def hidden(service: str) -> set[str]:
    """Return what a service must do without: everything that it does not list."""
    listed = STAGE.path / service / "requirements.txt"
    allowed = closure(listed.read_text(encoding="utf-8").splitlines())
    foreign = {
        module
        for module, distributions in installed().items()
        if not allowed & {normal(name) for name in distributions}
    }
    return foreign | OURS | set(SERVICES) - {service}


@cache
def installed() -> Mapping[str, list[str]]:
    """Return the distributions that bring each module; it takes a moment to read."""
    return metadata.packages_distributions()


def closure(lines: list[str]) -> set[str]:
    """Return the distributions that requirements name, and all that those need."""
    waiting = [Requirement(line) for line in lines if not line.startswith("#")]
    found: set[tuple[str, str]] = set()
    while waiting:
        wanted = waiting.pop()
        for extra in ("", *sorted(wanted.extras)):
            key = (normal(wanted.name), extra)
            if key not in found:
                found.add(key)
                waiting.extend(_needs(wanted.name, extra))
    return {name for name, _ in found}


def _needs(name: str, extra: str) -> Iterator[Requirement]:
    for line in metadata.requires(name) or []:
        wanted = Requirement(line)
        if wanted.marker is None or wanted.marker.evaluate({"extra": extra}):
            yield wanted


def normal(name: str) -> str:
    """Write a distribution's name as PEP 503 has it."""
    return re.sub(r"[-_.]+", "-", name).lower()
