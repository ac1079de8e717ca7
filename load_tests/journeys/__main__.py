"""Let guests loose on a running stage: `python -m load_tests.journeys --stage 1`."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import msgspec
import requests
from botocore.exceptions import BotoCoreError

from load_tests import shelves
from load_tests.accounts import sign_up_many
from load_tests.answers import WrongAnswer
from load_tests.target import NotRunningError, running
from sandbox.runner import RunningStage
from sandbox.runner.stages import REPOSITORY
from sandbox.runner.state import RUN_ROOT
from tests.cognito import CognitoError

from . import plan as plans
from .plan import Plan
from .shapes import SHAPES
from .tails import FILE, Row, table

# How a guest or the stock is refused before the load begins.
REFUSED = (requests.RequestException, BotoCoreError, CognitoError, WrongAnswer)
NEVER_ENDED = 3
LOCUSTFILE = Path(__file__).with_name("locustfile.py")
PLAN_FILE = "plan.json"
# Who waits for an answer or an order when the time is up may wait to its end: Locust
# counts nothing of guests whom it kills, and what hangs would look like no failure.
STOP_SECONDS = 100
# Locust ends by itself within that; what goes on for longer will not end.
END_SECONDS = 30
PAGE_PORT = 8089
# Keys of AWS are good for an hour, and signing up takes some of it.
COGNITO_SECONDS = 3000


def main() -> int:
    """Do what the command line asks for; return 1 when an answer was wrong."""
    options = _options()
    try:
        stage = running(options.stage, options.run)
        return _load(options, stage)
    except REFUSED as error:
        print(f"No load, for a guest was refused: {error}", file=sys.stderr)
        return 1
    except (NotRunningError, ValueError) as error:
        print(error, file=sys.stderr)
    except KeyboardInterrupt:
        print("Stopped before the load began.", file=sys.stderr)
    return 1


def _load(options: argparse.Namespace, stage: RunningStage) -> int:
    seconds = options.seconds or (1800.0 if options.shape == "soak" else 60.0)
    if stage.auth == "cognito" and seconds > COGNITO_SECONDS and not options.page:
        raise ValueError(
            f"The keys that Cognito gives are good for an hour: choose at most "
            f"{COGNITO_SECONDS} seconds."
        )
    folder = _folder(options, stage)
    measured_too = options.sign_up == "yes"
    _told(f"signing up {1 if measured_too else options.users} guests ...")
    accounts = sign_up_many(stage, 1 if measured_too else options.users, _told)
    plan = Plan(
        stage=stage,
        shape="" if options.page else options.shape,
        users=options.users,
        seconds=seconds,
        think_seconds=options.think,
        sign_up=measured_too,
        processes=options.processes,
        accounts=accounts,
        folder=str(folder),
    )
    with ExitStack() as afterwards:
        afterwards.enter_context(shelves.filled(stage, accounts[0], _told))
        afterwards.callback((folder / PLAN_FILE).unlink)
        plans.write(plan, folder / PLAN_FILE)
        began, before = time.monotonic(), _cpu_seconds()
        code = _locust(options, folder, None if options.page else seconds)
        took, cpu = time.monotonic() - began, _cpu_seconds() - before
        # Before the shelves, which a stage that answers no more keeps for a while.
        return _report(folder, plan, code, took, cpu)


def _locust(options: argparse.Namespace, folder: Path, seconds: float | None) -> int:
    """Run Locust to its end; Ctrl-C ends it in good order, with its report.

    What is still there when the load, and all that may be waited for, is over, is
    killed, and its status is not 0. Without `seconds` it goes on until Ctrl-C.

    It has a session of its own, so that Ctrl-C reaches Locust's master only through
    us: workers that it reaches, too, die without telling what they have measured.
    """
    environment = os.environ | {
        plans.VARIABLE: str(folder / PLAN_FILE),
        "PYTHONPATH": os.pathsep.join(
            filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")])
        ),
    }
    locust = subprocess.Popen(  # noqa: S603 (our own words)
        [sys.executable, "-m", "locust", *_words(options, folder)],
        env=environment,
        stdin=subprocess.DEVNULL,
        cwd=folder,
        start_new_session=True,
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Ended by SIGTERM."))
    patience = None if seconds is None else seconds + STOP_SECONDS + END_SECONDS
    try:
        while True:
            try:
                return locust.wait(patience)
            except KeyboardInterrupt:
                _told("ending; the report is written in a moment")
                locust.send_signal(signal.SIGINT)
                patience = STOP_SECONDS + END_SECONDS
            except subprocess.TimeoutExpired:
                print(
                    f"Locust did not end within {patience:.0f} s and is killed; "
                    "what it had measured is lost. Is the stage still there?",
                    file=sys.stderr,
                )
                return NEVER_ENDED
    finally:
        _end(locust)


def _end(locust: subprocess.Popen[bytes]) -> None:
    """End Locust and its workers, which are a session of their own."""
    if locust.poll() is not None:
        return
    locust.terminate()
    try:
        locust.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(locust.pid, signal.SIGKILL)
        locust.wait()


def _words(options: argparse.Namespace, folder: Path) -> list[str]:
    words = ["--locustfile", str(LOCUSTFILE), "--stop-timeout", str(STOP_SECONDS)]
    words += ["--loglevel", "WARNING", "--csv", str(folder / "locust")]
    if options.page:
        port = str(options.page_port)
        words += ["--web-host", "127.0.0.1", "--web-port", port]
        words += ["--users", str(options.users), "--spawn-rate", str(options.users)]
        _told(f"Locust's page: http://127.0.0.1:{port}/ (Ctrl-C ends it)")
    else:
        words += ["--headless", "--only-summary", "--html", str(folder / "report.html")]
    if options.processes > 1:
        port = str(_free_port())
        words += ["--processes", str(options.processes), "--master-port", port]
        words += ["--master-bind-host", "127.0.0.1", "--master-bind-port", port]
    return words


def _report(folder: Path, plan: Plan, code: int, took: float, cpu: float) -> int:
    try:
        rows = msgspec.json.decode((folder / FILE).read_bytes(), type=list[Row])
    except FileNotFoundError:
        rows = []
    if rows:
        measured = min(took, plan.seconds) if plan.shape else took
        print(f"\n{table(rows, measured)}")
    print(f"\nThe generator used {100 * cpu / took:.0f} % of one core.")
    print(f"Report: {folder}/" + ("report.html" if plan.shape else ""))
    if not rows:
        print("Nothing was asked. Let it run for longer.", file=sys.stderr)
        return code or 1
    failed = sum(row.failures for row in rows)
    asked = sum(row.requests for row in rows)
    print(f"{failed} failures of {asked} requests.")
    return code or bool(failed)


def _folder(options: argparse.Namespace, stage: RunningStage) -> Path:
    now = dt.datetime.now(dt.timezone.utc)
    what = "page" if options.page else options.shape
    folder = RUN_ROOT / "load" / f"{stage.name}-{what}-{now:%Y%m%dT%H%M%S%f}"
    folder.mkdir(parents=True)
    return folder


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _told(words: str) -> None:
    print(words, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m load_tests.journeys", description=__doc__
    )
    above_zero = _number(int, 1)
    parser.add_argument("--stage", type=int, default=1, choices=range(1, 5))
    parser.add_argument("--run", help="the run's name (stage1)")
    parser.add_argument("--users", type=above_zero, default=20, help="at most, so many")
    parser.add_argument(
        "--seconds", type=_number(float, 1), help="60, and 1800 for soak"
    )
    parser.add_argument("--shape", default="steady", choices=list(SHAPES))
    parser.add_argument(
        "--think", type=_number(float, 0), default=2.0, help="seconds on the average"
    )
    parser.add_argument(
        "--sign-up", default="no", choices=["yes", "no"], help="as part of the load"
    )
    parser.add_argument("--processes", type=above_zero, default=1, help="of Locust")
    parser.add_argument("--page", action="store_true", help="open Locust's own page")
    parser.add_argument("--page-port", type=int, default=PAGE_PORT)
    return parser.parse_args()


def _number(kind: type[int] | type[float], least: int) -> Callable[[str], float]:
    def parsed(words: str) -> float:
        value = kind(words)
        if not least <= value < float("inf"):
            raise argparse.ArgumentTypeError(f"{words} is not at least {least}")
        return value

    return parsed


if __name__ == "__main__":
    sys.exit(main())
