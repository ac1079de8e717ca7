"""The processes of a running stage: their CPU time, their memory, and their cores."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
import psutil

MIB = 2**20
WORKER = re.compile(r"ministack-lambda-concierge-local-(.+?)-[^-/]+/")
GUNICORN = re.compile(r"(\w+)\.app:create_app")
# What a process of a run is, by words of its command, or of its parent's.
KINDS = (
    ("sandbox.stripe", "Stripe stand-in"),
    ("sandbox.supplier", "supplier stand-in"),
    ("sandbox.mailbox", "mailbox"),
    ("sandbox.postgres", "PostgreSQL"),
    ("bin/postgres", "PostgreSQL"),
    ("postgres:", "PostgreSQL"),
    ("sandbox.redis", "Redis"),
    ("redis-server", "Redis"),
    ("sandbox.nginx", "nginx"),
    ("nginx", "nginx"),
    ("sandbox/aws/server.py", "MiniStack"),
    ("sandbox.aws", "MiniStack"),
    ("sandbox.runner", "runner"),
    ("-m deployment", "runner"),
)
OTHER = "other"


class Held(msgspec.Struct, kw_only=True):
    """What one process holds in memory, in MiB.

    Attributes:
        part: what it is: "concierge", "function catalog-api", "PostgreSQL".
        resident: RSS: all of its pages, those that it shares in full.
        unique: USS: what its end would free.
    """

    part: str
    resident: float
    unique: float


def part_of(words: str, above: str = OTHER) -> str:
    """Return what a process is.

    Args:
        words: its command.
        above: what its parent is, which it is too unless its own words say more.
    """
    if found := WORKER.search(words):
        return f"function {found[1]}"
    if found := GUNICORN.search(words):
        return found[1]
    for said, part in KINDS:
        if said in words:
            # PostgreSQL, nginx and others start processes that are named otherwise.
            return part
    return above


def family(root: int) -> Iterator[tuple[psutil.Process, str]]:
    """Return a process and all below it, each with what it is.

    Args:
        root: the runner of a stage.
    """
    above = psutil.Process(root)
    parts = {root: "runner"}
    yield above, parts[root]
    # Parents come before their children.
    for process in above.children(recursive=True):
        with contextlib.suppress(psutil.Error):
            words = " ".join(process.cmdline())
            parts[process.pid] = part_of(words, parts.get(process.ppid(), OTHER))
            yield process, parts[process.pid]


def cpu_seconds(root: int) -> dict[str, float]:
    """Return the CPU time that all processes of a run have used, by what they are.

    Those that have ended count with who started them.
    """
    found: dict[str, float] = {}
    for process, part in family(root):
        with contextlib.suppress(psutil.Error):
            times = process.cpu_times()
            # Of those that ended only Linux tells, and nobody where they were not
            # waited for.
            ended = getattr(times, "children_user", 0.0) + getattr(
                times, "children_system", 0.0
            )
            used = times.user + times.system + ended
            found[part] = found.get(part, 0.0) + used
    return found


def memory(root: int) -> list[Held]:
    """Return what each process of a run holds now, the largest first."""
    found = []
    for process, part in family(root):
        with contextlib.suppress(psutil.Error):
            held = process.memory_full_info()
            found.append(
                Held(part=part, resident=held.rss / MIB, unique=held.uss / MIB)
            )
    return sorted(found, key=lambda held: -held.unique)


def cores() -> list[int]:
    """Return the cores that we may use; none where the system cannot say."""
    if not hasattr(os, "sched_getaffinity"):
        return []
    return sorted(os.sched_getaffinity(0))


def idle_and_all(those: Sequence[int]) -> tuple[float, float]:
    """Return the seconds in which cores did nothing, and all their seconds.

    Args:
        those: numbers of cores; none for all.
    """
    every = psutil.cpu_times(percpu=True)
    chosen = [every[core] for core in those] if those else every
    waits = sum(times.idle + getattr(times, "iowait", 0.0) for times in chosen)
    # A virtual machine's guests are in `user` already.
    whole = sum(sum(times[:8]) for times in chosen)
    return waits, whole


def move(root: int, onto: Iterable[int]) -> None:
    """Have all threads of a run, and what they start, compute on these cores only.

    Args:
        root: the runner of the stage.
        onto: numbers of cores.
    """
    chosen = set(onto)
    for process, _ in list(family(root)):
        with contextlib.suppress(OSError):
            for thread in Path(f"/proc/{process.pid}/task").iterdir():
                os.sched_setaffinity(int(thread.name), chosen)
