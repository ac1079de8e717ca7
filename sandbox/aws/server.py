"""MiniStack, with some of its ways put right; a script, since it gets no path of ours.

A function that takes from a queue has as many workers at once as its event source may
have. On AWS each has its own processor. Here each is a process of a second's computing
until it is ready, and a dozen of them, with those that they call, keep everybody from
the few cores for a minute: so a queue has few, as in a small account.

Where a function fails or runs out of time, MiniStack hands Lambda's own words to the
caller with 502. API Gateway gives its answer to "DEFAULT_5XX" then, which an API may
word itself, as ours does: 503, and when to come again.
https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html

Of two who sign up with one address at the same moment, Cognito takes one; MiniStack
looks, and writes later, so that it took both: they come one after the other.

Its state is kept as a whole (`keeping.py`), and its functions are unpacked once
(`unpacked.py`).
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
import threading
import time
from http import HTTPStatus
from pathlib import Path
from typing import Any

import hypercorn.asyncio
from ministack import app
from ministack.core import lambda_runtime, persistence
from ministack.services import apigateway_v1, cloudformation, cognito, lambda_svc

# Of this process alone: its functions do not inherit it.
sys.path.append(str(Path(__file__).resolve().parents[2]))

from sandbox.aws import keeping  # noqa: E402
from sandbox.aws.unpacked import SharedZips  # noqa: E402

FAILED = "Internal server error"
AT_ONCE = 4
# Between two writings of the state: so much is lost when this process is killed. And a
# writing may take this part of the time at most.
KEEP_SECONDS = float(os.environ.pop("KEEP_SECONDS", "20"))
KEEP_SHARE = 0.02
# How long calls may take to end when all that matters is written.
END_SECONDS = 1.5
AMIDST = "_IN_PROGRESS"

log = logging.getLogger("sandbox.aws")
ask_function = apigateway_v1._invoke_lambda_proxy_v1
allowed = lambda_svc._sqs_esm_concurrency
sign_up, signing_up = cognito._sign_up, threading.Lock()
serve_calls = hypercorn.asyncio.serve
forget_packages = lambda_svc._prune_orphan_code_blobs


async def answer(*request: Any, **more: Any) -> Any:
    """Ask a function, and answer as the gateway where the function did not."""
    answered = await ask_function(*request, **more)
    if isinstance(answered, tuple) and _is_of_lambda(*answered):
        return apigateway_v1._gw_error("DEFAULT_5XX", FAILED)
    return answered


def at_once(*mapping: Any, **more: Any) -> int:
    """Return how many batches of a queue are worked on at the same time."""
    return min(AT_ONCE, int(allowed(*mapping, **more)))


def sign_up_in_turn(asked: Any) -> Any:
    """Make an account, with nobody else between the look and the writing."""
    with signing_up:
        return sign_up(asked)


async def serve(*of: Any, **more: Any) -> None:
    """Serve until a signal comes; keep the state now and then, and at the end."""
    asked = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)

    async def until_asked() -> None:
        await asked.wait()
        regularly.cancel()
        keep()
        threading.Thread(target=_end, daemon=True).start()
        await asyncio.to_thread(lambda_runtime.reset)

    regularly = asyncio.create_task(_keep_regularly())
    await serve_calls(*of, shutdown_trigger=until_asked, **more)


def keep() -> None:
    """Keep the state, unless it is no state to begin with again.

    A stack that is being made would never be done: nobody goes on with it after a
    start. What was kept before is then the better state.
    """
    amidst = [
        name
        for (_, _, name), stack in list(cloudformation._stacks._data.items())
        if stack.get("StackStatus", "").endswith(AMIDST)
        and stack["StackStatus"] != f"REVIEW{AMIDST}"
    ]
    if amidst:
        return
    referenced: list[set[str]] = []
    lambda_svc._prune_orphan_code_blobs = referenced.append
    try:
        states = app._build_persistence_save_dict()
        keeping.keep(states, Path(persistence.STATE_DIR), words)
    except (keeping.Unsettled, OSError) as error:
        log.error("The state was not kept, what was kept before stays: %s", error)
        return
    for packages in referenced:  # not before nobody knows of the others any more
        forget_packages(packages)


def words(name: str, state: Any) -> str:
    """Return the state of a service as MiniStack reads it."""
    version = persistence._state_format_version(name)
    return json.dumps(
        {"__ministack_format__": version, "payload": state},
        default=persistence._json_default,
    )


async def _keep_regularly() -> None:
    pause = KEEP_SECONDS
    while True:
        await asyncio.sleep(pause)
        began = time.monotonic()
        keep()
        pause = max(KEEP_SECONDS, (time.monotonic() - began) / KEEP_SHARE)


def _end() -> None:
    """End all the same if there is a call that does not: nothing is lost by it."""
    time.sleep(END_SECONDS)
    os._exit(0)


def _is_of_lambda(status: int, headers: dict[str, str], body: bytes) -> bool:
    """Tell whether this is no answer of a function's own, which has more headers."""
    return status == HTTPStatus.BAD_GATEWAY and set(headers) == {"Content-Type"}


if __name__ == "__main__":
    apigateway_v1._invoke_lambda_proxy_v1 = answer
    lambda_svc._sqs_esm_concurrency = at_once
    cognito._sign_up = sign_up_in_turn
    lambda_runtime.zipfile = SharedZips()
    hypercorn.asyncio.serve = serve
    app.save_all = lambda services: None  # it is kept already
    app.main()
