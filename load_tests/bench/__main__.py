"""Measure a stage: `python -m load_tests.bench --stage 1`.

Stage 1 is measured against bare views, stage 2 against stage 1, stage 3 against stage 2
and each of its functions by itself.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sandbox.runner import StartError, started
from sandbox.runner.state import RUN_ROOT
from tests.guest import Guest

from . import (
    calls,
    compare,
    guests,
    lambdas,
    machine,
    measure,
    report,
    report_compare,
    report_lambdas,
    visits,
)
from .load import LoadError
from .pair import WORKERS, both, strong_monolith
from .servers import Servers, everything

SERVERLESS = 3
PORT_BASES = {1: 8157, 2: 8253, SERVERLESS: 8356}
# Among its ports there is room for those of stage 2, beside which it is measured.
TWO_ABOVE = 3
OUTPUT = RUN_ROOT
RESULTS = Path(__file__).resolve().parents[1] / "results"
CONNECTIONS = (1, measure.CONNECTIONS)


def main() -> int:
    """Run the benchmark; return the exit status."""
    options = _options()
    try:
        if options.stage == 1:
            result = _bare_views(options)
            told = report.markdown(result)
        elif options.stage == SERVERLESS:
            result = _functions(options)
            told = report_lambdas.markdown(result)
        else:
            result = _monolith(options)
            told = report_compare.markdown(result)
    except (LoadError, StartError) as error:
        print(f"The benchmark failed: {error}", file=sys.stderr)
        return 1
    print("\n" + told)
    _write(OUTPUT / f"bench-stage{options.stage}.json", result)
    if options.save:
        for_the_bill = result.pop("calls", None)
        _write(RESULTS / f"stage{options.stage}-bench.json", result)
        if for_the_bill:
            _write(RESULTS / f"stage{options.stage}-calls.json", for_the_bill)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m load_tests.bench", description=__doc__
    )
    parser.add_argument("--stage", type=int, default=1, choices=[1, 2, 3])
    parser.add_argument("--rounds", type=int, default=7, help="turns of each server")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each turn")
    parser.add_argument(
        "--only",
        choices=("comparison", "figures"),
        help="stage 1: the comparison with bare views, or latency and memory",
    )
    parser.add_argument("--cold", type=int, default=5, help="stage 3: cold starts each")
    parser.add_argument("--warm", type=int, default=50, help="stage 3: calls each")
    parser.add_argument(
        "--visits", type=int, default=5, help="stage 3: of each turn against stage 2"
    )
    parser.add_argument("--save", action="store_true", help=f"write to {RESULTS}, too")
    parser.add_argument(
        "--log-level",
        default="INFO",
        choices=("INFO", "WARNING"),
        help="the stage's; at WARNING no line a request, as the bare views write none",
    )
    parser.add_argument("--port-base", type=int)
    options = parser.parse_args()
    options.port_base = options.port_base or PORT_BASES[options.stage]
    if min(options.cold, options.warm, options.visits) < 1:
        parser.error("--cold, --warm and --visits must be at least 1")
    if options.rounds < 1 or options.seconds <= 0:
        parser.error("--rounds must be at least 1 and --seconds above 0")
    return options


def _bare_views(options: argparse.Namespace) -> dict[str, Any]:
    with everything(options.stage, options.port_base, options.log_level) as servers:
        return _measure(servers, options)


def _monolith(options: argparse.Namespace) -> dict[str, Any]:
    here = machine.describe()
    with both(options.port_base, options.log_level, compare.CONNECTIONS) as pair:
        compare.check_same_answers(pair)
        for side in (pair.monolith, pair.services):
            compare.warm_up(side, options.seconds)
        mix = compare.mix(pair, options.rounds, options.seconds, print)
        hops = compare.hops(pair, options.rounds, print)
        memory = {
            "services": compare.memory(pair.services),
            "monolith, light": compare.memory(pair.monolith),
        }
    if importlib.util.find_spec("onnxruntime"):
        with strong_monolith(options.port_base, compare.CONNECTIONS) as side:
            print("the monolith with NLU_ENGINE=strong")
            compare.warm_up(side, options.seconds)
            memory["monolith, strong"] = compare.memory(side)
    return {
        "stage": options.stage,
        "machine": here,
        "log_level": options.log_level,
        "connections": compare.CONNECTIONS,
        "workers": WORKERS,
        "rounds": options.rounds,
        "seconds": options.seconds,
        "warm_up_seconds": min(compare.WARM_UP_SECONDS, options.seconds),
        "mix": asdict(mix),
        "hops": [asdict(hop) for hop in hops],
        "memory": memory,
    }


def _functions(options: argparse.Namespace) -> dict[str, Any]:
    here = machine.describe()
    name = "stage3-bench"
    shutil.rmtree(RUN_ROOT / name, ignore_errors=True)
    env = {"LOG_LEVEL": options.log_level}
    with started(3, name=name, port_base=options.port_base, env=env) as running:
        found = lambdas.measure(running, options.cold, options.warm, print)
        called = calls.measure(running, options.warm, print)
        with visits.services(options.port_base + TWO_ABOVE, options.log_level) as two:
            against = visits.compare(
                two, running, options.rounds, options.visits, print
            )
    return {
        "stage": options.stage,
        "machine": here,
        "log_level": options.log_level,
        "cold": options.cold,
        "warm": options.warm,
        "functions": found,
        "calls": {"stage": options.stage, "machine": here, **called},
        "rounds": options.rounds,
        "visits_a_round": options.visits,
        "visits": against,
    }


def _measure(servers: Servers, options: argparse.Namespace) -> dict[str, Any]:
    here = machine.describe()
    people = [Guest(servers.running) for _ in range(measure.CONNECTIONS)]
    tokens = [person.token for person in people]
    size = measure.check_same_bytes(servers, people[0])
    effort = measure.Effort(options.rounds, options.seconds)
    comparisons: list[measure.Comparison] = []
    share, figures = 0.0, []
    if options.only != "figures":
        comparisons, share = measure.compare(servers, tokens, effort, print)
    if options.only != "comparison":
        guests.fill_the_shelf(servers.database_url)
        figures = _figures(servers, tokens, options.seconds)
    return {
        "stage": options.stage,
        "machine": here,
        "log_level": options.log_level,
        "connections": measure.CONNECTIONS,
        "rounds": options.rounds,
        "seconds": options.seconds,
        "warm_up_seconds": min(measure.WARM_UP_SECONDS, options.seconds),
        "bytes": size,
        "generator_share": share,
        "comparisons": measure.plain(comparisons),
        "figures": measure.plain(figures),
    }


def _figures(
    servers: Servers, tokens: list[str], seconds: float
) -> list[measure.Figures]:
    kinds = {
        "products": guests.PRODUCTS,
        "chat": guests.chat(),
        "checkout": guests.checkout(),
    }
    found = []
    for operation, sent in kinds.items():
        for connections in CONNECTIONS:
            print(f"{operation} at {connections} connections")
            found.append(
                measure.figures(servers, operation, sent, tokens[:connections], seconds)
            )
    return found


def _write(path: Path, result: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(f"\nWritten to {path}")


if __name__ == "__main__":
    sys.exit(main())
