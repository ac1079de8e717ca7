"""One to six monoliths behind nginx, on one database: what does each add?"""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import Any

import psutil
import requests

from load_tests import plots
from load_tests.bench import guests
from load_tests.bench.load import Plan, Request, measure
from load_tests.limits.scalability import fit, held_out
from sandbox.runner import RunningStage
from tests.guest import Guest

from . import fleets
from .experiment import Experiment, Results
from .lab import Lab

COPIES = tuple(range(1, fleets.MOST + 1))
ROUNDS = 5
SECONDS = 2.5
WARM_UP_SECONDS = 0.75
# Of a copy; as many guests come for each that works.
THREADS = 8
STRIPE_MS = 250
NUMBERS = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 8: "eight"}


def run(lab: Lab) -> Results:
    """Measure each number of copies in turns, so that what disturbs disturbs all."""
    env = {
        "WEB_CONCURRENCY": "1",
        "WEB_THREADS": str(THREADS),
        "LOG_LEVEL": "WARNING",
    }
    with fleets.fleet(lab, fleets.MOST, env) as running:
        fleets.fill(running, guests.PRODUCT_ID, guests.PLENTY)
        tokens = [Guest(running).token for _ in range(THREADS * fleets.MOST)]
        found = {"products": _measured(lab, running, tokens, guests.PRODUCTS)}
        faults = f"{running.stripe_url}/_sandbox/faults"
        slow = {"latency_ms": {"fixed": STRIPE_MS}}
        requests.put(faults, json=slow, timeout=10).raise_for_status()
        found["purchases"] = _measured(lab, running, tokens, guests.checkout())
    return {
        "cores": psutil.cpu_count(),
        "copies": list(COPIES),
        "rounds": ROUNDS,
        "seconds": SECONDS,
        "threads_a_copy": THREADS,
        "stripe_ms": STRIPE_MS,
        "rates": {name: rates for name, (rates, _) in found.items()},
        "generator_share": {name: share for name, (_, share) in found.items()},
        "law": {name: _law(rates) for name, (rates, _) in found.items()},
    }


def _measured(
    lab: Lab, running: RunningStage, tokens: list[str], sent: list[Request]
) -> tuple[list[list[float]], float]:
    """Return requests a second of each round, by copies; the generator's share."""
    rates: list[list[float]] = [[] for _ in COPIES]
    shares = []
    for number in range(ROUNDS):
        for at, copies in _turn(number):
            fleets.use(running, copies)
            seen = measure(
                Plan(
                    port=int(running.site_url.rpartition(":")[2]),
                    tokens=tokens[: THREADS * copies],
                    requests=sent,
                    warm_up_seconds=WARM_UP_SECONDS,
                    seconds=SECONDS,
                    roots={},
                )
            )
            rates[at].append(round(seen.ended / seen.seconds, 1))
            shares.append(seen.cpu_share("generator"))
        told = " ".join(f"{each[-1]:.0f}" for each in rates)
        lab.say(f"{sent[0].path}, round {number + 1} of {ROUNDS}, by copies: {told} /s")
    return rates, round(max(shares), 2)


def _turn(number: int) -> list[tuple[int, int]]:
    """Return the numbers of copies, up in one round and down in the next.

    A machine that grows slower or faster all the time then favours none of them.

    Args:
        number: of the round, from 0.

    Returns:
        Where each stands in `COPIES`, and the number.
    """
    turn = list(enumerate(COPIES))
    return turn[::-1] if number % 2 else turn


def _law(rates: list[list[float]]) -> dict[str, Any]:
    middle = [median(each) for each in rates]
    law = fit(COPIES, middle)
    return {
        "rate": law.rate,
        "contention": law.contention,
        "coherency": law.coherency,
        "fitted": [law.throughput(copies) for copies in COPIES],
        "held_out": [
            [level, guess, error] for level, guess, error in held_out(COPIES, middle)
        ],
    }


def plot(results: Results, file: Path) -> None:
    """Draw throughput over copies for both loads, with the law and a straight line."""
    title = f"Monoliths behind nginx, one PostgreSQL, one machine of {_cores(results)}"
    with plots.drawing(file, columns=2, title=title, height=4.4) as both:
        for axes, (name, rates) in zip(both, results["rates"].items(), strict=True):
            _draw(axes, name, rates, results)


def _draw(axes: Any, name: str, rates: list[list[float]], results: Results) -> None:
    copies, middle = results["copies"], [median(each) for each in rates]
    plots.intervals(
        axes,
        copies,
        middle,
        [min(each) for each in rates],
        [max(each) for each in rates],
        plots.STAGE_LOOKS[1],
        f"measured: median and span of {results['rounds']}",
    )
    axes.plot(
        copies,
        results["law"][name]["fitted"],
        label="Universal Scalability Law, fitted",
        **plots.MODEL_LOOKS,
    )
    axes.plot(
        copies,
        [middle[0] * each for each in copies],
        color=plots.PALETTE[5],
        linestyle=":",
        label="each adds as much as the first",
    )
    up = "requests a second" if name == "products" else "purchases a second"
    plots.labelled(axes, _title(name, results), "copies", up)
    axes.set_ylim(0, 1.6 * max(middle))
    axes.legend(fontsize=9, loc="upper left" if name == "products" else "lower right")


def _title(name: str, results: Results) -> str:
    if name == "products":
        return "Products: work for the processor"
    return f"Purchases, Stripe {results['stripe_ms']} ms a call: waiting"


def paragraph(results: Results) -> str:
    """Tell what copies bring, where that ends, and how far to trust the law."""
    middle = {
        name: dict(zip(results["copies"], map(median, rates), strict=True))
        for name, rates in results["rates"].items()
    }
    buy, read = middle["purchases"], middle["products"]
    words = [
        f"With Stripe at {results['stripe_ms']} ms a call, one copy of the monolith "
        f"({results['threads_a_copy']} threads) sold {buy[1]:.0f} a second, two "
        f"{buy[2]:.0f}, four {buy[4]:.0f} ({buy[4] / buy[1]:.1f} times the first)."
    ]
    if buy[4] >= 3 * buy[1]:
        words.append("A copy brings threads that wait, and scaling out works.")
    elif buy[4] > 1.1 * buy[1]:
        words.append("Copies bring threads that wait, but no longer one for one.")
    else:
        words.append("Copies brought nothing here.")
    words.append(
        _told_reading(read)
        + (
            "more copies of a program do not make more processors, and the load's "
            f"generator, nginx and PostgreSQL share the {_cores(results)} that there "
            f"are (the generator alone took up to {_generator(results)} of one)."
            if max(read.values()) < 2 * read[1]
            else "even that grew with the copies, though the load's generator took "
            f"up to {_generator(results)} of one of {_cores(results)}."
        )
    )
    words.append(
        "The law foretells a level that was held out with an error of "
        f"{_worst(results, 'purchases'):.0%} at worst for purchases and "
        f"{_worst(results, 'products'):.0%} for products, so "
        + (
            "it may be trusted between the levels measured, and on this machine only."
            if max(_worst(results, name) for name in middle) <= 0.15
            else "nobody should extrapolate with it."
        )
    )
    return " ".join(words)


def _told_reading(rates: dict[int, float]) -> str:
    """Tell how fast reading is with one copy, at best, and with the most."""
    best, last = max(rates, key=lambda copies: rates[copies]), max(rates)
    words = f"Reading products was {rates[1]:.0f} a second with one copy, "
    if best > 1:
        gain = rates[best] / rates[1]
        words += f"{rates[best]:.0f} with {NUMBERS[best]} at best ({gain:.1f} times), "
    if best < last:
        words += f"and {rates[last]:.0f} with {NUMBERS[last]}"
    return words.rstrip(", ") + ": "


def _cores(results: Results) -> str:
    cores = results["cores"]
    return f"{NUMBERS.get(cores, cores)} core{'s' if cores > 1 else ''}"


def _generator(results: Results) -> str:
    return f"{results['generator_share']['products']:.0%}"


def _worst(results: Results, name: str) -> float:
    errors: list[float] = [abs(each[2]) for each in results["law"][name]["held_out"]]
    return max(errors)


EXPERIMENT = Experiment(
    name="scale-out",
    claim="100 users become 100k: scale out behind a load balancer",
    page="docs/tutorial/1-the-monolith.md#from-a-hundred-guests-to-a-hundred-thousand",
    seconds=280,
    stages=(1,),
    run=run,
    plot=plot,
    paragraph=paragraph,
)
