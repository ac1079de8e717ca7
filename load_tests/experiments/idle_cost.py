"""What a month costs in which nobody comes. Nothing is measured: it is the bill."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from load_tests import plots
from load_tests.costs.prices import prices
from load_tests.costs.stages import STAGES, bill
from load_tests.costs.usage import Usage

from .experiment import Experiment, Results
from .lab import Lab

USERS = (0, 1, 10, 100, 1000)
DOLLARS = "US dollars a month"
NAMES = [plots.stage_name(stage).replace(" ", "\n") for stage in STAGES]
NAMED = {
    1: "the monolith",
    2: "the services",
    3: "the functions",
    4: "the functions and queues",
}
SERVERLESS = (3, 4)
# Lines that are never more than this are drawn as one.
SMALL_DOLLARS = 5.0


def run(lab: Lab) -> Results:
    """Reckon a month of each stage with nobody, and with few."""
    lab.say("Reckoning bills; nothing is started.")
    lines: dict[str, dict[str, float]] = {}
    totals: dict[str, list[float]] = {}
    for stage in STAGES:
        empty = bill(stage, Usage(Decimal(0)))
        found: dict[str, float] = {}
        for line in empty.lines:
            if line.dollars:
                found[line.name] = found.get(line.name, 0.0) + float(line.dollars)
        lines[str(stage)] = {name: round(value, 2) for name, value in found.items()}
        totals[str(stage)] = [
            float(bill(stage, Usage(Decimal(users))).total) for users in USERS
        ]
    known = prices()
    return {
        "prices_of": str(known.read),
        "region": known.region,
        "users": list(USERS),
        "totals": totals,
        "lines_of_nobody": lines,
    }


def plot(results: Results, file: Path) -> None:
    """Draw the month of nobody by stage, its lines stacked, and how it grows."""
    title = (
        f"What being there costs on AWS ({results['region']}, prices of "
        f"{results['prices_of']}, no free tier)"
    )
    with plots.drawing(file, columns=2, title=title, height=4.4) as (nobody, few):
        plots.stacked(nobody, NAMES, _layers(results), "{:,.2f}")
        plots.labelled(nobody, "A month in which nobody comes", "", DOLLARS)
        nobody.set_ylim(0, 1.1 * max(each[0] for each in results["totals"].values()))
        nobody.legend()
        places = range(len(results["users"]))
        for stage, looks in plots.STAGE_LOOKS.items():
            totals = results["totals"][str(stage)]
            few.plot(places, totals, label=plots.stage_name(stage), **looks)
        few.set_xticks(places, [f"{users:,}" for users in results["users"]])
        plots.labelled(few, "Months with a few", "users a month", DOLLARS)
        few.set(yscale="log")
        few.yaxis.set_major_formatter("{x:,g}")
        few.legend()


def paragraph(results: Results) -> str:
    """Tell which stage costs least when nobody comes, and what the rest is for."""
    idle = {int(stage): each[0] for stage, each in results["totals"].items()}
    told = ", ".join(f"{dollars:,.2f} for {NAMED[at]}" for at, dollars in idle.items())
    least = min(idle, key=lambda at: idle[at])
    words = [
        f"A month in which nobody comes costs, in dollars: {told} (reckoned with the "
        f"prices of {results['prices_of']}, not measured)."
    ]
    if least in SERVERLESS and 100 * idle[least] < min(idle[1], idle[2]):
        words.append(
            "What runs all the time is paid for all the time, in two zones; what "
            "begins with a request is next to nothing without one."
        )
    else:
        words.append(
            f"Nothing is as cheap here as {NAMED[least]}, and none is free: that pay "
            "per use costs nothing while nothing is used is not what the bill says."
        )
    if idle[4] > idle[3]:
        words.append(
            f"Queues are not free either: asking them whether there is anything, and "
            f"alarms, make stage 4 {idle[4] - idle[3]:,.2f} dearer than stage 3."
        )
    last = results["users"][-1]
    most = {int(stage): each[-1] for stage, each in results["totals"].items()}
    words.append(
        f"With {last:,} users a month it is {most[1]:,.2f} for the monolith, hardly "
        f"more than for nobody, and {most[3]:,.2f} for stage 3."
        if most[1] < 1.1 * idle[1]
        else f"With {last:,} users a month the monolith costs {most[1]:,.2f} and stage "
        f"3 costs {most[3]:,.2f}."
    )
    return " ".join(words)


def _layers(results: Results) -> dict[str, list[float]]:
    """Return what each line has in each stage; the small ones together."""
    lines: dict[str, dict[str, float]] = results["lines_of_nobody"]
    every = {name for line in lines.values() for name in line}
    large = [
        name
        for name in sorted(every)
        if max(line.get(name, 0.0) for line in lines.values()) >= SMALL_DOLLARS
    ]
    layers = {name: [line.get(name, 0.0) for line in lines.values()] for name in large}
    layers["all else"] = [
        sum(dollars for name, dollars in line.items() if name not in large)
        for line in lines.values()
    ]
    return layers


EXPERIMENT = Experiment(
    name="idle-cost",
    claim="Pay per use: what nobody uses costs nothing",
    page="docs/tutorial/3-serverless.md#pay-per-use",
    seconds=2,
    stages=(),
    run=run,
    plot=plot,
    paragraph=paragraph,
)
