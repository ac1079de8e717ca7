"""The order's state machine of a stage, driven by Hypothesis."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from sandbox.runner.stages import REPOSITORY

from ..report import Figure
from ..sizes import Size
from ..world import World


def run(world: World, size: Size) -> Figure:
    """Drive it; what Hypothesis finds is in the details, made as small as it can be."""
    details: list[str] = []
    with tempfile.TemporaryDirectory() as folder, _stripe(Path(folder)) as stripe_url:
        machine = seed(world.seed)(world.under.order_machine(stripe_url))
        try:
            run_state_machine_as_test(
                machine,
                settings=settings(
                    max_examples=size.machine_runs,
                    stateful_step_count=size.machine_steps,
                    deadline=None,
                    database=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        except Exception:
            details.append(traceback.format_exc())
    return Figure(
        scenario=f"state machine of the order, up to {size.machine_steps} steps",
        trials=size.machine_runs,
        seed=world.seed,
        looked_for="illegal moves, wrong charges, stock below 0, mail",
        result="broken" if details else "0 illegal moves, 0 wrong charges",
        met=not details,
        details=details,
    )


@contextmanager
def _stripe(folder: Path) -> Iterator[str]:
    """A Stripe sandbox for the machine alone."""
    command = [sys.executable, "-m", "sandbox.stripe", "--port", "0"]
    with subprocess.Popen(
        [*command, "--data", str(folder / "stripe.sqlite")],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        try:
            words = process.stdout.readline().split()
            yield next(word for word in words if word.startswith("http")).rstrip(",")
        finally:
            process.terminate()
            process.wait(10)
