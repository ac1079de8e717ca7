"""How all pictures of the load tests look: palette, letters, and how intervals show."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.axis import XAxis, YAxis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from .costs.table import NAMES as STAGE_NAMES

# The colour-blind tell these apart, too (M. Okabe and K. Ito, "Color Universal
# Design"). Without the yellow, which nobody sees on white.
PALETTE = (
    "#0072B2",  # blue
    "#D55E00",  # vermilion
    "#009E73",  # green
    "#CC79A7",  # purple
    "#E69F00",  # orange
    "#56B4E9",  # sky
    "#000000",
)
LINES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
HATCHES = ("", "//", "..", "\\\\", "xx", "--", "++")
# Colour is never all: each stage has a kind of line and a marker of its own as well.
STAGE_LOOKS: dict[int, dict[str, Any]] = {
    stage: {
        "color": PALETTE[stage - 1],
        "linestyle": LINES[stage - 1],
        "marker": MARKERS[stage - 1],
    }
    for stage in STAGE_NAMES
}
# Of parts of something, beside stages that have colours of their own.
GREYS = ("#1A1A1A", "#5A5A5A", "#8C8C8C", "#B8B8B8", "#DEDEDE")
# Of what a model says, beside what was measured.
MODEL_LOOKS: dict[str, Any] = {
    "color": "#555555",
    "linestyle": (0, (5, 2)),
    "linewidth": 1.4,
}
DOTS_AN_INCH = 150
STYLE: Any = {
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 12,
    "axes.titlelocation": "left",
    "axes.labelsize": 11,
    "font.size": 11,
    "grid.alpha": 0.35,
    "hatch.linewidth": 0.6,
    "legend.frameon": False,
    # The same picture, the same bytes; and words that can be searched for.
    "svg.hashsalt": "concierge",
    "svg.fonttype": "none",
}


@dataclass(frozen=True)
class Bar:
    """A figure that is drawn as a bar, with its interval if it has one."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None


def stage_name(stage: int) -> str:
    """Return a stage as legends name it: "1 monolith"."""
    return f"{stage} {STAGE_NAMES[stage]}"


def stage_label(stage: int) -> str:
    """Return it in two lines, as there is room for under a bar."""
    return f"{stage}\n{STAGE_NAMES[stage]}"


@contextmanager
def drawing(
    file: Path, rows: int = 1, columns: int = 1, title: str = "", height: float = 4.0
) -> Iterator[Any]:
    """Hand out empty axes in our style, and write the picture in the end.

    Args:
        file: whose ending chooses the format: PNG, SVG, PDF.
        rows: of axes below each other.
        columns: of axes side by side.
        title: over all of them.
        height: of a row, in inches; a column is 5 wide, a single one 6.5.

    Returns:
        The axes, or an array of them where there are more than one.
    """
    with mpl.rc_context(STYLE):
        width = max(6.5, 5.0 * columns)
        figure = Figure(figsize=(width, height * rows), layout="constrained")
        yield figure.subplots(rows, columns)
        if title:
            figure.suptitle(title, fontsize=13)
        file.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(file, dpi=DOTS_AN_INCH, metadata=_undated(file))


def labelled(axes: Axes, title: str, x: str, y: str, **more: Any) -> None:
    """Say what the axes show.

    Args:
        axes: which.
        title: what they show.
        x: what is across, with its unit; empty where the bars say it.
        y: what is up, with its unit.
        more: for `Axes.set`: limits, scales.
    """
    axes.set(title=title, xlabel=x, ylabel=y, **more)


def bars(
    axes: Axes,
    shown: Sequence[Bar],
    colors: Sequence[str] = PALETTE,
    written: str = "{:,.3g}",
) -> None:
    """Draw bars with their intervals, and write each figure over its bar.

    Args:
        axes: where.
        shown: what, from the left.
        colors: in the same order; hatches go with them.
        written: how a figure is written.
    """
    for at, bar in enumerate(shown):
        color, hatch = colors[at % len(colors)], HATCHES[at % len(HATCHES)]
        axes.bar(at, bar.value, 0.62, color=color, hatch=hatch, edgecolor="white")
        top = bar.value
        if bar.low is not None and bar.high is not None:
            looks = {"color": "black", "linewidth": 1.4}
            intervals(axes, [at], [bar.value], [bar.low], [bar.high], looks)
            top = max(top, bar.high)
        _write_over(axes, at, top, written.format(bar.value))
    _under_bars(axes, [bar.label for bar in shown])


def stacked(
    axes: Axes,
    labels: Sequence[str],
    layers: Mapping[str, Sequence[float]],
    written: str = "{:,.3g}",
    colors: Sequence[str] = PALETTE,
) -> None:
    """Draw bars that are made of parts, and write each whole over its bar.

    Args:
        axes: where.
        labels: of the bars, from the left.
        layers: of each part what it has in each bar, from below.
        written: how a whole is written.
        colors: of the parts, from below.
    """
    whole = [0.0] * len(labels)
    for number, (name, values) in enumerate(layers.items()):
        axes.bar(
            range(len(labels)),
            values,
            0.62,
            bottom=whole,
            label=name,
            color=colors[number % len(colors)],
            hatch=HATCHES[number % len(HATCHES)],
            edgecolor="white",
        )
        whole = [below + value for below, value in zip(whole, values, strict=True)]
    for at, value in enumerate(whole):
        _write_over(axes, at, value, written.format(value))
    _under_bars(axes, labels)


def intervals(
    axes: Axes,
    x: Sequence[float],
    y: Sequence[float],
    low: Sequence[float],
    high: Sequence[float],
    looks: Mapping[str, Any],
    label: str | None = None,
) -> None:
    """Draw figures and the intervals around them, with a line if the looks have one."""
    below = [max(0.0, at - under) for at, under in zip(y, low, strict=True)]
    above = [max(0.0, over - at) for at, over in zip(y, high, strict=True)]
    axes.errorbar(x, y, yerr=(below, above), capsize=5, label=label, **looks)


def logarithmic(axis: XAxis | YAxis) -> None:
    """Have an axis grow by factors, and label it with plain numbers."""
    axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter("{x:,g}")
    axis.set_minor_formatter(NullFormatter())
    axis.grid(visible=True, which="minor", alpha=0.12)


def legend_below(axes: Axes, columns: int = 2) -> None:
    """Put the legend under the axes, where it hides nothing."""
    place: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.26)}
    axes.legend(ncols=columns, fontsize=9, **place)


def data_uri(file: Path) -> str:
    """Return a PNG as the address of itself, for a page that needs no other file."""
    return "data:image/png;base64," + base64.b64encode(file.read_bytes()).decode()


def _write_over(axes: Axes, at: float, top: float, words: str) -> None:
    place: dict[str, Any] = {"xytext": (0, 3), "textcoords": "offset points"}
    axes.annotate(words, (at, top), ha="center", **place)


def _under_bars(axes: Axes, labels: Sequence[str]) -> None:
    axes.set_xticks(range(len(labels)), list(labels), fontsize=9.5)
    axes.set_xlim(-0.7, max(1.7, len(labels) - 0.3))
    axes.grid(visible=False, axis="x")
    axes.margins(y=0.15)


def _undated(file: Path) -> dict[str, str | None]:
    """Return what leaves versions and dates out of a picture."""
    if file.suffix == ".png":
        return {"Software": None}
    return {"Date": None} if file.suffix == ".svg" else {"CreationDate": None}
