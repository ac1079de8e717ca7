"""A comparison as pictures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from load_tests import plots

from .result import Result
from .summary import Summary
from .visits import BOUGHT, KINDS

# What a part counts as, where each would have a colour of its own.
GROUPS = {
    "PostgreSQL": "database, Redis",
    "Redis": "database, Redis",
    "nginx": "nginx",
    "MiniStack": "MiniStack",
    "Stripe stand-in": "stand-ins, mailbox, runner",
    "supplier stand-in": "stand-ins, mailbox, runner",
    "mailbox": "stand-ins, mailbox, runner",
    "runner": "stand-ins, mailbox, runner",
    "other": "stand-ins, mailbox, runner",
}
PRODUCT = "the concierge: workers or functions"
ORDER = (PRODUCT, "database, Redis", "nginx", "MiniStack", "stand-ins, mailbox, runner")


def grouped(parts: Mapping[str, float]) -> dict[str, float]:
    """Return what is in parts of a stage, by the groups that pictures show."""
    found = dict.fromkeys(ORDER, 0.0)
    for part, value in parts.items():
        found[GROUPS.get(part, PRODUCT)] += value
    return found


def draw(result: Result, found: dict[int, Summary], folder: Path) -> dict[str, Path]:
    """Draw all pictures.

    Args:
        result: the comparison.
        found: its figures.
        folder: where the PNG files go.

    Returns:
        What each shows, and its file.
    """
    files = {
        "Throughput and CPU": folder / "throughput.png",
        "Latency": folder / "latency.png",
        "Memory, and round by round": folder / "memory.png",
    }
    _throughput(found, files["Throughput and CPU"])
    _latency(result, found, files["Latency"])
    with plots.drawing(files["Memory, and round by round"], 1, 2) as axes:
        _memory(result, found, axes[0])
        _rounds(result, axes[1])
    return files


def _throughput(found: dict[int, Summary], file: Path) -> None:
    shown = {n: each for n, each in found.items() if "visits" in each.figures}
    visits = [
        plots.Bar(
            plots.stage_label(stage),
            each.figures["visits"].estimate,
            each.figures["visits"].low,
            each.figures["visits"].high,
        )
        for stage, each in shown.items()
    ]
    colors = [plots.STAGE_LOOKS[stage]["color"] for stage in shown]
    parts = [grouped(each.cpu) for each in shown.values()]
    layers = {
        group: [part[group] for part in parts]
        for group in ORDER
        if any(part[group] for part in parts)
    }
    with plots.drawing(file, 1, 2) as axes:
        plots.bars(axes[0], visits, colors)
        plots.labelled(
            axes[0], "Visits (bars: 95 % intervals)", "stage", "visits a second"
        )
        plots.stacked(
            axes[1], [bar.label for bar in visits], layers, "{:,.0f}", plots.GREYS
        )
        plots.labelled(
            axes[1],
            "CPU of a visit, all rounds together",
            "stage",
            "CPU milliseconds a visit",
        )
        plots.legend_below(axes[1])


def _latency(result: Result, found: dict[int, Summary], file: Path) -> None:
    kinds = (*KINDS, BOUGHT)
    with plots.drawing(file, 1, 2) as axes:
        for place, stage in enumerate(found):
            seen, looks = result.stages[stage], plots.STAGE_LOOKS[stage]
            if seen.curve:
                percents, times = zip(*seen.curve, strict=True)
                every = {"markevery": (place, 4), "markersize": 5}
                name = plots.stage_name(stage)
                axes[0].plot(percents, times, label=name, **looks, **every)
            at = [row for row, kind in enumerate(kinds) if kind in seen.pooled]
            p50 = [seen.pooled[kinds[row]].p50 for row in at]
            p95 = [seen.pooled[kinds[row]].p95 for row in at]
            shift = [row + 0.16 * (place - (len(found) - 1) / 2) for row in at]
            color, marker = looks["color"], looks["marker"]
            axes[1].hlines(shift, p50, p95, color=color, linewidth=1.5)
            axes[1].plot(p50, shift, color=color, marker=marker, linestyle="")
        plots.labelled(
            axes[0],
            "From checkout until confirmed, all rounds",
            "percent of orders confirmed within",
            "milliseconds",
        )
        plots.logarithmic(axes[0].yaxis)
        plots.labelled(axes[1], "p50 (marker) to p95 (line's end)", "milliseconds", "")
        plots.logarithmic(axes[1].xaxis)
        axes[1].set_yticks(range(len(kinds)), kinds, fontsize=9)
        axes[1].invert_yaxis()
        plots.legend_below(axes[0])


def _memory(result: Result, found: dict[int, Summary], axes: Axes) -> None:
    held = {}
    for stage in found:
        parts: dict[str, float] = {}
        for each in result.stages[stage].memory:
            parts[each.part] = parts.get(each.part, 0.0) + each.unique
        held[stage] = grouped(parts)
    layers = {
        group: [parts[group] for parts in held.values()]
        for group in ORDER
        if any(parts[group] for parts in held.values())
    }
    labels = [plots.stage_label(stage) for stage in found]
    plots.stacked(axes, labels, layers, "{:,.0f}", plots.GREYS)
    words = "Memory of all processes (unique, USS)"
    plots.labelled(axes, words, "stage", "MiB after the last round")
    plots.legend_below(axes)


def _rounds(result: Result, axes: Axes) -> None:
    for stage, seen in sorted(result.stages.items()):
        numbers = [turn.round for turn in seen.turns]
        rates = [turn.visits / turn.seconds for turn in seen.turns]
        looks = plots.STAGE_LOOKS[stage]
        axes.plot(numbers, rates, label=plots.stage_name(stage), **looks)
    plots.labelled(axes, "Throughput of each round", "round", "visits a second")
    plots.logarithmic(axes.yaxis)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    plots.legend_below(axes)
