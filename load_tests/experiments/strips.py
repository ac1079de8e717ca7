"""Strips of time: what was answered and what was not, while something happened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from load_tests import plots

from .watching import WELL, downtimes, still_down

WELL_COLOR, ILL_COLOR = plots.PALETTE[0], plots.PALETTE[1]

# Of a bar, in seconds, so that one sees it.
SHORTEST = 0.35
# Of two marks, in seconds.
NEAR = 2.0


def draw(file: Path, watched: dict[str, dict[str, Any]], title: str) -> None:
    """Draw a panel for each run, in it a strip for each thing that guests do.

    Args:
        file: to write.
        watched: of each run's title, its `asks` and `marks`.
        title: over all.
    """
    with plots.drawing(file, rows=len(watched), title=title, height=1.9) as panels:
        every = panels if len(watched) > 1 else [panels]
        for axes, (name, run) in zip(every, watched.items(), strict=True):
            _strips(axes, name, run)
        longest = max(axes.get_xlim()[1] for axes in every)
        for axes in every:
            axes.set_xlim(-0.3, longest)
        every[-1].set_xlabel("seconds")
        every[0].figure.set_figwidth(9)
        handles, labels = every[0].get_legend_handles_labels()
        every[0].figure.legend(
            handles, labels, loc="outside lower center", ncols=len(labels)
        )


def _strips(axes: Any, name: str, run: dict[str, Any]) -> None:
    asks, down = run["asks"], downtimes(run["asks"])
    for row, each in enumerate(asks.values()):
        well = [at for at, status, _ in each if status in WELL]
        axes.plot(
            well,
            [row] * len(well),
            linestyle="",
            marker="|",
            markersize=9,
            color=WELL_COLOR,
            label="" if row else "asked and answered (bar: waited)",
        )
        waited = [(at, took) for at, status, took in each if status in WELL]
        axes.barh(
            [row] * len(waited),
            [took for _, took in waited],
            0.18,
            left=[at for at, _ in waited],
            color=WELL_COLOR,
            alpha=0.5,
        )
        ill = [(at, took) for at, status, took in each if status not in WELL]
        axes.barh(
            [row] * len(ill),
            [max(took, SHORTEST) for _, took in ill],
            0.55,
            left=[at for at, _ in ill],
            color=ILL_COLOR,
            hatch="//",
            edgecolor="white",
            label=""
            if row
            else f"failed, or no answer (drawn {SHORTEST:g} s at least)",
        )
    nexts = [at for _, at in run["marks"][1:]] + [float("inf")]
    for (words, at), following in zip(run["marks"], nexts, strict=True):
        axes.axvline(at, color="black", linewidth=1, linestyle=":")
        # Two that are near each other are written to either side.
        side = "right" if following - at < NEAR else "left"
        axes.annotate(words, (at, len(asks) - 0.45), fontsize=8, ha=side)
    seconds = [
        f"{name}: {'≥ ' if still_down(asks[name]) else ''}{down[name]:.1f} s down"
        for name in asks
    ]
    axes.set_yticks(range(len(asks)), seconds, fontsize=9)
    axes.set_ylim(-0.6, len(asks) + 0.1)
    axes.grid(visible=False, axis="y")
    plots.labelled(axes, name, "", "")
