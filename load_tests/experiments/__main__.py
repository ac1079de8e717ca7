"""Try a claim of the lecture: `python -m load_tests.experiments idle-cost`."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from load_tests.answers import WrongAnswer
from load_tests.bench import machine
from load_tests.bench.load import LoadError
from sandbox.runner import StartError
from sandbox.runner.ports import PortTakenError
from sandbox.runner.state import RUN_ROOT
from tests.cognito import CognitoError

from . import archive, pages
from .experiment import Experiment
from .lab import OFFSET, BusyError, Lab, alone, running_beside
from .registry import EXPERIMENTS, named

REPOSITORY = Path(__file__).resolve().parents[2]
INTERRUPTED = 130
# How what an experiment looks at says no. Those of `requests` are OSErrors.
FAILURES = (
    StartError,
    LoadError,
    WrongAnswer,
    CognitoError,
    BotoCoreError,
    ClientError,
    AssertionError,
    subprocess.SubprocessError,
    OSError,
)


def main() -> int:
    """Do what was asked for; return the exit status."""
    asked = _asked()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if asked.list:
            print(listed())
            return 0
        experiment = named(asked.name or "")
        if asked.redraw:
            result = archive.saved(experiment.name)
        else:
            with alone():
                result = _tried(experiment, asked.offset)
        return _kept(experiment, result, save=asked.save or asked.redraw)
    except KeyboardInterrupt:
        print(
            "\nInterrupted: what it had started is stopped, nothing is written.",
            file=sys.stderr,
        )
        return INTERRUPTED
    except (LookupError, BusyError, PortTakenError) as error:
        print(error.args[0], file=sys.stderr)
    except FAILURES as error:
        print(
            f"The experiment failed: {error or type(error).__name__}\n"
            f"Logs of what it had started are in {RUN_ROOT}/experiment-*; "
            "say it again when the machine is less busy.",
            file=sys.stderr,
        )
    return 1


def listed() -> str:
    """Return the list of all experiments, for a terminal."""
    wide = max(len(each.name) for each in EXPERIMENTS)
    lines = []
    for each in EXPERIMENTS:
        stages = " ".join(map(str, each.stages)) or "none"
        about = (
            f"{each.seconds} s" if each.seconds < 90 else f"{each.seconds / 60:.0f} min"
        )
        lines.append(
            f"{each.name:{wide}}  {about:>6}  stages: {stages:7}  {each.claim}"
        )
    return "\n".join([*lines, "", "Run one with: make experiment NAME=idle-cost"])


def _tried(experiment: Experiment, offset: int) -> dict[str, Any]:
    lab = Lab(experiment.name, offset)
    lab.check(experiment.stages)
    beside = running_beside() if experiment.stages else []
    for name in beside:
        print(
            f"{name} is up as well, and takes its part of the machine: stop it with "
            "Ctrl-C in its terminal, and measure again, if the figures shall count."
        )
    here, began = machine.describe(), time.monotonic()
    try:
        results = experiment.run(lab)
    except KeyboardInterrupt:
        lab.sweep(experiment.stages)
        raise
    return {
        "experiment": experiment.name,
        "machine": here,
        "beside": beside,
        "took_seconds": round(time.monotonic() - began, 1),
        "results": results,
    }


def _kept(experiment: Experiment, result: dict[str, Any], *, save: bool) -> int:
    """Draw and tell a result, and write both."""
    paragraph = experiment.paragraph(result["results"])
    path = archive.folder(experiment.name, result["machine"]["measured"])
    archive.save(result, experiment.plot, path / experiment.name)
    print("\n" + pages.wrapped(paragraph, 79) + "\n")
    print(f"Written: {path}/{experiment.name}.json and .png")
    if save:
        archive.save(result, experiment.plot, archive.SAVED / experiment.name)
        page = REPOSITORY / experiment.page.partition("#")[0]
        text = page.read_text(encoding="utf-8")
        page.write_text(
            pages.retold(text, experiment.name, paragraph), encoding="utf-8"
        )
        print(f"Saved:   {archive.SAVED}/{experiment.name}.json and .png")
        print(f"Told in: {experiment.page}")
    return 0


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m load_tests.experiments", description=__doc__
    )
    parser.add_argument("name", nargs="?", help="of the experiment")
    parser.add_argument("--list", action="store_true", help="say which there are")
    parser.add_argument(
        "--save", action="store_true", help=f"keep the results in {archive.SAVED}"
    )
    parser.add_argument(
        "--redraw",
        action="store_true",
        help="measure nothing: draw and tell what is kept there again",
    )
    parser.add_argument(
        "--offset", type=int, default=OFFSET, help="of ports from a stage's own"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
