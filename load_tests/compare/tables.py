"""A comparison as tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from load_tests.bench.report import table
from load_tests.costs.table import NAMES
from load_tests.intervals import Figure

from .processes import Held
from .result import Result
from .summary import BASE, LATENCIES, Summary
from .visits import BOUGHT, KINDS

# Rows with a figure of each round: what they are, and how they are written.
ROWS = {
    "visits": ("visits a second", "{:.2f}"),
    "cpu a visit": ("CPU of a visit, ms", "{:.1f}"),
    **{
        f"{percent} {name}": (f"{percent} of {kind}, ms", "{:.1f}")
        for percent in ("p50", "p95")
        for name, kind in LATENCIES.items()
    },
    "requests": ("requests a second", "{:.1f}"),
    "requests a visit": ("requests a visit", "{:.1f}"),
    "cpu a request": ("CPU of a request, all kinds, ms", "{:.1f}"),
}
# Not what depends on how many requests of which kind a visit has: at stage 4 its
# guests ask again and again how their order is, which is quick and cheap.
COMPARED = tuple(name for name in ROWS if "request" not in name)
MEMORY = ("processes", "RSS: largest", "all", "USS: largest", "all")
MISSING = "–"


def markdown(result: Result, found: dict[int, Summary]) -> str:
    """Return all tables.

    Args:
        result: the comparison.
        found: its figures.
    """
    each = table(("", *_head(found)), kinds(result, found))
    return "\n\n".join(
        [
            first(found),
            *([over_base(found)] if BASE in found and len(found) > 1 else []),
            f"p50 / p95 / p99 of each request, all rounds together, ms:\n\n{each}",
        ]
    )


def first(found: dict[int, Summary]) -> str:
    """Return the figures of each stage."""
    return table(("", *_head(found)), rows(found))


def over_base(found: dict[int, Summary]) -> str:
    """Return what each stage is over stage 1."""
    told = table(("", *_head(found)), ratios(found))
    return f"Over stage 1, with 95 % intervals:\n\n{told}"


def _head(found: dict[int, Summary]) -> list[str]:
    return [f"{stage} {NAMES[stage]}" for stage in found]


def rows(found: dict[int, Summary]) -> list[list[str]]:
    """Return the rows of the first table: figures of each stage."""
    told = []
    for name, (words, written) in ROWS.items():
        if name.startswith("p95"):
            continue  # the third table has them of all rounds together
        figures = (each.figures.get(name) for each in found.values())
        told.append([words, *(_written(figure, written) for figure in figures)])
    return [*told, *_plain(found)]


def ratios(found: dict[int, Summary]) -> list[list[str]]:
    """Return the rows of the second table: what each stage is over stage 1."""
    told = []
    for name in COMPARED:
        cells = [
            "1" if stage == BASE else with_interval(each.ratios.get(name))
            for stage, each in found.items()
        ]
        told.append([ROWS[name][0].removesuffix(", ms"), *cells])
    return told


def kinds(result: Result, found: dict[int, Summary]) -> list[list[str]]:
    """Return the rows of the third table: each kind of request."""
    told = []
    for kind in (*KINDS, BOUGHT):
        cells = []
        for stage in found:
            times = result.stages[stage].pooled.get(kind)
            cells.append(
                f"{times.p50:,.0f} / {times.p95:,.0f} / {times.p99:,.0f}"
                if times
                else MISSING
            )
        told.append([kind, *cells])
    return told


def memory(result: Result, stage: int) -> Iterator[tuple[str, ...]]:
    """Return a stage's processes by what they are, in the columns of `MEMORY`."""
    parts: dict[str, list[Held]] = {}
    for held in result.stages[stage].memory:
        parts.setdefault(held.part, []).append(held)
    for part, those in parts.items():
        resident = [held.resident for held in those]
        unique = [held.unique for held in those]
        sizes = (max(resident), sum(resident), max(unique), sum(unique))
        yield (part, str(len(those)), *(f"{size:,.0f}" for size in sizes))


def _plain(found: dict[int, Summary]) -> list[list[str]]:
    each = list(found.values())
    own = any(one.others_share is not None for one in each)
    return [
        ["wrong answers", *(f"{one.errors} of {one.asked:,}" for one in each)],
        [
            "its core: itself / others / idle"
            if own
            else "itself, of one core / others / idle, of all cores",
            *(
                " / ".join(
                    _percent(share)
                    for share in (one.core_share, one.others_share, one.idle_share)
                )
                for one in each
            ),
        ],
        ["processes", *(str(one.processes) for one in each)],
        ["resident (RSS), MiB", *(f"{one.resident:,.0f}" for one in each)],
        ["unique (USS), MiB", *(f"{one.unique:,.0f}" for one in each)],
        [
            "generator, of one core at most",
            *(f"{100 * one.generator_share:.0f} %" for one in each),
        ],
    ]


def _percent(share: float | None) -> str:
    return MISSING if share is None else f"{100 * share:.0f} %"


def _written(figure: Figure | None, how: str) -> str:
    return MISSING if figure is None else how.format(figure.estimate)


def with_interval(figure: Figure | None) -> str:
    """Write a figure and its interval."""
    if figure is None:
        return MISSING
    if figure.low is None or figure.high is None:
        return f"**{figure.estimate:.2f}**"
    return f"**{figure.estimate:.2f}** ({figure.low:.2f} to {figure.high:.2f})"
