"""The running stage that the contract, the browser and the other layers are pointed at.

`STAGE` in the environment says which (1 by default), and `TEST_PORT_BASE` on which
ports (8n50 and on for stage n), for two test runs at once.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from sandbox.runner import RunningStage, started
from sandbox.runner.stages import REPOSITORY, STAGES
from sandbox.runner.state import RUN_ROOT
from tests.guest import Guest

STAGE = int(os.environ.get("STAGE", "1"))
FULL = os.environ.get("SIZE", "small") == "full"
SERVERLESS = 3
# Whether the stage keeps accounts and sessions itself; Cognito does it for the others.
BY_BEARER = STAGES[STAGE].auth == "bearer"
# The marks of what is not for this size or stage.
OTHERS = [
    *([] if FULL else ["full"]),
    "signed" if BY_BEARER else "bearer",
    "synchronous" if STAGE == 4 else "asynchronous",
]
PARTNER_KEY = "partner-of-the-tests"

# What a shell runs in the background may ignore Ctrl-C, and with nohup the end of its
# terminal, and so would all that we start: tests that press it would wait in vain.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Leave out what is of the full size only, or of other stages."""
    left_out = [item for item in items if any(map(item.get_closest_marker, OTHERS))]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


@pytest.fixture(scope="session")
def stage() -> Iterator[RunningStage]:
    """A running stage with an empty database, on ports beside those of `make`."""
    own = os.environ.get("TEST_PORT_BASE", "")
    name, port_base = f"{STAGES[STAGE].name}-test{own}", int(own) if own else None
    shutil.rmtree(RUN_ROOT / name, ignore_errors=True)
    # Thousands of generated calls must not end at the partner's rate.
    env = {"PARTNER_API_KEY": PARTNER_KEY, "PARTNER_RATE_PER_MINUTE": "1000000"}
    with started(STAGE, name=name, port_base=port_base, env=env) as running:
        yield running


@pytest.fixture(scope="session")
def serverless(request: pytest.FixtureRequest) -> Iterator[RunningStage]:
    """Stage 3, whatever stage the others are pointed at: on ports of its own then."""
    if STAGE == SERVERLESS:
        yield request.getfixturevalue("stage")
        return
    env = {"PARTNER_API_KEY": PARTNER_KEY, "PARTNER_RATE_PER_MINUTE": "1000000"}
    name, port_base = "stage3-proof", int(os.environ.get("SERVERLESS_PORT_BASE", 8345))
    shutil.rmtree(RUN_ROOT / name, ignore_errors=True)
    with started(SERVERLESS, name=name, port_base=port_base, env=env) as running:
        yield running


@pytest.fixture(scope="session")
def with_queues() -> Iterator[RunningStage]:
    """Stage 4, for what is about its queues and its functions' roles alone."""
    name, port_base = "stage4-queues", int(os.environ.get("QUEUES_PORT_BASE", 8442))
    shutil.rmtree(RUN_ROOT / name, ignore_errors=True)
    with started(4, name=name, port_base=port_base) as running:
        yield running
        # It can be removed, whoever used it.
        down = [sys.executable, "-m", "deployment", "down", "--stage", "4"]
        done = subprocess.run(
            [*down, "--run", name],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert "Nothing is left" in done.stdout, done.stderr


@pytest.fixture
def guest(stage: RunningStage) -> Guest:
    """A new guest of the running stage."""
    return Guest(stage)


@pytest.fixture
def partner_key() -> str:
    """The key of the one partner of the running stage."""
    return PARTNER_KEY
