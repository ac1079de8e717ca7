"""The catalogue answers late; what do guests get who buy, and those who do not?"""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median
from typing import Any

from load_tests import plots
from load_tests.failures.breaking import SLOW_SECONDS, slow

from .experiment import Experiment, Results
from .lab import Lab
from .watching import WELL, Ask, Mark, Watch

# More buyers than the eight threads of `checkout`.
CROWD = {"buy": 12, "my orders": 1}
LAST_SECONDS = 20.0
# Long enough for a purchase of two slow calls, and for the breaker to close again.
AFTER_SECONDS = 8.0
CAP_SECONDS = 20.0
# What is quicker than this is just quick.
SHORT_SECONDS = 0.1
# Of what is drawn, for the axis is logarithmic: refusals take milliseconds.
SHORTEST_SECONDS = 0.001
SETTINGS = {
    "on": "timeouts, tries, a breaker (RESILIENCE=on)",
    "off": "none of that (RESILIENCE=off)",
}


def run(lab: Lab) -> Results:
    """Make `catalog` slow while a crowd buys, with and without resilience."""
    return {
        "slow_seconds": SLOW_SECONDS,
        "last_seconds": LAST_SECONDS,
        "buyers": CROWD["buy"],
        "watched": {setting: _tried(lab, setting) for setting in SETTINGS},
    }


def _tried(lab: Lab, setting: str) -> Results:
    env = {"RESILIENCE": setting, "NLU_ENGINE": "rules"}
    with lab.stage(2, env) as running:
        watch = Watch(running, crowd=CROWD, cap=CAP_SECONDS)
        lab.say(f"RESILIENCE={setting}: catalog answers {SLOW_SECONDS:g} s late")

        def happen(mark: Mark) -> None:
            with slow(running, "catalog"):
                # The gateway follows by now, and does until it is told otherwise.
                mark("slow")
                time.sleep(LAST_SECONDS)
                mark("as usual")

        found = watch.during(happen, before=2.0, after=AFTER_SECONDS)
    meanwhile = _meanwhile(found)["buy"]
    lab.say(f"RESILIENCE={setting}: sold {_sold(meanwhile)} of {len(meanwhile)}")
    return found


def _meanwhile(run: dict[str, Any]) -> dict[str, list[Ask]]:
    """Return what was asked while the catalogue was slow, one slow answer apart."""
    begin, end = (at for _, at in run["marks"])
    return {
        name: [ask for ask in asks if begin <= ask[0] <= end - SLOW_SECONDS]
        for name, asks in run["asks"].items()
    }


def plot(results: Results, file: Path) -> None:
    """Draw each answer by when it was asked for and how long it took."""
    title = f"The catalogue answers {results['slow_seconds']:g} s late"
    with plots.drawing(file, columns=2, title=title, height=4.4) as both:
        for axes, (setting, run_) in zip(both, results["watched"].items(), strict=True):
            _draw(axes, setting, run_)
        top = max(axes.dataLim.ymax for axes in both)
        for axes in both:
            plots.logarithmic(axes.yaxis)
            axes.set_ylim(SHORTEST_SECONDS / 1.5, 1.5 * top)
        handles, labels = both[0].get_legend_handles_labels()
        both[0].figure.legend(
            handles, labels, loc="outside lower center", ncols=3, fontsize=9
        )


def _draw(axes: Any, setting: str, run_: dict[str, Any]) -> None:
    kinds = (
        ("buy", True, "bought", plots.PALETTE[0], "o"),
        ("buy", False, "purchase refused, or no answer", plots.PALETTE[1], "x"),
        ("my orders", True, "orders shown", plots.PALETTE[2], "^"),
        ("my orders", False, "orders not shown", plots.PALETTE[6], "v"),
    )
    for name, well, label, color, marker in kinds:
        seen = [
            (at, took)
            for at, status, took in run_["asks"][name]
            if (status in WELL) == well
        ]
        axes.scatter(
            [at for at, _ in seen],
            [max(took, SHORTEST_SECONDS) for _, took in seen],
            s=26,
            color=color,
            marker=marker,
            label=label,
            alpha=0.75,
        )
    begin, end = (at for _, at in run_["marks"])
    axes.axvspan(begin, end, color=plots.PALETTE[4], alpha=0.12, label="slow")
    plots.labelled(
        axes, SETTINGS[setting], "asked after, seconds", "answered in, seconds"
    )


def paragraph(results: Results) -> str:
    """Tell who was served with and without resilience, and at which price."""
    told, sold, waited = [], {}, {}
    for setting, run_ in results["watched"].items():
        meanwhile = _meanwhile(run_)
        sold[setting] = _sold(meanwhile["buy"])
        waited[setting] = max(
            (took for *_, took in meanwhile["my orders"]), default=0.0
        )
        refused = len(meanwhile["buy"]) - sold[setting]
        usual = median(took for *_, took in meanwhile["buy"])
        told.append(
            f"with RESILIENCE={setting} {sold[setting]} purchases went well and "
            f"{refused} did not (half of all had their answer within {_told(usual)}), "
            "and guests who only looked at their orders waited "
            f"{_told(waited[setting])} at most"
        )
    words = [
        f"While the catalogue answered {results['slow_seconds']:g} s late, "
        f"{results['buyers']} guests kept buying: {'; '.join(told)}."
    ]
    if waited["off"] > 2 * waited["on"]:
        words.append(
            "Without a time limit every thread of `checkout` stands and waits, also "
            "for those who want nothing of the catalogue."
        )
    else:
        words.append("That `checkout` is careful did not help those who only looked.")
    if sold["off"] > sold["on"]:
        words.append(
            "But being careful has its price: a catalogue that is slow and not dead "
            "sells less to those who give up on it."
        )
    else:
        words.append("Being careful cost no sale here.")
    return " ".join(words)


def _told(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= SHORT_SECONDS else f"{SHORT_SECONDS} s"


def _sold(asks: list[Ask]) -> int:
    return sum(status in WELL for _, status, _ in asks)


EXPERIMENT = Experiment(
    name="slow-dependency",
    claim="A dependency that is slow takes its callers with it",
    page="docs/tutorial/2-split-services.md#a-chain-is-as-strong-as-all-its-links",
    seconds=100,
    stages=(2,),
    run=run,
    plot=plot,
    paragraph=paragraph,
)
