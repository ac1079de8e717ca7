"""The first call of a function that nobody has called, against the next ones."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import Any

from load_tests import plots
from load_tests.bench import lambdas

from .experiment import Experiment, Results
from .lab import Lab

COLD = 3
WARM = 20
# What is asked by guests, who wait for it; the others are asked by a clock.
OF_GUESTS = ("catalog-api", "nlu-api", "checkout-api")
# Hello world, Python 3.12 to 3.14: maxday/lambda-perf, December 2025.
PUBLISHED_MS = (71, 142)


def run(lab: Lab) -> Results:
    """Call each function with a new worker and with a warm one."""
    with lab.stage(3, {"LOG_LEVEL": "INFO"}) as running:
        return results_of(lambdas.measure(running, COLD, WARM, lab.say))


def results_of(found: list[dict[str, Any]]) -> Results:
    """Return the results of what `make bench STAGE=3` measures as well."""
    return {
        "published_ms": list(PUBLISHED_MS),
        "functions": [
            {
                "name": function["name"],
                "guests": function["name"] in OF_GUESTS,
                "cold_ms": [round(each, 1) for each in function["cold"]],
                "warm_ms": [round(each, 1) for each in function["warm"]],
                "billed_cold_ms": [each["billed"] for each in function["cold_reports"]],
                "billed_warm_ms": [each["billed"] for each in function["warm_reports"]],
                "init_told": any(each["init"] for each in function["cold_reports"]),
                "package_mib": round(function["package"], 1),
            }
            for function in found
        ],
    }


def plot(results: Results, file: Path) -> None:
    """Draw each function's cold and warm answers, every one of them."""
    functions = results["functions"]
    title = "Stage 3 on the local AWS: this says nothing of Amazon's cold starts"
    with plots.drawing(file, title=title, height=4.4) as axes:
        axes.figure.set_figwidth(9)
        for at, (kind, label) in enumerate(
            (("cold_ms", "a new worker"), ("warm_ms", "a warm worker"))
        ):
            axes.scatter(
                [ms for each in functions for ms in each[kind]],
                [
                    row + 0.15 - 0.3 * at
                    for row, each in enumerate(functions)
                    for _ in each[kind]
                ],
                marker="so"[at],
                s=34,
                color=plots.PALETTE[1 - at],
                alpha=0.7,
                label=label,
            )
        low, high = results["published_ms"]
        axes.axvspan(
            low,
            high,
            color=plots.PALETTE[4],
            alpha=0.25,
            label="hello world on Lambda, published",
        )
        names = [f"{each['name']}\n{each['package_mib']:g} MiB" for each in functions]
        axes.set_yticks(range(len(names)), names)
        axes.invert_yaxis()
        plots.labelled(axes, "", "answer, milliseconds", "function and its package")
        axes.set(xscale="log")
        axes.xaxis.set_major_formatter("{x:,g}")
        axes.legend(fontsize=9)


def paragraph(results: Results) -> str:
    """Tell what a first guest waits here, and what that does not say."""
    told = ", ".join(
        f"`{each['name']}` {median(each['cold_ms']):,.0f} ms instead of "
        f"{median(each['warm_ms']):,.0f}"
        for each in results["functions"]
        if each["guests"]
    )
    ratios = [
        median(each["cold_ms"]) / median(each["warm_ms"])
        for each in results["functions"]
        if each["guests"]
    ]
    low, high = results["published_ms"]
    words = [f"Whoever comes first waits for a new worker: {told}."]
    if min(ratios) > 1.5:
        words.append(
            f"A first answer took {min(ratios):.0f} to {max(ratios):.0f} times as long "
            "as the next; a monolith is started before anybody comes."
        )
    else:
        words.append("That is hardly a difference for some of them.")
    words.append(
        "What this cannot show: here a worker is a process that Python starts on a "
        "busy laptop; Amazon's starts a small machine and unpacks the code, for which "
        f"{low} to {high} ms are published (an empty function). Nor can it show how "
        "often it happens, which depends on how many call at a time"
        + (
            "."
            if any(each["init_told"] for each in results["functions"])
            else ", nor what it costs: the `REPORT` lines of the local AWS have no "
            "`Init Duration`, which Amazon bills."
        )
    )
    return " ".join(words)


EXPERIMENT = Experiment(
    name="cold-start",
    claim="Functions scale out of the box, and the first guest waits",
    page="docs/tutorial/3-serverless.md#the-first-guest-waits",
    seconds=150,
    stages=(3,),
    run=run,
    plot=plot,
    paragraph=paragraph,
)
