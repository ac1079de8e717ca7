"""Stage 3's functions in Markdown, from what is also written as JSON."""

from __future__ import annotations

from typing import Any

from .report import interval, middle, table
from .statistics import percentile

WHAT = (
    "One guest, one call after the other. *Answer* is what the caller waits, through "
    "API Gateway where there is one; cold, a new worker was started first. *Duration*, "
    "*billed* and *said to be used* are from Lambda's `REPORT` lines. Medians; of the "
    "warm answers the 95th percentile as well."
)
LIMITS = (
    "This is MiniStack on one machine and says nothing about AWS's cold starts. Its "
    "`REPORT` lines have no `Init Duration`, its cold duration has the start of the "
    "worker in it, what is billed is the duration in whole milliseconds, and the "
    "memory said to be used is that of the largest process that has ended, of any "
    "function. *Resident* is the worker's own, read from the system."
)
HEAD = (
    "function",
    "call",
    "cold answer, ms",
    "cold duration",
    "warm answer, ms (p95)",
    "warm duration",
    "billed",
    "memory size, MB",
    "said to be used",
    "resident, MiB",
    "package, MiB",
    "unpacked",
)


def markdown(result: dict[str, Any]) -> str:
    """Return the tables of a result."""
    how = f"{WHAT} {result['cold']} cold starts and {result['warm']} warm calls each."
    return "\n\n".join(
        [
            "# Benchmark of stage 3: its functions",
            table(("", ""), result["machine"].items()),
            how,
            table(HEAD, [_row(function) for function in result["functions"]]),
            LIMITS,
            *([_visits(result)] if "visits" in result else []),
        ]
    )


def _visits(result: dict[str, Any]) -> str:
    visits = result["visits"]
    ratio = visits["ratio"]
    how = (
        "One guest, whose visit is GET products, two messages, a checkout and GET of "
        f"the order; {result['rounds']} rounds in turns, {result['visits_a_round']} "
        "visits each, all workers warm, the signing not counted. Rates are medians; "
        "the ratio is the geometric mean over rounds, its interval Student's of their "
        "logarithms. It compares MiniStack with nginx and gunicorn on one machine: "
        "what API Gateway, Lambda and DynamoDB take is not in it."
    )
    row = (
        f"{middle(visits['functions']):.2f}",
        f"{middle(visits['services']):.2f}",
        f"**{ratio['estimate']:.3f}**",
        interval(ratio, 3),
    )
    head = ("functions, visits/s", "services, visits/s", "ratio", "95 % interval")
    kinds = [
        (kind, *(f"{each:.1f}" for each in times))
        for kind, times in visits["p50"].items()
    ]
    return "\n\n".join(
        [
            "## Visits against stage 2",
            how,
            table(head, [row]),
            table(("p50 ms", "services", "functions"), kinds),
        ]
    )


def _row(function: dict[str, Any]) -> tuple[str, ...]:
    warm, reports = function["warm"], function["warm_reports"]
    return (
        function["name"],
        function["call"],
        f"{percentile(function['cold'], 50):.0f}",
        _of(function["cold_reports"], "duration"),
        f"{percentile(warm, 50):.1f} ({percentile(warm, 95):.1f})",
        _of(reports, "duration"),
        _of(reports, "billed"),
        str(reports[-1]["size"]),
        str(max(report["used"] for report in reports)),
        _known(function["resident"], 0),
        _known(function["package"], 1),
        _known(function["unpacked"], 1),
    )


def _of(reports: list[dict[str, Any]], what: str) -> str:
    return f"{percentile([report[what] for report in reports], 50):.0f}"


def _known(figure: float | None, digits: int) -> str:
    return "not seen" if figure is None else f"{figure:.{digits}f}"
