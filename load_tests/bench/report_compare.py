"""Stage 2 against stage 1 in Markdown, from what is also written as JSON."""

from __future__ import annotations

from typing import Any

from .report import interval, middle, table

NLU_FREE = ("identity", "catalog", "checkout", "notifications")
GOALS = {"light": 2.5, "strong": 6.0}


def markdown(result: dict[str, Any]) -> str:
    """Return the tables of a result."""
    return "\n\n".join(
        [
            "# Benchmark of stage 2: the services against the monolith",
            table(("", ""), result["machine"].items()),
            _throughput(result),
            _kinds(result["mix"]),
            _cpu(result["mix"]["cpu"]),
            _hops(result["hops"]),
            _memory(result["memory"]),
        ]
    )


def _throughput(result: dict[str, Any]) -> str:
    mix = result["mix"]
    ratio = mix["ratio"]
    how = (
        "A visit is GET products, two messages to the concierge, a checkout and GET of "
        f"the order. Closed loop, {result['connections']} keep-alive connections, "
        f"{result['rounds']} rounds in turns of {result['seconds']:g} s each after "
        f"{result['warm_up_seconds']:g} s of warm-up. {result['workers']} gunicorn "
        "workers on each side, the same cores, log level "
        f"{result['log_level']}. Rates are medians; the ratio is the geometric mean "
        "over rounds, its interval Student's of their logarithms. The generator "
        f"used at most {100 * mix['generator_share']:.0f} % of one core."
    )
    row = (
        f"{middle(mix['services']):.0f}",
        f"{middle(mix['monolith']):.0f}",
        f"**{ratio['estimate']:.3f}**",
        interval(ratio, 3),
        "at least 0.5",
    )
    head = ("services, requests/s", "monolith, requests/s", "ratio", "95 % interval")
    return f"## Throughput of visits\n\n{how}\n\n" + table((*head, "goal"), [row])


def _kinds(mix: dict[str, Any]) -> str:
    rows = [
        (kind, *(f"{each:.1f}" for each in times)) for kind, times in mix["p50"].items()
    ]
    return table(("p50 ms under this load", "monolith", "services"), rows)


def _cpu(cpu: dict[str, dict[str, float]]) -> str:
    parts = list(dict.fromkeys([*cpu["monolith"], *cpu["services"]]))

    def told(stage: str, part: str) -> str:
        return f"{cpu[stage][part]:.1f}" if part in cpu[stage] else ""

    rows: list[tuple[str, ...]] = [
        (part, told("monolith", part), told("services", part)) for part in parts
    ]
    whole = (f"**{sum(cpu[stage].values()):.1f}**" for stage in cpu)
    rows.append(("**all**", *whole))
    return table(("CPU ms a visit", "monolith", "services"), rows)


def _hops(hops: list[dict[str, Any]]) -> str:
    rows = [
        (
            hop["what"],
            f"{middle(hop['with_hop']):.2f}",
            f"{middle(hop['without']):.2f}",
            f"**{hop['cost']['estimate']:.2f}**",
            interval(hop["cost"], 2),
        )
        for hop in hops
    ]
    head = ("p50 ms, one at a time", "with the hop", "without", "cost", "95 % interval")
    return "## One more hop (goal: at most 1.0 ms)\n\n" + table(head, rows)


def _memory(memory: dict[str, dict[str, dict[str, float]]]) -> str:
    names = ("resident", "proportional", "unique")
    rows: list[tuple[str, ...]] = []
    for stage, servers in memory.items():
        for server, sizes in servers.items():
            label = server if stage == "services" else stage
            rows.append((label, *(f"{sizes[name]:.1f}" for name in names)))
    for engine, goal in GOALS.items():
        worker = memory.get(f"monolith, {engine}", {}).get("monolith")
        if worker is None:
            rows.append((f"monolith, {engine}", "not installed: `make strong`", "", ""))
            continue
        smaller = [
            f"**{worker[name] / _largest(memory['services'], name):.1f}**"
            for name in names
        ]
        rows.append(
            (f"{engine} over the largest without NLU (goal: {goal:g})", *smaller)
        )
    head = ("one worker, MiB", "RSS", "PSS", "USS")
    return "## Memory of one worker after visits\n\n" + table(head, rows)


def _largest(services: dict[str, dict[str, float]], name: str) -> float:
    return max(services[service][name] for service in NLU_FREE)
