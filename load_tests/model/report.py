"""The model beside the clock, as tables, a sentence and a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from load_tests import plots
from load_tests.bench.report import table
from load_tests.compare.load import Measured
from load_tests.compare.tables import with_interval

from .prediction import GOAL, Level, Prediction, rate

# So much of the cores others may take before it is said.
QUIET = 0.05
Turns = Mapping[Level, Sequence[Measured]]
HEAD = ("load", "cores left to it", "predicted, visits/s", "measured", "error")


def markdown(
    machine: Mapping[str, str],
    found: Turns,
    told: Sequence[Prediction],
    law: Sequence[tuple[float, float, float]],
) -> str:
    """Return everything about the model.

    Args:
        machine: where it was measured.
        found: the rounds of each load.
        told: what the model said of those that it was not told of.
        law: the same by the Universal Scalability Law, of each number of workers.
    """
    calibrated = [
        (str(level), with_interval(rate(turns)))
        for level, turns in found.items()
        if level.calibrates
    ]
    parts = [
        f"Measured {machine['measured']}, commit {machine['commit']}, "
        f"{machine['cpu']}, {machine['cores']} cores, shared by all.",
        "The model is told of:",
        table(("load", "measured, visits/s"), calibrated),
        "And says of others:",
        table(HEAD, [_row(each) for each in told]),
        verdict(told),
        *([disturbed(told, int(machine["cores"]))] if told else []),
    ]
    if law:
        rows = [(f"{n:g}", f"{x:.2f}", _percent(error)) for n, x, error in law]
        parts += [
            "The Universal Scalability Law, which sees each number of workers from the "
            "three others only and knows of no cores:",
            table(("workers", "predicted, visits/s", "error"), rows),
        ]
    return "\n\n".join(parts) + "\n"


def verdict(told: Sequence[Prediction]) -> str:
    """Say whether the goal is met, and where it is not."""
    if not told:
        return "Nothing could be predicted."
    worst = max(told, key=lambda each: abs(each.error))
    goal = f"{100 * GOAL:.0f} %"
    missed = [each for each in told if not each.met]
    if not missed:
        return (
            f"All {len(told)} are within {goal} of what was measured; the worst is "
            f"{worst.level}, by {_percent(worst.error)}."
        )
    named = "; ".join(f"{each.level} ({_percent(each.error)})" for each in missed)
    high = [each for each in missed if each.error > 0]
    why = (
        "Too high: at that load a visit costs more CPU than at the one that the model "
        "was told of, or something waits that it does not know."
        if len(high) == len(missed)
        else "Too low: at that load a visit costs less CPU than at the one that the "
        "model was told of."
        if not high
        else "Some are too high and some too low: the machine was not the same "
        "throughout, or a visit's CPU changes with the load."
    )
    return (
        f"{len(told) - len(missed)} of {len(told)} are within {goal}. Not: {named}. "
        f"{why}"
    )


def disturbed(told: Sequence[Prediction], cores: int) -> str:
    """Say what other programs took, and what that does to the claim."""
    left = min(each.cores for each in told)
    if left > (1 - QUIET) * cores:
        return f"Other programs left nearly all of the {cores} cores to it."
    return (
        f"Other programs took up to {cores - left:.1f} of the {cores} cores meanwhile. "
        "The model is told how many were left, which at a load that uses them all is "
        "half of the answer: what it predicts then is the CPU of a visit. Repeat it on "
        "a quiet machine."
    )


def draw(found: Turns, told: Sequence[Prediction], file: Path) -> None:
    """Draw what was predicted and what was measured."""
    with plots.drawing(file) as axes:
        places = list(range(len(told)))
        measured = [each.measured for each in told]
        plots.intervals(
            axes,
            places,
            [figure.estimate for figure in measured],
            [_or(figure.low, figure.estimate) for figure in measured],
            [_or(figure.high, figure.estimate) for figure in measured],
            {"color": plots.PALETTE[0], "marker": "o", "linestyle": ""},
            "measured, 95 % interval",
        )
        looks = {"color": plots.PALETTE[1], "marker": "D", "linestyle": ""}
        predicted = [each.predicted for each in told]
        axes.plot(places, predicted, label="predicted", fillstyle="none", **looks)
        names = [str(each.level).replace(", ", "\n") for each in told]
        axes.set_xticks(places, names)
        axes.set_ylim(bottom=0)
        axes.margins(x=0.12)
        plots.labelled(
            axes, "Predicted from other loads, and measured", "", "visits a second"
        )
        axes.legend()


def _row(each: Prediction) -> tuple[str, ...]:
    return (
        str(each.level),
        f"{each.cores:.2f}",
        f"{each.predicted:.2f}",
        with_interval(each.measured),
        _percent(each.error),
    )


def _or(figure: float | None, other: float) -> float:
    return other if figure is None else figure


def _percent(share: float) -> str:
    return f"{100 * share:+.1f} %"
