"""What listens to Locust: a line every few seconds, and the exact tails of each row."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import gevent  # type: ignore[import-untyped]
import msgspec
from locust.env import Environment
from locust.runners import WorkerRunner

from .plan import Plan
from .tails import FILE, Tails

PAUSE_SECONDS = 5.0


def tell(environment: Environment, plan: Plan) -> None:
    """Tell how a load goes, from its start to its end."""

    def begin(**_: Any) -> None:
        teller = gevent.spawn(_tell, environment, plan)
        environment.events.test_stop.add_listener(lambda **_: teller.kill(block=False))

    environment.events.test_start.add_listener(begin)


def count(environment: Environment, plan: Plan) -> None:
    """Count in each process; the one without a master writes the file at the end."""
    tails = Tails()
    events = environment.events

    def answered(
        request_type: str, name: str, response_time: float, **more: Any
    ) -> None:
        failed = more.get("exception") is not None
        tails.record(f"{request_type} {name}", response_time / 1000, failed)

    def report(client_id: str, data: dict[str, Any]) -> None:
        data["tails"] = tails.taken()

    def reported(client_id: str, data: dict[str, Any]) -> None:
        tails.add(data.get("tails", {}))

    def end(**_: Any) -> None:
        Path(plan.folder, FILE).write_bytes(msgspec.json.encode(tails.rows()))

    events.request.add_listener(answered)
    if isinstance(environment.runner, WorkerRunner):
        events.report_to_master.add_listener(report)
    else:
        events.worker_report.add_listener(reported)
        events.quit.add_listener(end)


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
