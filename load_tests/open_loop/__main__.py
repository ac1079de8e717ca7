"""Send purchases at a running stage: `python -m load_tests.open_loop --stage 1`."""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import json
import resource
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import aiohttp
import requests

from load_tests import shelves
from load_tests.accounts import Account, sign_up_many
from load_tests.answers import WrongAnswer
from load_tests.target import NotRunningError, running
from sandbox.runner import RunningStage
from sandbox.runner.state import RUN_ROOT
from tests.cognito import CognitoError

from . import arrivals, report
from .generator import fire
from .purchases import TIMEOUT_SECONDS, Purchases

GUESTS = 20
SEED = 20261123
SETTLE_SECONDS = 120.0


def main() -> int:
    """Send a spike; return 1 when it shows a fault, or nothing at all."""
    options = _options()
    try:
        stage = running(options.stage, options.run)
        accounts = sign_up_many(stage, options.guests, _told)
        with shelves.filled(stage, accounts[0], _told):
            found = asyncio.run(_spike(options, stage, accounts))
    except (requests.RequestException, CognitoError, WrongAnswer) as error:
        print(f"No load, for a guest was refused: {error}", file=sys.stderr)
        return 1
    except (NotRunningError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped before the spike began.", file=sys.stderr)
        return 1
    print(report.words(found))
    now = dt.datetime.now(dt.timezone.utc)
    path = RUN_ROOT / "load" / f"{stage.name}-open-loop-{now:%Y%m%dT%H%M%S%f}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(f"Report: {path}")
    if wrong := report.wrong(found):
        print(wrong, file=sys.stderr)
    return 1 if wrong else 0


async def _spike(
    options: argparse.Namespace, stage: RunningStage, accounts: Sequence[Account]
) -> dict[str, Any]:
    when = (
        arrivals.poisson(options.rate, options.seconds, options.seed)
        if options.arrivals == "poisson"
        else arrivals.constant(options.rate, options.seconds)
    )
    _told(
        f"{len(when)} purchases, {options.arrivals} {options.rate:g}/s for "
        f"{options.seconds:g} s, on "
        f"{options.connections or 'as many connections as it takes'} ..."
    )
    _many_sockets()
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS),
    ) as http:
        purchases = Purchases(http, stage.api_url, accounts)
        began, before = time.monotonic(), time.process_time()
        spike = asyncio.create_task(fire(when, purchases.buy, options.connections))
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, spike.cancel)
        shots = await spike
        cpu = (time.process_time() - before) / (time.monotonic() - began)
        _told("all answered; looking what became of the orders ...\n")
        fate = await purchases.fates([shot.outcome for shot in shots], SETTLE_SECONDS)
    return report.figures(shots, len(when), fate, cpu)


def _many_sockets() -> None:
    """Allow as many connections as the system does, not the shell's usual 1,024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _told(words: str) -> None:
    print(words, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m load_tests.open_loop", description=__doc__
    )
    parser.add_argument("--stage", type=int, default=1, choices=range(1, 5))
    parser.add_argument("--run", help="the run's name (stage1)")
    parser.add_argument(
        "--rate", type=_above_zero(float), default=20.0, help="a second"
    )
    parser.add_argument("--seconds", type=_above_zero(float), default=10.0)
    parser.add_argument(
        "--arrivals", default="constant", choices=["constant", "poisson"]
    )
    parser.add_argument("--seed", type=int, default=SEED, help="of poisson arrivals")
    parser.add_argument("--guests", type=_above_zero(int), default=GUESTS)
    parser.add_argument(
        "--connections", type=_above_zero(int), help="at most; as a closed loop has"
    )
    return parser.parse_args()


def _above_zero(kind: type[int] | type[float]) -> Callable[[str], float]:
    def parsed(words: str) -> float:
        value = kind(words)
        if not 0 < value < float("inf"):
            raise argparse.ArgumentTypeError(f"{words} is not above zero")
        return value

    return parsed


if __name__ == "__main__":
    sys.exit(main())
