"""The model beside the clock, as tables, a sentence and a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from load_tests import plots
from load_tests.bench.report import table
from load_tests.compare.load import Measured
from load_tests.compare.tables import with_interval
from load_tests.readme import wrapped

from .prediction import GOAL, QUIET, Level, Prediction, rate

Turns = Mapping[Level, Sequence[Measured]]
HEAD = ("load", "predicted, visits/s", "measured", "error", "taken by others")


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
    rounds = next(iter(found.values()))
    parts = [
        wrapped(
            f"Measured {machine['measured']}, commit {machine['commit']}, "
            f"{machine['cpu']}, {machine['cores']} cores, shared by all; "
            f"{len(rounds)} rounds of {rounds[0].seconds:.0f} s each."
        ),
        "The model is told of:",
        table(("load", "measured, visits/s"), calibrated),
        "And says of others:",
        table(HEAD, [_row(each) for each in told]),
        wrapped(verdict(told)),
    ]
    if law:
        rows = [(f"{n:g}", f"{x:.2f}", _percent(error)) for n, x, error in law]
        parts += [
            wrapped(
                "The Universal Scalability Law, which sees each number of workers from "
                "the three others only and knows of no cores, says of the monolith:"
            ),
            table(("workers", "predicted, visits/s", "error"), rows),
        ]
    return "\n\n".join(parts) + "\n"


def verdict(told: Sequence[Prediction]) -> str:
    """Say whether the goal is met, where it is not, and what cannot be judged."""
    if not told:
        return "Nothing could be predicted."
    disturbed = [each for each in told if not each.judged]
    judged = [each for each in told if each.judged]
    words = [_judged(judged)] if judged else []
    if disturbed:
        most = max(each.taken for each in disturbed)
        who = "; ".join(str(each.level) for each in disturbed) if judged else "any"
        words.append(
            f"**Not judged**: {who}. Other programs took up to {100 * most:.0f} % of "
            "the cores meanwhile, and the model takes them all for the stage's (up to "
            f"{100 * QUIET:.0f} % counts as none). Measure again on a quiet machine."
        )
    return " ".join(words)


def _judged(told: Sequence[Prediction]) -> str:
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
        else "Some are too high and some too low: a visit's CPU changes with the load."
    )
    return (
        f"{len(told) - len(missed)} of {len(told)} are within {goal}. Not: {named}. "
        f"{why}"
    )


def draw(found: Turns, told: Sequence[Prediction], file: Path) -> None:
    """Draw what was predicted and what was measured."""
    with plots.drawing(file) as axes:
        places = list(range(len(told)))
        measured = [each.measured for each in told]
        predicted = [each.predicted for each in told]
        # The interval of few rounds may be far wider than what was measured.
        top = 1.3 * max(
            (*predicted, *(each.estimate for each in measured)), default=1.0
        )
        plots.intervals(
            axes,
            places,
            [figure.estimate for figure in measured],
            [_or(figure.low, figure.estimate) for figure in measured],
            [_or(figure.high, figure.estimate) for figure in measured],
            {"color": plots.PALETTE[0], "marker": "o", "linestyle": ""},
            "measured, 95 % interval"
            + (", cut above" if any((f.high or 0) > top for f in measured) else ""),
        )
        looks = {"color": plots.PALETTE[1], "marker": "D", "linestyle": ""}
        axes.plot(places, predicted, label="predicted", fillstyle="none", **looks)
        names = [str(each.level).replace(", ", "\n") for each in told]
        axes.set_xticks(places, names)
        axes.set_ylim(0, top)
        axes.margins(x=0.12)
        plots.labelled(
            axes, "Predicted from other loads, and measured", "", "visits a second"
        )
        axes.legend(loc="lower left")


def _row(each: Prediction) -> tuple[str, ...]:
    return (
        str(each.level),
        f"{each.predicted:.2f}",
        with_interval(each.measured),
        _percent(each.error),
        f"{100 * each.taken:.0f} %",
    )


def _or(figure: float | None, other: float) -> float:
    return other if figure is None else figure


def _percent(share: float) -> str:
    return f"{100 * share:+.1f} %"
