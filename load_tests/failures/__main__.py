"""Break each service in each way: `python -m load_tests.failures --stage 2`."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from load_tests.bench import machine
from sandbox.runner import StartError, started
from sandbox.runner.stages import STAGES
from sandbox.runner.state import RUN_ROOT
from tests.backstage import backstage_of

from . import measure, report
from .breaking import FAILURES
from .operations import PARTNER_KEY, PRODUCT

PORT_BASE = 8260
CAP_SECONDS = 15.0
BREAKER_SECONDS = 5.5
RESULTS = Path(__file__).resolve().parents[1] / "results"


def main() -> int:
    """Run the experiment; return 1 when something is not as promised."""
    options = _options()
    found: dict[str, measure.Answers] = {}
    here = machine.describe()
    try:
        for resilience in options.resilience:
            found[resilience] = _measured(options, resilience)
    except StartError as error:
        print(f"The experiment failed: {error}", file=sys.stderr)
        return 1
    wrong = report.wrong(found.get("on", {}))
    for resilience, answers in found.items():
        print(f"\nRESILIENCE={resilience}\n\n{report.markdown(answers, CAP_SECONDS)}")
        print(f"\nIn short:\n\n{report.short(answers, CAP_SECONDS)}")
    print(f"\n{report.needs()}\n")
    if "on" in found:
        print("\n".join(wrong) or "With RESILIENCE=on nothing fails that need not.")
    result: dict[str, Any] = {
        "machine": here,
        "cap_seconds": CAP_SECONDS,
        "answers": {name: report.as_json(found[name]) for name in found},
        "wrong": wrong,
    }
    name = f"stage{options.stage}-failures.json"
    _write(RUN_ROOT / name, result)
    if options.save:
        _write(RESULTS / name, result)
    return 1 if wrong else 0


def _measured(options: argparse.Namespace, resilience: str) -> measure.Answers:
    name = f"stage{options.stage}-failures"
    shutil.rmtree(RUN_ROOT / name, ignore_errors=True)
    env = {
        "RESILIENCE": resilience,
        "NLU_ENGINE": "rules",  # it starts sooner, and is not what fails here
        "PARTNER_API_KEY": PARTNER_KEY,
        "PARTNER_RATE_PER_MINUTE": "1000000",
    }
    with started(
        options.stage, name=name, port_base=options.port_base, env=env
    ) as running:
        backstage_of(running).set_stock(PRODUCT, 1_000_000)
        return measure.all_failures(
            running,
            options.services,
            options.failures,
            CAP_SECONDS,
            BREAKER_SECONDS if resilience == "on" else 0.0,
            lambda words: print(f"RESILIENCE={resilience}, {words}", flush=True),
        )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m load_tests.failures", description=__doc__
    )
    split = [number for number, stage in STAGES.items() if stage.services]
    services = [service.name for number in split for service in STAGES[number].services]
    parser.add_argument("--stage", type=int, default=2, choices=split)
    parser.add_argument("--services", nargs="+", default=services, choices=services)
    parser.add_argument(
        "--failures", nargs="+", default=list(FAILURES), choices=list(FAILURES)
    )
    parser.add_argument(
        "--resilience", nargs="+", default=["on", "off"], choices=["on", "off"]
    )
    parser.add_argument("--save", action="store_true", help=f"write to {RESULTS}, too")
    parser.add_argument("--port-base", type=int, default=PORT_BASE)
    return parser.parse_args()


def _write(path: Path, result: dict[str, Any]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(f"Written: {path}")


if __name__ == "__main__":
    sys.exit(main())
