"""What Locust reads: the guests, their number over time, and the exact tails."""

from __future__ import annotations

from typing import Any

from locust import LoadTestShape, events
from locust.env import Environment
from locust.runners import WorkerRunner

from load_tests.journeys import listening
from load_tests.journeys.actions import WEIGHTS
from load_tests.journeys.guest import Guest
from load_tests.journeys.plan import current
from load_tests.journeys.shapes import SHAPES

PLAN = current()
FASTEST_A_SECOND = 100


class ConciergeGuest(Guest):
    """A guest of the stage in the plan."""

    host = PLAN.stage.api_url
    tasks = [action for action, weight in WEIGHTS.items() for _ in range(weight)]
    plan = PLAN
    waiting = list(PLAN.accounts)


if PLAN.shape:

    class Shaped(LoadTestShape):
        """The shape in the plan, for as long as it says."""

        def tick(self) -> tuple[int, float] | None:
            """Return how many guests there are to be now, and how fast they come."""
            at = self.get_run_time()  # type: ignore[no-untyped-call]
            if at >= PLAN.seconds:
                return None
            users = SHAPES[PLAN.shape](at, PLAN.users, PLAN.seconds)
            return users, min(PLAN.users, FASTEST_A_SECOND)


def watch(environment: Environment, **_: Any) -> None:
    """Count every answer exactly, and tell how it goes."""
    listening.count(environment, PLAN)
    if PLAN.shape and not isinstance(environment.runner, WorkerRunner):
        listening.tell(environment, PLAN)


def share(environment: Environment, **_: Any) -> None:
    """Leave the accounts of other processes' guests to them."""
    if isinstance(environment.runner, WorkerRunner):
        mine = environment.runner.worker_index % PLAN.processes
        ConciergeGuest.waiting[:] = PLAN.accounts[mine :: PLAN.processes]


events.init.add_listener(watch)
events.test_start.add_listener(share)
