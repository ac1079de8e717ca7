"""One failure after another, and every operation tried during each of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sandbox.runner import RunningStage, StartError

from .breaking import FAILURES
from .operations import OPERATIONS, Answer, Operation, Visitor, ask

# Enough for a breaker to open in between.
TRIES = 5
# Who waited so long for one answer, or for all, is not tried once more.
LONG_SECONDS = 9.0
ENOUGH_SECONDS = 14.0
RECOVERY_SECONDS = 60.0

# What each operation answered, one try after the other, by service, failure, operation.
Answers = dict[str, dict[str, dict[str, list[Answer]]]]


def all_failures(
    stage: RunningStage,
    services: list[str],
    failures: list[str],
    cap: float,
    rest: float,
    say: Callable[[str], None],
) -> Answers:
    """Break each service in each way, and try every operation meanwhile.

    Args:
        stage: the running stage.
        services: which services.
        failures: names of `FAILURES`.
        cap: when a try is given up (seconds).
        rest: how long a breaker may stay open after a failure (seconds).
        say: hears how far it is.
    """
    found: Answers = {}
    for service in services:
        for failure in failures:
            visitor = Visitor(stage, spare=TRIES)
            began = time.monotonic()
            with FAILURES[failure](stage, service):
                seen = _watch(visitor, cap)
            # Else the breaker would still know of this failure in the next.
            time.sleep(rest)
            _until_all_is_well(stage)
            found.setdefault(service, {})[failure] = seen
            say(f"{service} {failure}: {time.monotonic() - began:.0f} s")
    return found


def _watch(visitor: Visitor, cap: float) -> dict[str, list[Answer]]:
    """Try all operations side by side, each a few times, one after the other."""
    with ThreadPoolExecutor(len(OPERATIONS)) as side_by_side:
        tried = {
            operation.name: side_by_side.submit(_try, operation, visitor, cap)
            for operation in OPERATIONS
        }
        return {name: answers.result() for name, answers in tried.items()}


def _try(operation: Operation, visitor: Visitor, cap: float) -> list[Answer]:
    answers: list[Answer] = []
    for _ in range(TRIES):
        answers.append(ask(operation, visitor, cap))
        if answers[-1].seconds > LONG_SECONDS:
            break
        if sum(each.seconds for each in answers) > ENOUGH_SECONDS:
            break
    return answers


def _until_all_is_well(stage: RunningStage) -> None:
    """Wait until every operation does what it does on a good day.

    Raises:
        StartError: it does not within a minute.
    """
    deadline = time.monotonic() + RECOVERY_SECONDS
    while True:
        try:
            visitor = Visitor(stage, spare=1)
            ill = [o.name for o in OPERATIONS if ask(o, visitor, 5).status != o.well]
        except OSError as error:  # requests' own errors are among these
            ill = [str(error)]
        if not ill:
            return
        if time.monotonic() > deadline:
            raise StartError(f"Not well after the failure: {', '.join(ill)}.")
        time.sleep(0.5)
