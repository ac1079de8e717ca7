"""Hold the model against measurement: `python -m load_tests.model`, or `make model`."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from pathlib import Path

import msgspec
import requests
from msgspec.structs import replace

from load_tests import readme
from load_tests.answers import WrongAnswer
from load_tests.bench import machine
from load_tests.bench.load import LoadError
from load_tests.compare import rounds, stages
from load_tests.compare.__main__ import INTERRUPTED, end, say
from load_tests.compare.load import Measured, Plan, measure
from sandbox.runner import StartError
from sandbox.runner.state import RUN_ROOT, AlreadyRunningError
from tests.guest import tomorrow

from . import report
from .prediction import MONOLITH, SERVICES, Level, by_law, predictions

RESULTS = Path(__file__).resolve().parents[1] / "results"
WORKERS = (1, 2, 3, 4)
# The model hears of one guest and of a few, at three workers; the rest it must say.
TOLD_WORKERS, TOLD_GUESTS, GUESTS = 3, 4, 8
WARM_UP_SECONDS = 1.5
PART = "make model"  # of README.md

Rounds = dict[Level, list[Measured]]


def levels() -> list[Level]:
    """Return all loads, those that calibrate first."""
    asked = [
        Level(what=MONOLITH, workers=n, guests=GUESTS, calibrates=False)
        for n in WORKERS
    ]
    told = [
        Level(what=what, workers=workers, guests=guests, calibrates=True)
        for what, workers in ((MONOLITH, TOLD_WORKERS), (SERVICES, 1))
        for guests in (1, TOLD_GUESTS)
    ]
    services = Level(what=SERVICES, workers=1, guests=GUESTS, calibrates=False)
    return [*told, *asked, services]


def main() -> int:
    """Measure, predict and compare; return the exit status."""
    options = _options()
    signal.signal(signal.SIGTERM, end)
    if options.redraw:
        _saved(*read(RESULTS / "model" / "result.json"))
        return 0
    here = machine.describe()
    found: Rounds = {level: [] for level in levels()}
    interrupted = False
    try:
        _measure(options, found)
    except (StartError, AlreadyRunningError, LoadError, WrongAnswer) as error:
        print(f"The model was not tried. {error}", file=sys.stderr)
        return 1
    except requests.RequestException as error:
        print(
            f"The model was not tried: no guest could sign up: {error}", file=sys.stderr
        )
        return 1
    except KeyboardInterrupt:
        interrupted = True
        say("Ended early; the rounds that were complete are reported.")
    complete = min(len(turns) for turns in found.values())
    if not complete:
        print("Not one round was complete.", file=sys.stderr)
        return INTERRUPTED
    whole = {level: turns[:complete] for level, turns in found.items()}
    print("\n" + told(here, whole))
    _write(RUN_ROOT / "model", here, whole)
    if options.save:
        _saved(here, whole)
    if interrupted:
        return INTERRUPTED
    return 0


def _saved(here: dict[str, str], found: Rounds) -> None:
    """Write it to the results, and into README.md."""
    _write(RESULTS / "model", here, found)
    readme.tell(PART, told(here, found))


def told(here: dict[str, str], found: Rounds) -> str:
    """Return what the model said of these rounds, and what was measured."""
    cores = int(here["cores"])
    said, law = predictions(found, cores), by_law(found, GUESTS, cores)
    return report.markdown(here, found, said, law)


def read(file: Path) -> tuple[dict[str, str], Rounds]:
    """Return a result that was written before: the machine, and the rounds."""
    kept = msgspec.json.decode(file.read_bytes())
    return kept["machine"], {
        msgspec.convert(load["level"], Level): msgspec.convert(
            load["rounds"], list[Measured]
        )
        for load in kept["loads"]
    }


def _measure(options: argparse.Namespace, found: Rounds) -> None:
    entries = {number: _monolith(number) for number in WORKERS}
    entries[0] = stages.Entry(
        2,
        "model-services",
        stages.PORT_BASE,
        stages.SETTINGS | {"WEB_CONCURRENCY": "1"},
    )
    with stages.up(entries, GUESTS, say) as there:
        for number in range(1, options.rounds + 1):
            for level in rounds.order(list(found), number):
                measured = _turn(level, there, options.seconds)
                if measured.errors or not measured.visits:
                    raise LoadError(f"{level}: wrong answers: {measured.errors}")
                found[level].append(measured)
            say(f"round {number} of {options.rounds}")


def _turn(level: Level, there: dict[int, stages.Candidate], seconds: float) -> Measured:
    """Put one under load, and see what the others, which are idle, use meanwhile."""
    number = 0 if level.what == SERVICES else level.workers
    at, beside = there[number], {n: each for n, each in there.items() if n != number}
    plan = Plan(
        api_url=at.running.api_url,
        accounts=at.accounts[: level.guests],
        day=tomorrow(),
        warm_up_seconds=WARM_UP_SECONDS,
        seconds=seconds,
        runner=at.runner,
        cores=[],
    )
    # From before the warm-up: to look takes CPU, too, which is not to be measured.
    before, began = sum(stages.used(beside).values()), time.monotonic()
    measured = measure(plan)
    used = sum(stages.used(beside).values()) - before
    share = max(0.0, used) / (time.monotonic() - began)
    return replace(measured, beside=share * measured.seconds)


def _monolith(workers: int) -> stages.Entry:
    return stages.Entry(
        1,
        f"model-monolith{workers}",
        stages.PORT_BASE + workers * stages.BETWEEN_PORTS,
        stages.SETTINGS | {"WEB_CONCURRENCY": str(workers)},
    )


def _write(folder: Path, here: dict[str, str], found: Rounds) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    said = predictions(found, int(here["cores"]))
    report.draw(found, said, folder / "model.png")
    kept = {
        "machine": here,
        "loads": [
            # Every answer's time would make it large, and the model needs none.
            {"level": level, "rounds": [replace(turn, answers={}) for turn in turns]}
            for level, turns in found.items()
        ],
    }
    written = msgspec.json.format(msgspec.json.encode(kept), indent=1)
    (folder / "result.json").write_bytes(written + b"\n")
    say(f"Written: {folder}/")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m load_tests.model", description=__doc__
    )
    parser.add_argument("--quick", action="store_true", help="fewer, shorter rounds")
    parser.add_argument("--rounds", type=int, help="turns of each load: 7, quick 5")
    parser.add_argument("--seconds", type=float, help="of each turn: 8, quick 4")
    parser.add_argument(
        "--save", action="store_true", help=f"write to {RESULTS}/model, too"
    )
    parser.add_argument(
        "--redraw",
        action="store_true",
        help="measure nothing: draw and tell what is saved there again",
    )
    options = parser.parse_args()
    options.rounds = options.rounds or (5 if options.quick else 7)
    options.seconds = options.seconds or (4.0 if options.quick else 8.0)
    if options.rounds < 1 or options.seconds <= 0:
        parser.error("--rounds must be at least 1 and --seconds above 0")
    return options


if __name__ == "__main__":
    sys.exit(main())
