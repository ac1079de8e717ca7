"""Compare the stages: `python -m load_tests.compare`, or `make compare`."""

from __future__ import annotations

import argparse
import datetime as dt
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import NoReturn

import msgspec
import requests

from load_tests import readme
from load_tests.answers import WrongAnswer
from load_tests.bench import machine
from sandbox.runner import StartError
from sandbox.runner.state import RUN_ROOT, AlreadyRunningError
from tests.cognito import CognitoError
from tests.guest import tomorrow

from . import agreement, pictures, processes, rounds, stages, tables
from .conclusions import paragraphs
from .load import Measured, Plan, measure
from .page import page
from .result import Result, StageResult, curve, pooled, times, turn
from .summary import summaries
from .visits import BOUGHT

RESULTS = Path(__file__).resolve().parents[1] / "results"
IDLE_SECONDS = 5.0
# Parts of README.md.
PART, AGAIN = "make compare", "make compare AGAINST"
INTERRUPTED = 130
REFUSALS = (
    *(StartError, AlreadyRunningError, CognitoError, WrongAnswer),
    agreement.UnreadableError,
)


def main() -> int:
    """Compare as the command line says; return the exit status."""
    options = _options()
    signal.signal(signal.SIGTERM, end)
    began = time.monotonic()
    try:
        if options.redraw:
            _saved(agreement.read(RESULTS / "compare" / "result.json"))
            return 0
        before = agreement.read(options.against) if options.against else None
        result = _compared(options, began)
    except REFUSALS as error:
        print(f"Nothing was compared. {error}", file=sys.stderr)
        return 1
    except requests.RequestException as error:
        print(f"Nothing was compared: no guest could sign up: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Ended before anything was measured.", file=sys.stderr)
        return INTERRUPTED
    if not result.stages:
        print("Nothing was measured.", file=sys.stderr)
        return INTERRUPTED if result.interrupted else 1
    _report(result, options)
    if before:
        agreed = agreement.markdown(agreement.pairs(result, before))
        print(f"\nBeside the earlier comparison:\n\n{agreed}")
    if options.save:
        # In any case, or what stands there would be of another comparison.
        agreed = agreement.told(result, before) if before else agreement.ALONE
        readme.tell(AGAIN, agreed)
    return INTERRUPTED if result.interrupted else 0


def _compared(options: argparse.Namespace, began: float) -> Result:
    here, beside = machine.describe(), stages.others_up()
    if beside:
        say(f"{', '.join(beside)} is up, too, and takes CPU: better stop it.")
    cores = stages.shared_out()
    entries = {
        stage: stages.entry(stage, options.port_base) for stage in options.stages
    }
    with stages.up(entries, options.guests, say) as there:
        idle = stages.idle_shares(there, IDLE_SECONDS)

        def load(stage: int) -> Measured:
            stages.put_on(cores, there, stage)
            return measure(
                Plan(
                    api_url=there[stage].running.api_url,
                    accounts=there[stage].accounts,
                    day=tomorrow(),
                    warm_up_seconds=options.warm_up,
                    seconds=options.seconds,
                    runner=there[stage].runner,
                    cores=cores.others if cores else [],
                    measured=cores.measured if cores else [],
                )
            )

        seen = rounds.measure(
            options.stages,
            options.rounds,
            load,
            lambda stage: processes.memory(there[stage].runner),
            say,
        )
        workers = {stage: stages.workers(there[stage].running) for stage in seen.turns}
    found = {}
    for stage, turns in seen.turns.items():
        answers = pooled(measured for _, measured in turns)
        found[stage] = StageResult(
            turns=[turn(number, measured) for number, measured in turns],
            pooled={kind: times(took) for kind, took in answers.items()},
            curve=curve(answers[BOUGHT]) if BOUGHT in answers else [],
            memory=seen.memory.get(stage, []),
            workers=workers[stage],
            start_seconds=there[stage].start_seconds,
            idle_share=idle[stage],
        )
    return Result(
        machine=here,
        guests=options.guests,
        seconds=options.seconds,
        warm_up_seconds=options.warm_up,
        rounds=options.rounds,
        cores=len(cores.measured) if cores else 0,
        took_seconds=time.monotonic() - began,
        interrupted=seen.interrupted or bool(seen.failed),
        beside=beside,
        stages=dict(sorted(found.items())),
    )


def _report(result: Result, options: argparse.Namespace) -> None:
    found = summaries(result)
    print(f"\n{tables.markdown(result, found)}\n")
    print("\n\n".join(paragraphs(result, found)))
    now = dt.datetime.now(dt.timezone.utc)
    folder = RUN_ROOT / "compare" / f"{now:%Y%m%dT%H%M%S}"
    _write(result, folder)
    if options.save:
        _saved(result)


def _saved(result: Result) -> None:
    """Write it to the results, and into README.md."""
    _write(result, RESULTS / "compare")
    readme.tell(PART, in_readme(result))


def in_readme(result: Result) -> str:
    """Return what README.md says of the comparison that is saved."""
    found, here = summaries(result), result.machine
    caption = (
        f"`make compare`, {here['measured'][:10]}, {result.rounds} rounds of "
        f"{result.seconds:g} s, {result.took_seconds:.0f} s in all, {here['cpu']}, "
        f"{here['cores']} cores ([report](results/compare/report.html), "
        "[result.json](results/compare/result.json)); geometric means of the rounds:"
    )
    return "\n\n".join(
        [
            readme.wrapped(caption),
            tables.first(found),
            tables.over_base(found),
            "![How long answers took](results/compare/latency.png)",
            readme.bullets(paragraphs(result, found)),
        ]
    )


def _write(result: Result, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    found = summaries(result)
    drawn = pictures.draw(result, found, folder)
    told = msgspec.json.format(msgspec.json.encode(result), indent=1)
    (folder / "result.json").write_bytes(told + b"\n")
    (folder / "report.html").write_text(page(result, found, drawn), encoding="utf-8")
    print(f"\nReport: {folder}/report.html")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m load_tests.compare", description=__doc__
    )
    parser.add_argument(
        "--stages", type=int, nargs="+", default=[1, 2, 3, 4], choices=[1, 2, 3, 4]
    )
    parser.add_argument(
        "--quick", action="store_true", help="fewer and shorter rounds, under 10 min"
    )
    parser.add_argument("--rounds", type=int, help="turns of each stage: 10, quick 5")
    parser.add_argument("--seconds", type=float, help="of each turn: 20, quick 6")
    parser.add_argument("--warm-up", type=float, help="of each turn: 4, quick 2")
    parser.add_argument("--guests", type=int, default=4, help="at a time (4)")
    parser.add_argument(
        "--save", action="store_true", help=f"write to {RESULTS}/compare, too"
    )
    parser.add_argument(
        "--redraw",
        action="store_true",
        help="measure nothing: draw and tell what is saved there again",
    )
    parser.add_argument(
        "--against", type=Path, help="an earlier result.json: do the two agree?"
    )
    parser.add_argument(
        "--port-base",
        type=int,
        default=stages.PORT_BASE,
        help=f"stage 1's first port ({stages.PORT_BASE}); the next a hundred further",
    )
    options = parser.parse_args()
    usual = (5, 6.0, 2.0) if options.quick else (10, 20.0, 4.0)
    for name, value in zip(("rounds", "seconds", "warm_up"), usual, strict=True):
        if getattr(options, name) is None:
            setattr(options, name, value)
    options.stages = sorted(set(options.stages))
    if options.rounds < 1 or options.guests < 1:
        parser.error("--rounds and --guests must be at least 1")
    if options.seconds <= 0 or options.warm_up < 0:
        parser.error("--seconds must be above 0, --warm-up at least 0")
    return options


def say(words: str) -> None:
    """Tell how far it is."""
    print(words, flush=True)


def end(number: int, frame: FrameType | None) -> NoReturn:
    """Take SIGTERM for Ctrl-C."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
