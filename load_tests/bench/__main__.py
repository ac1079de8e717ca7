"""Measure a stage: `python -m load_tests.bench --stage 1`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from sandbox.runner import StartError
from sandbox.runner.state import RUN_ROOT
from tests.guest import Guest

from . import guests, machine, measure, report
from .load import LoadError
from .servers import Servers, everything

PORT_BASE = 8157
OUTPUT = RUN_ROOT
RESULTS = Path(__file__).resolve().parents[1] / "results"
CONNECTIONS = (1, measure.CONNECTIONS)


def main() -> int:
    """Run the benchmark; return the exit status."""
    options = _options()
    try:
        with everything(options.stage, options.port_base, options.log_level) as servers:
            result = _measure(servers, options)
    except (LoadError, StartError) as error:
        print(f"The benchmark failed: {error}", file=sys.stderr)
        return 1
    print("\n" + report.markdown(result))
    _write(OUTPUT / f"bench-stage{options.stage}.json", result)
    if options.save:
        _write(RESULTS / f"stage{options.stage}-bench.json", result)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m load_tests.bench", description=__doc__
    )
    parser.add_argument("--stage", type=int, default=1, choices=[1])
    parser.add_argument("--rounds", type=int, default=7, help="turns of each server")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each turn")
    parser.add_argument(
        "--only",
        choices=("comparison", "figures"),
        help="the comparison with bare views, or latency and memory; both by default",
    )
    parser.add_argument("--save", action="store_true", help=f"write to {RESULTS}, too")
    parser.add_argument(
        "--log-level",
        default="INFO",
        choices=("INFO", "WARNING"),
        help="the stage's; at WARNING no line a request, as the bare views write none",
    )
    parser.add_argument("--port-base", type=int, default=PORT_BASE)
    options = parser.parse_args()
    if options.rounds < 1 or options.seconds <= 0:
        parser.error("--rounds must be at least 1 and --seconds above 0")
    return options


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
