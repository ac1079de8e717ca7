"""What the generator is told to send, and what it tells of it."""

from __future__ import annotations

import subprocess
import sys

import msgspec

START_SECONDS = 60.0


class LoadError(Exception):
    """The load could not be made, or an answer was not the right one."""


class Request(msgspec.Struct, kw_only=True):
    """One request.

    Attributes:
        method: GET or POST.
        path: the address after the port; `{orderId}` in it is the order that this
            connection bought last.
        body: JSON, or nothing.
        starts_with: how a right answer, always a 200, begins.
        new_key: send an `Idempotency-Key` of its own with each.
    """

    method: str = "GET"
    path: str
    body: str = ""
    starts_with: str = ""
    new_key: bool = False


class Plan(msgspec.Struct, kw_only=True):
    """A closed loop: each connection sends its next request after its last answer.

    Attributes:
        port: of the server on loopback.
        tokens: whose each connection is; as many connections as tokens.
        requests: sent in turn, over and over, by every connection.
        warm_up_seconds: at first, which does not count.
        seconds: how long it is measured after that.
        roots: processes whose CPU time counts, with all of their children, by name.
    """

    port: int
    tokens: list[str]
    requests: list[Request]
    warm_up_seconds: float
    seconds: float
    roots: dict[str, int]


class Measured(msgspec.Struct, kw_only=True):
    """What was seen.

    Attributes:
        seconds: how long it was measured.
        latencies: of each request that began and ended in that time, in seconds.
        by_request: the same, for each request of the plan.
        errors: answers that were not right, the warm-up's included.
        first_error: what the first of them was.
        cpu_seconds: CPU time by name; the generator's own under `generator`.
        ended: how many requests ended in that time, whenever they began: where answers
            take long beside it, only these tell the rate.
    """

    seconds: float
    latencies: list[float]
    by_request: list[list[float]]
    errors: int
    first_error: str
    cpu_seconds: dict[str, float]
    ended: int = 0

    @property
    def throughput(self) -> float:
        """Requests a second."""
        return len(self.latencies) / self.seconds

    def cpu_share(self, name: str) -> float:
        """How much of one core this process group used, 0 to the number of cores."""
        return self.cpu_seconds[name] / self.seconds

    def cpu_per_request(self, name: str) -> float:
        """CPU milliseconds of this process group for each request."""
        return 1000 * self.cpu_seconds[name] / len(self.latencies)


def measure(plan: Plan) -> Measured:
    """Make a load in a process of its own, which shares no interpreter with us.

    Raises:
        LoadError: the generator failed, or any answer was not the right one.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", "load_tests.bench.generator"],
            input=msgspec.json.encode(plan),
            stdout=subprocess.PIPE,
            timeout=START_SECONDS + plan.warm_up_seconds + plan.seconds,
            check=True,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise LoadError(f"the load generator failed: {error}") from error
    seen = msgspec.json.decode(done.stdout, type=Measured)
    if seen.errors or not seen.latencies:
        what = seen.first_error or "no request ended in time; measure for longer"
        raise LoadError(
            f"{seen.errors} wrong answers to {plan.requests[0].path}, first: {what}"
        )
    return seen
