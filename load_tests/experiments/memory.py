"""What the language engine makes of every worker, of its instance and of the bill.

The workers' memory is measured; the instances and their bill are reckoned from it.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any

from load_tests import plots
from load_tests.bench import guests
from load_tests.bench.load import Plan, measure
from load_tests.bench.servers import server_at
from load_tests.costs import figures
from load_tests.costs.instances import TooLarge
from load_tests.costs.prices import prices
from load_tests.costs.servers import fleets
from load_tests.costs.usage import Usage
from load_tests.costs.work import ServerFigures
from sandbox.runner import RunningStage
from sandbox.runner.stages import STAGES
from tests.backstage import backstage_of
from tests.guest import Guest

from .experiment import Experiment, Results
from .lab import Lab

WORKERS = (1, 2, 4)
CONNECTIONS = 8
WARM_SECONDS = 3.0
# Guests visit until memory grows no more than this from one go to the next.
STEADY, MOST_GOES = 0.02, 6
# gunicorn looks once a second whether it has the workers that it should have.
SETTLE_SECONDS = 2.0
PEAK = 10
USERS = tuple(round(10_000 * 10 ** (at / 8)) for at in range(20))
TOLD_USERS = (10_000, 1_000_000)


def run(lab: Lab) -> Results:
    """Measure workers of both stages under each engine, and reckon their instances."""
    measured: dict[str, Any] = {"1": {}, "2": {}}
    for engine in _engines(lab):
        found = _monolith(lab, engine)
        measured["1"][engine] = [round(sum(workers), 1) for workers in found]
        measured["1"][f"{engine}, a worker"] = round(median(found[-1]), 1)
        measured["2"][engine] = _services(lab, engine)
    return {
        "workers": list(WORKERS),
        "pss_mib": measured,
        "a_worker": "median",
        "peak": PEAK,
        "users": list(USERS),
        "bills": {
            engine: {stage: list(_bills(stage, engine, measured)) for stage in "12"}
            for engine in measured["2"]
        },
        "told": {
            engine: {
                stage: [_told(stage, engine, measured, users) for users in TOLD_USERS]
                for stage in "12"
            }
            for engine in measured["2"]
        },
        "prices_of": str(prices().read),
    }


def _engines(lab: Lab) -> Iterator[str]:
    yield "rules"
    yield "light"
    if importlib.util.find_spec("onnxruntime"):
        yield "strong"
    else:
        lab.say("The strong engine is left out: `make strong` installs what it needs.")


def _monolith(lab: Lab, engine: str) -> list[list[float]]:
    """Return what each worker holds, of one, of two and of four of them."""
    found = []
    with lab.stage(1, {"NLU_ENGINE": engine, "WEB_CONCURRENCY": "1"}) as running:
        server = server_at(lab.port_base(1))
        tokens = _tokens(running)
        for workers in WORKERS:
            while len(server.memory()) < workers:
                # What gunicorn takes as "one worker more".
                os.kill(server.master, signal.SIGTTIN)
                time.sleep(SETTLE_SECONDS)
            found.append(
                at_rest(
                    lambda: _warm(running, tokens),
                    lambda: [memory.proportional for memory in server.memory()],
                )
            )
            lab.say(f"{engine}, {_workers(workers)}: {sum(found[-1]):.0f} MiB")
    return found


def _services(lab: Lab, engine: str) -> dict[str, float]:
    with lab.stage(2, {"NLU_ENGINE": engine, "REPLICAS": ""}) as running:
        tokens = _tokens(running)
        servers = [
            server_at(lab.port_base(2) + service.offsets[0])
            for service in STAGES[2].services
        ]
        # One worker each.
        held = at_rest(
            lambda: _warm(running, tokens),
            lambda: [server.memory()[0].proportional for server in servers],
        )
    found = {
        service.name: mib for service, mib in zip(STAGES[2].services, held, strict=True)
    }
    lab.say(f"{engine}, five services: {sum(found.values()):.0f} MiB")
    return {name: round(mib, 1) for name, mib in found.items()}


def at_rest(warm: Callable[[], None], look: Callable[[], list[float]]) -> list[float]:
    """Let guests visit until memory stays as it is; return what is held then.

    Args:
        warm: has them visit for a while.
        look: reads what each worker holds, in MiB.
    """
    warm()
    found = look()
    for _ in range(MOST_GOES - 1):
        warm()
        before, found = sum(found), look()
        if abs(sum(found) - before) <= STEADY * before:
            break
    return found


def _tokens(running: RunningStage) -> list[str]:
    backstage_of(running).set_stock(guests.PRODUCT_ID, guests.PLENTY)
    return [Guest(running).token for _ in range(CONNECTIONS)]


def _warm(running: RunningStage, tokens: list[str]) -> None:
    """Let guests visit, so that each worker has loaded what it loads late."""
    measure(
        Plan(
            port=int(running.site_url.rpartition(":")[2]),
            tokens=tokens,
            requests=guests.journey(),
            warm_up_seconds=0.0,
            seconds=WARM_SECONDS,
            roots={},
        )
    )


def _bills(stage: str, engine: str, measured: dict[str, Any]) -> Iterator[float | None]:
    for users in USERS:
        yield _told(stage, engine, measured, users)["dollars"]


def _told(
    stage: str, engine: str, measured: dict[str, Any], users: int
) -> dict[str, Any]:
    """Return the instances of a month and their dollars; None when none is enough."""
    known = prices()
    usage = Usage(Decimal(users), peak=Decimal(PEAK))
    try:
        them = fleets(usage, _figures(stage, engine, measured), known)
    except TooLarge:
        return {"instances": [], "dollars": None}
    address = known["public_address_hours"].of(Decimal(1))
    hourly = sum(
        (each.hourly + address * each.count for each in them.values()), Decimal(0)
    )
    return {
        "instances": [f"{name}: {each}" for name, each in them.items()],
        "dollars": float(round(hourly * known.hours, 2)),
    }


def _figures(stage: str, engine: str, measured: dict[str, Any]) -> ServerFigures:
    """Return the cost model's figures, with the memory that was measured here."""
    # The engine without vectors takes no more CPU than the light one, which is known.
    like = "strong" if engine == "strong" else "light"
    known = figures.monolith(like) if stage == "1" else figures.services(like)
    worker = (
        {"monolith": measured["1"][f"{engine}, a worker"]}
        if stage == "1"
        else measured["2"][engine]
    )
    services = tuple(
        replace(each, worker_mib=Decimal(str(worker[each.name])))
        for each in known.services
    )
    return replace(known, services=services)


def plot(results: Results, file: Path) -> None:
    """Draw what is held in memory by workers and engine, and the instances' bill."""
    title = (
        "The language engine, its memory and its instances (bill reckoned, prices of "
        f"{results['prices_of']})"
    )
    with plots.drawing(file, columns=2, title=title, height=4.6) as (held, billed):
        _draw_memory(held, results)
        for stage in (1, 2):
            for engine, looks in (("light", {}), ("strong", {"markerfacecolor": "w"})):
                if engine in results["bills"]:
                    _draw_bill(billed, results, stage, engine, looks)
        plots.labelled(
            billed,
            f"Instances of a month, peak {results['peak']} times the mean",
            "users a month",
            "US dollars a month",
        )
        billed.set(xscale="log", yscale="log")
        billed.set_yticks([20, 30, 50, 100, 200])
        billed.minorticks_off()
        for axis in (billed.xaxis, billed.yaxis):
            axis.set_major_formatter("{x:,.0f}")
        billed.legend()


def _draw_memory(axes: Any, results: Results) -> None:
    monolith, services = results["pss_mib"]["1"], results["pss_mib"]["2"]
    names = [_workers(count) for count in results["workers"]]
    rows = [[monolith[engine][at] for engine in services] for at in range(len(names))]
    rows.append([sum(services[engine].values()) for engine in services])
    width = 0.8 / len(rows)
    for at, (name, row) in enumerate(
        zip([*names, "5 services, 1 worker each"], rows, strict=True)
    ):
        places = [
            engine + (at - len(rows) / 2 + 0.5) * width for engine in range(len(row))
        ]
        drawn = axes.bar(
            places,
            row,
            width,
            label=name,
            color=plots.PALETTE[1] if at == len(names) else plots.PALETTE[0],
            alpha=1 if at == len(names) else (0.35, 0.65, 1)[at % 3],
            hatch=plots.HATCHES[at],
            edgecolor="white",
        )
        axes.bar_label(drawn, fmt="{:,.0f}", fontsize=9, padding=2)
    axes.set_xticks(range(len(services)), [f"{name} engine" for name in services])
    axes.grid(visible=False, axis="x")
    axes.legend()
    plots.labelled(axes, "Memory of all workers", "", "MiB (PSS), measured")


def _draw_bill(
    axes: Any, results: Results, stage: int, engine: str, looks: dict[str, Any]
) -> None:
    points = zip(results["users"], results["bills"][engine][str(stage)], strict=True)
    users, dollars = zip(*((x, y) for x, y in points if y is not None), strict=True)
    axes.plot(
        users,
        dollars,
        label=f"{plots.stage_name(stage)}, {engine}",
        # So that of two lines that lie on each other both are seen.
        markevery=(2 * (engine == "strong"), 4),
        **(plots.STAGE_LOOKS[stage] | looks),
    )


def paragraph(results: Results) -> str:
    """Tell what the engine adds to a worker, and whether the split saves by it."""
    one, two = results["pss_mib"]["1"], results["pss_mib"]["2"]
    largest = "strong" if "strong" in two else "light"
    bare, heavy = one["rules, a worker"], one[f"{largest}, a worker"]
    small = [mib for name, mib in two[largest].items() if name != "nlu"]
    words = [
        "All memory here is PSS, which divides what processes share among them. "
        f"A worker of the monolith holds {bare:.0f} MiB (the {results['a_worker']} of "
        f"{results['workers'][-1]} after visits) when it understands guests by "
        f"rules, and {heavy:.0f} with the {largest} engine; every worker pays for it "
        f"({one[largest][-1]:,.0f} MiB for {_workers(results['workers'][-1])}). Of the "
        f"services only `nlu` does ({two[largest]['nlu']:.0f} MiB); the other four "
        f"hold {min(small):.0f} to {max(small):.0f}."
    ]
    if sum(two[largest].values()) > one[largest][0]:
        words.append(
            f"But there are five of them: together {sum(two[largest].values()):,.0f} "
            f"MiB, more than the {one[largest][0]:,.0f} of one worker that does all."
        )
    steps = [_instance(results["told"][engine]["1"][0]) for engine in two]
    engines = ", ".join(
        f"{step} ({engine})" for step, engine in zip(steps, two, strict=True)
    )
    words.append(
        f"The instances that the monolith needs for the least load: {engines}."
    )
    words += [
        _dearer(results, largest, at, users) for at, users in enumerate(TOLD_USERS)
    ]
    return " ".join(words)


def _dearer(results: Results, engine: str, at: int, users: int) -> str:
    """Tell whose instances cost more for so many users."""
    dollars = [results["told"][engine][stage][at]["dollars"] for stage in "12"]
    if None in dollars:
        return f"For {users:,} users no instance of the price file is enough."
    monolith, services = dollars
    if services < monolith:
        return (
            f"For {users:,} users a month and the {engine} engine the split's "
            f"instances are cheaper: {services:,.2f} dollars, the monolith's "
            f"{monolith:,.2f}, for less memory is bought where it is not needed."
        )
    return (
        f"For {users:,} users a month and the {engine} engine the split does not save "
        f"money: its instances are {services:,.2f} dollars, the monolith's "
        f"{monolith:,.2f}."
    )


def _instance(told: dict[str, Any]) -> str:
    return str(told["instances"][0].partition(": ")[2]) if told["instances"] else "none"


def _workers(count: int) -> str:
    return "1 worker" if count == 1 else f"{count} workers"


EXPERIMENT = Experiment(
    name="memory",
    claim="NLP takes too much memory, so every instance grows",
    page="docs/tutorial/1-the-monolith.md#one-size-does-not-fit-all",
    seconds=200,
    stages=(1, 2),
    run=run,
    plot=plot,
    paragraph=paragraph,
)
