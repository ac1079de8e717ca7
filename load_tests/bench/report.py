"""The benchmark's results in Markdown, from what is also written as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .measure import BARE_VIEWS


def markdown(result: dict[str, Any]) -> str:
    """Return the tables of a result."""
    return "\n\n".join(
        [
            f"# Benchmark of stage {result['stage']}",
            _machine(result),
            *([_throughput(result)] if result["comparisons"] else []),
            *([_latency(result), _memory(result)] if result["figures"] else []),
        ]
    )


def _machine(result: dict[str, Any]) -> str:
    return table(("", ""), result["machine"].items())


def _throughput(result: dict[str, Any]) -> str:
    rows = []
    for comparison in result["comparisons"]:
        ratio = comparison["ratio"]
        rows.append(
            (
                BARE_VIEWS[comparison["against"]],
                f"{middle(comparison['product']):.0f}",
                f"{middle(comparison['bare']):.0f}",
                f"**{ratio['estimate']:.3f}**",
                interval(ratio, 3),
                *(
                    " / ".join(f"{each:.2f}" for each in comparison[name])
                    for name in ("cpu", "database_cpu")
                ),
            )
        )
    head = (
        *("GET /v1/products against a", "product, requests/s", "bare, requests/s"),
        *("ratio", "95 % interval", "CPU ms a request, product / bare"),
        "of PostgreSQL",
    )
    how = (
        f"Closed loop, {result['connections']} keep-alive connections, "
        f"{result['rounds']} rounds in turns of {result['seconds']:g} s each after "
        f"{result['warm_up_seconds']:g} s of warm-up, the same {result['bytes']} bytes "
        "from all, the same gunicorn settings, the product's log at "
        f"{result['log_level']}. Rates are medians; the ratio is the "
        "geometric mean over rounds, its interval Student's of their "
        "logarithms. The "
        f"generator used at most {100 * result['generator_share']:.0f} % of one core."
    )
    return f"{how}\n\n{table(head, rows)}"


def _latency(result: dict[str, Any]) -> str:
    rows = [
        (
            each["operation"],
            each["connections"],
            each["requests"],
            *(f"{each[name]:.0f}" for name in ("throughput",)),
            *(f"{each[name]:.1f}" for name in ("p50", "p95", "p99", "cpu")),
            f"{100 * each['generator_share']:.0f} %",
        )
        for each in result["figures"]
    ]
    head = (
        *("operation", "connections", "requests", "requests/s", "p50 ms", "p95 ms"),
        *("p99 ms", "CPU ms a request", "generator's share of a core"),
    )
    return (
        "Latency from sending a request to the end of its answer, every one counted; "
        "CPU of the workers only.\n\n" + table(head, rows)
    )


def _memory(result: dict[str, Any]) -> str:
    rows = []
    for each in result["figures"]:
        for number, worker in enumerate(each["memory"], start=1):
            sizes = (worker[name] for name in ("resident", "proportional", "unique"))
            label = f"{each['operation']}, {each['connections']} connections"
            rows.append((label, number, *(f"{size:.1f}" for size in sizes)))
    head = ("after", "worker", "RSS MiB", "PSS MiB", "USS MiB")
    return "Memory of each worker, in the order of measuring.\n\n" + table(head, rows)


def interval(figure: dict[str, float | None], digits: int) -> str:
    """Write the interval of a figure; one round has none."""
    low, high = figure["low"], figure["high"]
    if low is None or high is None:
        return "one round has none"
    return f"{low:.{digits}f} to {high:.{digits}f}"


def middle(values: Sequence[float]) -> float:
    """Return the median of an odd number of figures."""
    return sorted(values)[len(values) // 2]


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
