"""What a chain of programs costs that call one another, against functions in one.

The programs of the chain are one gunicorn that calls itself over HTTP: each link costs
what a request costs, and none waits for another program's start or machine. That one
fails is drawn by lot, so the failures show how a share multiplies, and not how often
programs fail.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from statistics import median
from typing import Any

import requests

from load_tests import plots
from load_tests.bench.statistics import percentile
from sandbox.runner import Port, Stage

from . import archive
from .experiment import Experiment, Results
from .lab import Lab

CHAIN = Stage(
    number=1,
    folder="load_tests/experiments/chain",
    port_base=8100,
    ports=(Port("PORT", 0, "web"),),
    health_path="/health",
)
WAYS = {"functions": "functions in one program", "links": "programs that call on"}
LENGTHS = (1, 2, 3, 5, 8)
ROUNDS = 4
CALLS = 80
FAILS = 0.01
SLOW_SHARE, SLOW_SECONDS = 0.01, 0.1
# A month has so many minutes.
MINUTES = 43_800
VISITS = archive.SAVED.parent / "stage2-bench.json"


def run(lab: Lab) -> Results:
    """Ask both ways in turns, one call after the other, for each length."""
    env = {
        "CHAIN_FAILS": str(FAILS),
        "CHAIN_SLOW_SHARE": str(SLOW_SHARE),
        "CHAIN_SLOW_SECONDS": str(SLOW_SECONDS),
    }
    times: dict[str, dict[int, list[float]]] = {
        way: {length: [] for length in LENGTHS} for way in WAYS
    }
    failed = {way: dict.fromkeys(LENGTHS, 0) for way in WAYS}
    with lab.stage(CHAIN, env) as running, requests.Session() as http:
        for number in range(ROUNDS):
            for length in LENGTHS:
                for way in WAYS:
                    url = f"{running.site_url}/{way}/{length}"
                    seen, lost = _asked(http, url)
                    times[way][length] += seen
                    failed[way][length] += lost
            lab.say(f"round {number + 1} of {ROUNDS}")
    return {
        "lengths": list(LENGTHS),
        "calls": ROUNDS * CALLS,
        "fails": FAILS,
        "slow_share": SLOW_SHARE,
        "slow_ms": 1000 * SLOW_SECONDS,
        "ways": {
            way: {
                "p50_ms": [_ms(times[way][length], 50) for length in LENGTHS],
                "p99_ms": [_ms(times[way][length], 99) for length in LENGTHS],
                "failed": [failed[way][length] for length in LENGTHS],
            }
            for way in WAYS
        },
        "visits": _visits(),
    }


def _asked(http: requests.Session, url: str) -> tuple[list[float], int]:
    """Return the seconds of the calls that went well, and how many did not."""
    seen, lost = [], 0
    for _ in range(CALLS):
        began = time.perf_counter()
        answer = http.get(url, timeout=30)
        took = time.perf_counter() - began
        if answer.status_code == requests.codes.ok:
            seen.append(took)
        else:
            lost += 1
    return seen, lost


def _ms(seconds: list[float], percent: float) -> float:
    return round(1000 * percentile(seconds, percent), 2)


def _visits() -> dict[str, Any]:
    """Return what `make bench STAGE=2` has measured of the whole product."""
    result = json.loads(VISITS.read_text(encoding="utf-8"))
    return {
        "ratio": result["mix"]["ratio"],
        "measured": result["machine"]["measured"][:10],
    }


def plot(results: Results, file: Path) -> None:
    """Draw latency and failures over the length of the chain, by both ways."""
    title = (
        f"{results['calls']:,} calls each; a program fails in {results['fails']:.0%}, "
        f"a step takes {results['slow_ms']:.0f} ms in {results['slow_share']:.0%}"
    )
    lengths = results["lengths"]
    with plots.drawing(file, columns=2, title=title, height=4.4) as (slow, lost):
        for at, (way, label) in enumerate(WAYS.items(), start=1):
            found, looks = results["ways"][way], plots.STAGE_LOOKS[at]
            slow.plot(lengths, found["p50_ms"], label=f"p50, {label}", **looks)
            wide = looks | {"markerfacecolor": "white", "alpha": 0.75}
            slow.plot(lengths, found["p99_ms"], label=f"p99, {label}", **wide)
            shares = [100 * each / results["calls"] for each in found["failed"]]
            lost.plot(lengths, shares, label=label, **looks)
        expected = [100 * (1 - (1 - results["fails"]) ** each) for each in lengths]
        lost.plot(lengths, expected, label="as multiplied", **plots.MODEL_LOOKS)
        plots.labelled(slow, "Latency", "steps, or programs in a row", "milliseconds")
        slow.set(yscale="log")
        slow.yaxis.set_major_formatter("{x:,g}")
        plots.labelled(
            lost, "Calls that failed", "steps, or programs in a row", "percent of calls"
        )
        lost.set_ylim(0, None)
        for axes in (slow, lost):
            axes.set_xticks(lengths)
            axes.legend(fontsize=9)


def paragraph(results: Results) -> str:
    """Tell what each link adds, and what becomes of the product as a whole."""
    last, calls = results["lengths"][-1], results["calls"]
    links, functions = results["ways"]["links"], results["ways"]["functions"]
    link = (links["p50_ms"][-1] - links["p50_ms"][0]) / (last - results["lengths"][0])
    lost = {way: each["failed"][-1] / calls for way, each in results["ways"].items()}
    words = [
        f"{last} functions in one program answered in {functions['p50_ms'][-1]:.1f} ms "
        f"(p50), {last} programs in a row in {links['p50_ms'][-1]:.1f}: each link adds "
        f"{link:.1f} ms on one machine, where no network is in between (it is one "
        "gunicorn, which calls itself)."
    ]
    if lost["links"] > lost["functions"]:
        words.append(
            f"Each program was made to fail in {results['fails']:.0%} of the calls, by "
            f"lot; in a row of "
            f"{last} that was {lost['links']:.1%} of {calls:,}, inside of one "
            f"{lost['functions']:.1%} (multiplied: "
            f"{1 - (1 - results['fails']) ** last:.1%}). At 99.9 % each, {last} are "
            f"down {MINUTES * (1 - 0.999**last):.0f} minutes a month instead of "
            f"{MINUTES * 0.001:.0f}."
        )
    else:
        words.append(
            "The chain did not fail more often this time, which is luck: measure more "
            "calls."
        )
    words.append(_told_visits(**results["visits"]))
    if median(links["p50_ms"]) <= median(functions["p50_ms"]):
        words.append("That links were no slower than functions is not to be believed.")
    return " ".join(words)


def _told_visits(ratio: dict[str, float | None], measured: str) -> str:
    """Tell who answers more visits; from one round there is no interval."""
    low, high = ratio["low"], ratio["high"]
    words = (
        f"The whole product, split into five, answered {ratio['estimate']:.2f} times "
        "as many visits as the monolith ("
    )
    bench = f"`make bench STAGE=2` of {measured}"
    if low is None or high is None:
        return f"{words}{bench}), in one round, which cannot tell who wins."
    words += f"95 % interval {low:.2f} to {high:.2f}, {bench}): "
    if high < 1:
        return words + "here the monolith wins."
    return words + ("the split wins." if low > 1 else "that is no difference.")


EXPERIMENT = Experiment(
    name="split-tax",
    claim="Chatty synchronous chains multiply latency and downtime",
    page="docs/tutorial/5-not-a-panacea.md#a-chain-multiplies",
    seconds=30,
    stages=(1,),
    run=run,
    plot=plot,
    paragraph=paragraph,
)
