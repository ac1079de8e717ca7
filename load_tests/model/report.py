"""The model beside the clock, as tables, a sentence and a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from load_tests import plots
from load_tests.bench.report import table
from load_tests.compare.load import Measured
from load_tests.compare.tables import with_interval
from load_tests.readme import wrapped

from .prediction import (
    FEWEST,
    GOAL,
    QUIET,
    Level,
    Prediction,
    counting,
    rate,
    slowness,
    taken,
    undisturbed,
)

Turns = Mapping[Level, Sequence[Measured]]
UNDISTURBED = "undisturbed rounds"
TOLD_HEAD = ("load", "measured, visits/s", UNDISTURBED)
HEAD = ("load", "predicted, visits/s", "measured", "error", UNDISTURBED)


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
    cores = int(machine["cores"])
    quiet = {level: _undisturbed(turns, cores) for level, turns in found.items()}
    calibrated = [
        (str(level), with_interval(rate(counting(turns, cores))), quiet[level])
        for level, turns in found.items()
        if level.calibrates
    ]
    rounds = next(iter(found.values()))
    parts = [
        wrapped(
            f"Measured {machine['measured']}, commit {machine['commit']}, "
            f"{machine['cpu']}, {machine['cores']} cores, shared by all; "
            f"{len(rounds)} rounds of {rounds[0].seconds:.0f} s each. Measured is the "
            "median of the undisturbed rounds (the least to the most)."
        ),
        "The model is told of:",
        table(TOLD_HEAD, calibrated),
        "And says of others:",
        table(HEAD, [_row(each, quiet[each.level]) for each in told]),
        wrapped(verdict(told)),
        wrapped(disturbance(found, cores)),
        wrapped(speed(found)),
    ]
    if law:
        rows = [(f"{n:g}", f"{x:.2f}", _percent(error)) for n, x, error in law]
        parts += [
            wrapped(
                "The Universal Scalability Law, which sees each number of workers from "
                "the three others only and knows of no cores, says of the monolith, by "
                "the same rounds:"
            ),
            table(("workers", "predicted, visits/s", "error"), rows),
        ]
    return "\n\n".join(parts) + "\n"


def verdict(told: Sequence[Prediction]) -> str:
    """Say whether the goal is met, where it is not, and what cannot be judged."""
    if not told:
        return "Nothing could be predicted."
    others = [each for each in told if not each.judged]
    judged = [each for each in told if each.judged]
    words = [_judged(judged)] if judged else []
    if others:
        who = "; ".join(str(each.level) for each in others) if judged else "any"
        words.append(
            f"**Not judged**: {who}. That takes {FEWEST} undisturbed rounds at least, "
            "of the load itself and of both that the model is told of; what stands "
            "above of a load with fewer is of all its rounds. Measure again, on a "
            "quiet machine."
        )
    return " ".join(words)


def disturbance(found: Turns, cores: int) -> str:
    """Say which rounds were left out, and by which rule.

    Args:
        found: the rounds of each load.
        cores: that stage and generator share.
    """
    every = [turn for turns in found.values() for turn in turns]
    shares = [taken(turn, cores) for turn in every]
    loud = sum(share > QUIET for share in shares)
    words = (
        f"A round is disturbed if other programs took more than {100 * QUIET:.0f} % of "
        "the cores, for the model knows of no such programs; nothing else is "
        f"asked of a round, least of all its throughput. {loud} of {len(every)} were: "
        f"others took up to {100 * max(shares):.1f} %, at the median "
        f"{100 * median(shares):.1f} %."
    )
    if any(turn.beside is None for turn in every):
        return (
            f"{words} Nobody looked here at what the stages used that were up beside "
            "the one under load and idle: they count as others."
        )
    idle = median((turn.beside or 0.0) / turn.seconds / cores for turn in every)
    return (
        f"{words} The generator is none of them, nor are the stages that were up "
        f"beside the one under load and idle (at the median {100 * idle:.1f} %)."
    )


def speed(found: Turns) -> str:
    """Say how fast the machine was, and what the model is told of that.

    Args:
        found: the rounds of each load.
    """
    every = [1000 * slowness(turn) for turns in found.values() for turn in turns]
    return (
        "What the generator does for a visit is the same at every load, and took "
        f"{min(every):.1f} to {max(every):.1f} ms of CPU: so fast or slow was the "
        "machine, whose cores may be shared with strangers whom no count shows. The "
        "model is told of it for the rounds of each load, and of nothing else there."
    )


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
        seen = [_or(figure.high, figure.estimate) for figure in measured]
        top = 1.3 * max((*predicted, *seen), default=1.0)
        plots.intervals(
            axes,
            places,
            [figure.estimate for figure in measured],
            [_or(figure.low, figure.estimate) for figure in measured],
            seen,
            {"color": plots.PALETTE[0], "marker": "o", "linestyle": ""},
            "measured: median, least and most",
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


def _undisturbed(turns: Sequence[Measured], cores: int) -> str:
    return f"{len(undisturbed(turns, cores))} of {len(turns)}"


def _row(each: Prediction, quiet: str) -> tuple[str, ...]:
    return (
        str(each.level),
        f"{each.predicted:.2f}",
        with_interval(each.measured),
        _percent(each.error),
        quiet if each.judged else f"{quiet}: not judged",
    )


def _or(figure: float | None, other: float) -> float:
    return other if figure is None else figure


def _percent(share: float) -> str:
    return f"{100 * share:+.1f} %"
