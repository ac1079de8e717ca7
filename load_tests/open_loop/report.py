"""What a spike did, in words and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from load_tests import latencies
from load_tests.answers import NO_ANSWER

from .generator import Shot
from .purchases import Answer, Fate

PERCENTS = {"p50": 50.0, "p95": 95.0, "p99": 99.0, "max": 100.0}


def figures(
    shots: Sequence[Shot[Answer]], intended: int, fate: Fate, cpu_share: float
) -> dict[str, Any]:
    """Return everything that is told, latencies in seconds.

    Args:
        shots: all that were answered, refused or given up.
        intended: how many were meant to be sent.
        fate: what became of the accepted orders.
        cpu_share: of one core that the generator used.
    """
    accepted = [shot.corrected for shot in shots if shot.outcome.order]
    labels = Counter(shot.outcome.label for shot in shots)
    return {
        "intended": intended,
        "answered": len(shots),
        "from the intended start": _percentiles([shot.corrected for shot in shots]),
        "from the actual send": _percentiles([shot.naive for shot in shots]),
        "accepted, from intended": _percentiles(accepted),
        "sent late by": _percentiles([shot.lateness for shot in shots]),
        "answers": dict(labels.most_common()),
        "accepted": len(accepted),
        "became": dict(fate.by_status.most_common()),
        "settled_seconds": fate.seconds,
        "cpu_share": cpu_share,
    }


def words(found: dict[str, Any]) -> str:
    """Return the figures as a table."""
    heads = " ".join(f"{head:>9}" for head in PERCENTS)
    lines = [f"{'milliseconds':26} {heads}"]
    for name, row in found.items():
        if isinstance(row, dict) and row.keys() == PERCENTS.keys():
            times = " ".join(f"{1000 * value:9.1f}" for value in row.values())
            lines.append(f"{name:26} {times}")
    lines += ["", f"answers to {found['intended']} purchases:"]
    lines += [f"{count:8}  {label}" for label, count in found["answers"].items()]
    if unanswered := found["intended"] - found["answered"]:
        lines.append(f"{unanswered:8}  not sent or not waited for: stopped early")
    ends = ", ".join(f"{count} {end}" for end, count in found["became"].items())
    lines += [
        "",
        f"accepted orders: {found['accepted']}; of them {ends or 'none'}, "
        f"the last {found['settled_seconds']:.1f} s after the last answer",
        f"generator: {100 * found['cpu_share']:.0f} % of one core",
    ]
    return "\n".join(lines)


def wrong(found: dict[str, Any]) -> str | None:
    """Return why a spike is a failure, for a person, or None when it is none.

    Refusals are the stage's right. Not to keep what it accepted is not, and a spike of
    which nobody said anything has shown nothing.
    """
    if lost := found["accepted"] - found["became"].get("confirmed", 0):
        return f"{lost} accepted orders were not confirmed."
    if all(label.startswith(NO_ANSWER) for label in found["answers"]):
        return (
            "Nothing was answered. Look whether the stage is still up, and try again."
        )
    return None


def _percentiles(seconds: list[float]) -> dict[str, float]:
    if not seconds:
        return {}
    histogram = latencies.of(seconds)
    return {name: histogram.percentile(value) for name, value in PERCENTS.items()}
