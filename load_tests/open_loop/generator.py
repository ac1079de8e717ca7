"""Sends each request at its intended time, whether or not the last was answered.

A closed loop waits for an answer before it asks again, so that while a server stalls it
sends nothing, and notes one slow answer where hundreds of guests would have waited.
Source: Tene, "How NOT to Measure Latency" (coordinated omission). Each request has
therefore three times here, and its latency is counted from the first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import Generic, TypeVar

Outcome = TypeVar("Outcome")


@dataclass(frozen=True)
class Shot(Generic[Outcome]):
    """One request; all its times in seconds since the start.

    Attributes:
        intended: when it was meant to be sent.
        sent: when it was.
        done: when its answer was there.
        outcome: what came of it.
    """

    intended: float
    sent: float
    done: float
    outcome: Outcome

    @property
    def corrected(self) -> float:
        """How long the guest waited, in seconds: from when they came."""
        return self.done - self.intended

    @property
    def naive(self) -> float:
        """What one notes who looks at the clock when the request leaves, in seconds."""
        return self.done - self.sent

    @property
    def lateness(self) -> float:
        """How long after its time it was sent, in seconds."""
        return self.sent - self.intended


async def fire(
    arrivals: Iterable[float],
    ask: Callable[[], Awaitable[Outcome]],
    connections: int | None = None,
) -> list[Shot[Outcome]]:
    """Send a request at each arrival, and return them in the order of their answers.

    When it is cancelled it returns those that were answered until then.

    Args:
        arrivals: seconds since the start, ascending.
        ask: sends one request and returns what came of it; it must not raise.
        connections: at most so many at a time; the others wait, and their waiting
            counts. None: as many as there are.
    """
    loop = asyncio.get_running_loop()
    free: AbstractAsyncContextManager[object]
    free = asyncio.Semaphore(connections) if connections else nullcontext()
    shots: list[Shot[Outcome]] = []
    start = loop.time()

    async def send(intended: float) -> None:
        async with free:
            sent = loop.time() - start
            outcome = await ask()
        shots.append(Shot(intended, sent, loop.time() - start, outcome))

    under_way = []
    try:
        for intended in arrivals:
            await asyncio.sleep(start + intended - loop.time())
            under_way.append(asyncio.create_task(send(intended)))
        await asyncio.gather(*under_way)
    except asyncio.CancelledError:
        for task in under_way:
            task.cancel()
    return shots
