"""Killing one worker of a running stage's checkout, as a machine that fails does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import psutil

from sandbox.runner import RunningStage

FUNCTIONS = {3: "checkout-api", 4: "payments-charge"}
APPLICATIONS = {1: "concierge.app", 2: "checkout.app"}


def kill_one(stage: RunningStage) -> None:
    """Kill a process that charges orders, without a warning.

    Raises:
        LookupError: none is there.
    """
    for process in _workers(stage):
        with suppress(psutil.NoSuchProcess):
            process.kill()
            return
    raise LookupError(f"stage {stage.stage} has no worker of its checkout to kill")


def _workers(stage: RunningStage) -> Iterator[psutil.Process]:
    for process in psutil.Process(stage.runner_pid).children(recursive=True):
        with suppress(psutil.Error):
            words = process.cmdline()
            if function := FUNCTIONS.get(stage.stage):
                name = f"ministack-lambda-concierge-local-{function}-"
                if words and name in words[-1]:
                    yield process
            # gunicorn's first process serves nobody: those that it forked do.
            elif _serves(stage, words) and not process.children():
                yield process


def _serves(stage: RunningStage, words: list[str]) -> bool:
    return APPLICATIONS[stage.stage] in " ".join(words)
