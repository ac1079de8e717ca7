"""The load generator: reads a plan from standard input, writes what it measured.

One thread of gevent with geventhttpclient, which parses answers in C (Locust's
FastHttpUser is made of it). Keep-alive, one connection a guest. Locust's own users,
events and statistics would cost more than the requests.
"""

from __future__ import annotations

import re
import sys
import time
import uuid
from dataclasses import dataclass, field

import gevent  # type: ignore[import-untyped]
import msgspec
import psutil
from geventhttpclient.client import HTTPClient

from .load import Measured, Plan, Request

TIMEOUT_SECONDS = 30.0
LARGEST_READ = 64 * 1024
ORDER_ID = re.compile(rb'"orderId":"(ord_[0-9a-f]{24})"')


@dataclass
class Seen:
    """What the connections have seen up to now."""

    spans: list[tuple[int, float, float]] = field(default_factory=list)
    errors: int = 0
    first_error: str = ""
    stop: bool = False

    def wrong(self, what: str) -> None:
        """Count an answer that was not right."""
        self.errors += 1
        self.first_error = self.first_error or what


def perform(plan: Plan) -> Measured:
    """Send what the plan says for as long as it says."""
    seen = Seen()
    connections = [gevent.spawn(_loop, plan, token, seen) for token in plan.tokens]
    gevent.sleep(plan.warm_up_seconds)
    watched = {name: _family(root) for name, root in plan.roots.items()}
    watched["generator"] = [psutil.Process()]
    before, start = _cpu(watched), time.perf_counter()
    gevent.sleep(plan.seconds)
    end, after = time.perf_counter(), _cpu(watched)
    seen.stop = True
    gevent.joinall(connections, timeout=TIMEOUT_SECONDS)
    by_request: list[list[float]] = [[] for _ in plan.requests]
    for number, a, b in seen.spans:
        if a >= start and b <= end:
            by_request[number].append(b - a)
    return Measured(
        seconds=end - start,
        latencies=[latency for each in by_request for latency in each],
        by_request=by_request,
        errors=seen.errors,
        first_error=seen.first_error,
        cpu_seconds={name: after[name] - before[name] for name in watched},
        ended=sum(start <= b <= end for _, _, b in seen.spans),
    )


def _loop(plan: Plan, token: str, seen: Seen) -> None:
    client = HTTPClient(
        "127.0.0.1",
        plan.port,
        block_size=LARGEST_READ,
        connection_timeout=TIMEOUT_SECONDS,
        network_timeout=TIMEOUT_SECONDS,
    )
    connection = Connection(client, token)
    try:
        while not seen.stop:
            for number, request in enumerate(plan.requests):
                if not seen.stop:
                    connection.send(number, request, seen)
    finally:
        client.close()


class Connection:
    """One guest's connection, and what they bought last."""

    def __init__(self, client: HTTPClient, token: str) -> None:
        self._client = client
        self._order_id = ""
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
        }

    def send(self, number: int, request: Request, seen: Seen) -> None:
        """Send a request of the plan, and note how long its answer took."""
        if request.new_key:
            self._headers["Idempotency-Key"] = str(uuid.uuid4())
        path = request.path.replace("{orderId}", self._order_id)
        began = time.perf_counter()
        try:
            answer = self._client.request(
                request.method, path, request.body.encode(), self._headers
            )
            status, text = answer.status_code, bytes(answer.read())
        except Exception as error:  # whatever it is, it counts
            seen.wrong(repr(error))
            gevent.sleep(0.1)
            return
        seen.spans.append((number, began, time.perf_counter()))
        if status != 200 or not text.startswith(request.starts_with.encode()):
            seen.wrong(f"{status} {text[:300]!r}")
        if request.new_key and (bought := ORDER_ID.search(text)):
            self._order_id = bought[1].decode()


def _family(root: int) -> list[psutil.Process]:
    process = psutil.Process(root)
    return [process, *process.children(recursive=True)]


def _cpu(watched: dict[str, list[psutil.Process]]) -> dict[str, float]:
    return {
        name: sum(_cpu_of(process) for process in processes)
        for name, processes in watched.items()
    }


def _cpu_of(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:  # a database backend may end while we watch
        return 0.0
    return float(times.user + times.system)


if __name__ == "__main__":
    plan = msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)
    sys.stdout.buffer.write(msgspec.json.encode(perform(plan)))
