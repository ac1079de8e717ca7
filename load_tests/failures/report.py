"""The table of a run, and what is wrong in it."""

from __future__ import annotations

from itertools import groupby
from statistics import median
from typing import Any

from .measure import Answers
from .operations import OPERATIONS, Answer, Operation

# What the measuring itself may cost on a busy machine.
GRACE_SECONDS = 0.7
# A slowest answer is told beside the usual one when it took this much longer; and
# what is quicker than this is just quick, in the short table.
WORTH_TELLING_SECONDS = 0.5

# Operations that are answered alike, and in the short table together.
ALIKE = {
    "sign up, log in, log out": ("signup", "login", "logout"),
    "chat": ("nlu",),
    "catalogue": ("products", "product", "partner"),
    "checkout": ("checkout",),
    "orders": ("orders", "order"),
    "health": ("health",),
    "page": ("page",),
}
WELL = {operation.name: operation.well for operation in OPERATIONS}


def markdown(answers: Answers, cap: float) -> str:
    """Return the table: a row for each failure, a column for each operation."""
    names = [operation.name for operation in OPERATIONS]
    lines = [
        "| service | failure | " + " | ".join(names) + " |",
        "|---|---|" + "---|" * len(names),
    ]
    for service, failures in answers.items():
        for failure, seen in failures.items():
            cells = [cell(seen[name], cap) for name in names]
            lines.append(f"| `{service}` | {failure} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def cell(tries: list[Answer], cap: float) -> str:
    """Return status and seconds of the usual answer, with the slowest if it differs.

    Args:
        tries: the answers of one operation during one failure.
        cap: when a try was given up (seconds).
    """
    answered = [a for a in tries if a.status]
    if not answered:
        return f">{cap:g}"
    statuses = dict.fromkeys(str(a.status) for a in answered)
    usual = median(a.seconds for a in answered)
    slowest = max(a.seconds for a in answered)
    told = f"{'/'.join(statuses)} {_seconds(usual)}"
    if len(answered) < len(tries):
        told += f" (>{cap:g})"
    elif slowest - usual > WORTH_TELLING_SECONDS:
        told += f" ({_seconds(slowest)})"
    return told


def short(answers: Answers, cap: float) -> str:
    """Return the table for a reader: what is alike together, seconds where they count.

    Args:
        answers: of one run.
        cap: when a try was given up (seconds).
    """
    lines = [
        "| service | is | " + " | ".join(ALIKE) + " |",
        "|---|---|" + "---|" * len(ALIKE),
    ]
    for service, failures in answers.items():
        rows = [(_short_row(seen, cap), failure) for failure, seen in failures.items()]
        for row, alike in groupby(rows, key=lambda each: each[0]):
            names = " or ".join(failure for _, failure in alike)
            lines.append(f"| `{service}` | {names} | {row} |")
    return "\n".join(lines)


def _short_row(seen: dict[str, list[Answer]], cap: float) -> str:
    cells = []
    for names in ALIKE.values():
        told = {_short_cell(seen[name], WELL[name], cap) for name in names}
        # Of what is alike, the one that took longest.
        cells.append(max(told, key=lambda words: (len(words), words)))
    return " | ".join(cells)


def _short_cell(tries: list[Answer], well: int, cap: float) -> str:
    answered = [a for a in tries if a.status]
    if not answered:
        return f"nothing in {cap:g} s"
    statuses = {"ok" if a.status == well else str(a.status) for a in answered}
    told = "/".join(sorted(statuses))
    usual = median(a.seconds for a in answered)
    slowest = max(a.seconds for a in answered)
    if usual > WORTH_TELLING_SECONDS:
        told += f", {usual:.0f} s"
    if len(answered) < len(tries):
        told += f", or nothing in {cap:g} s"
    elif slowest - usual > WORTH_TELLING_SECONDS:
        told += f", once {slowest:.0f} s"
    return told


def wrong(answers: Answers) -> list[str]:
    """Return what must not be with `RESILIENCE=on`: empty when all is as promised.

    An operation that does not need the failed service succeeds; any other succeeds or
    says honestly that it cannot (503); and none takes longer than its deadline.
    """
    found = []
    for service, failures in answers.items():
        for failure, seen in failures.items():
            for operation in OPERATIONS:
                where = f"{service} {failure}: {operation.name}"
                for told in _wrong(operation, service, seen[operation.name]):
                    found.append(f"{where} {told}")
    return found


def _wrong(operation: Operation, service: str, tries: list[Answer]) -> list[str]:
    allowed = {operation.well} | ({503} if service in operation.needs else set())
    statuses = {a.status for a in tries} - allowed
    slowest = max(a.seconds for a in tries)
    told = []
    if statuses:
        told.append(f"answered {', '.join(map(str, sorted(statuses, key=str)))}")
    if slowest > operation.deadline + GRACE_SECONDS:
        told.append(f"took {slowest:.1f} s of {operation.deadline:g}")
    return told


def needs() -> str:
    """Return the table of what each operation needs, and of its deadline."""
    lines = ["| operation | needs | deadline |", "|---|---|---|"]
    for operation in OPERATIONS:
        services = ", ".join(f"`{name}`" for name in operation.needs) or "–"
        lines.append(f"| {operation.name} | {services} | {operation.deadline:g} s |")
    return "\n".join(lines)


def as_json(answers: Answers) -> dict[str, Any]:
    """Return the answers as JSON has them: each try as status and seconds."""
    return {
        service: {
            failure: {
                name: [[a.status, round(a.seconds, 3)] for a in tries]
                for name, tries in seen.items()
            }
            for failure, seen in failures.items()
        }
        for service, failures in answers.items()
    }


def from_json(found: dict[str, Any]) -> Answers:
    """Return answers as they were before `as_json`."""
    return {
        service: {
            failure: {
                name: [Answer(status, seconds) for status, seconds in tries]
                for name, tries in seen.items()
            }
            for failure, seen in failures.items()
        }
        for service, failures in found.items()
    }


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f}" if seconds < 0.995 else f"{seconds:.1f}"
