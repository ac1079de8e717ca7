"""A line every few seconds while a load runs."""

from __future__ import annotations

import time
from typing import Any

import gevent  # type: ignore[import-untyped]
from locust.env import Environment

from .plan import Plan

PAUSE_SECONDS = 5.0


def watch(environment: Environment, plan: Plan) -> None:
    """Tell how a load goes, from its start to its end."""

    def begin(**_: Any) -> None:
        teller = gevent.spawn(_tell, environment, plan)
        environment.events.test_stop.add_listener(lambda **_: teller.kill(block=False))

    environment.events.test_start.add_listener(begin)


def _tell(environment: Environment, plan: Plan) -> None:
    began = time.monotonic()
    total, answered = environment.stats.total, 0
    while True:
        gevent.sleep(PAUSE_SECONDS)
        runner = environment.runner
        rate = (total.num_requests - answered) / PAUSE_SECONDS
        answered = total.num_requests
        print(
            f"{time.monotonic() - began:5.0f} of {plan.seconds:.0f} s: "
            f"{runner.user_count if runner else 0} guests, {rate:.1f} requests/s, "
            f"{total.num_failures} failures of {answered}",
            flush=True,
        )
