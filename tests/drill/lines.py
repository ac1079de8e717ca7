"""The lines between a stage's services, and what can happen on them.

A small proxy on loopback stands between callers and callees; the product is told that
the callees are there, and knows nothing else of it.
"""

from __future__ import annotations

import http.client
import random
import re
import socket
import struct
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NoReturn, Protocol

UPSTREAM_SECONDS = 30
# Longer than a caller under drill waits: it has gone when its call is passed on.
HANG_SECONDS = 1.5
LATE_SECONDS = 1.5
# Status, headers, body.
Answer = tuple[int, dict[str, str], bytes]
PASSED_ON = ("content-type", "retry-after", "content-length")


@dataclass(frozen=True)
class Faults:
    """What happens to calls between services.

    Attributes:
        kinds: one of these for each call that is hit: `refuse` cuts the connection
            before the call is passed on, `lost` cuts it when the callee has answered,
            `error_before` and `error_after` answer 500 instead, `hang` never passes it
            on nor answers, `late` passes it on when the caller has gone.
        share: the probability that a call is hit.
        times: how many calls are hit at most; None for no limit.
        only: a pattern of `METHOD /path`; other calls are not hit.
        latency: up to so many seconds before each call is passed on, at random.
        seed: of what is drawn.
    """

    kinds: tuple[str, ...] = ()
    share: float = 1.0
    times: int | None = None
    only: str = ""
    latency: float = 0.0
    seed: int | None = None


class Lines(Protocol):
    """The lines between the services of a stage."""

    def set(self, faults: Faults) -> None:
        """Replace the faults; the count begins again."""

    def injected(self) -> int:
        """How many calls were hit since the faults were set."""

    def close(self) -> None:
        """End it."""


class NoLines:
    """A stage of one service has no lines."""

    def set(self, faults: Faults) -> None:
        """There is nothing to break."""

    def injected(self) -> int:
        """Nothing was broken."""
        return 0

    def close(self) -> None:
        """There is nothing to end."""


class FaultyLines:
    """A proxy before the services' internal door.

    Args:
        port: where that door is, on loopback.
    """

    def __init__(self, port: int) -> None:
        self.upstream = port
        self._lock = threading.Lock()
        self.set(Faults())
        self._server = _Server(("127.0.0.1", 0), _Call)
        self._server.lines = self
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(
            target=self._server.serve_forever, name="lines", daemon=True
        ).start()

    def set(self, faults: Faults) -> None:
        with self._lock:
            self._faults = faults
            self._chance = random.Random(faults.seed)
            self._hits: Counter[str] = Counter()

    def injected(self) -> int:
        return self._hits.total()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def draw(self, call: str) -> tuple[str, float]:
        """Decide what happens to a call, and how long it takes to get through."""
        with self._lock:
            faults = self._faults
            wait = faults.latency * self._chance.random()
            spent = faults.times is not None and self._hits.total() >= faults.times
            if spent or not faults.kinds or not re.match(faults.only, call):
                return "", wait
            if self._chance.random() >= faults.share:
                return "", wait
            kind = self._chance.choice(faults.kinds)
            self._hits[kind] += 1
            return kind, wait


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    lines: FaultyLines

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Leave callers in peace who were killed or have lost patience."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Call(BaseHTTPRequestHandler):
    """One connection of a caller."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        self._pass_on()

    do_PUT = do_DELETE = do_POST = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        kind, wait = self.server.lines.draw(f"{self.command} {self.path}")
        time.sleep(wait)
        if kind in ("refuse", "hang"):
            time.sleep(HANG_SECONDS if kind == "hang" else 0)
            self._cut()
        if kind == "late":
            time.sleep(LATE_SECONDS)
        answer: Answer = (500, {}, b"")
        if kind != "error_before":
            answer = self._ask(body)
        if kind in ("lost", "late"):
            self._cut()
        self._answer(*((500, {}, b"") if kind == "error_after" else answer))

    def _ask(self, body: bytes) -> Answer:
        upstream = http.client.HTTPConnection(
            "127.0.0.1", self.server.lines.upstream, timeout=UPSTREAM_SECONDS
        )
        headers = {k: v for k, v in self.headers.items() if k.lower() != "connection"}
        try:
            upstream.request(self.command, self.path, body, headers)
            answer = upstream.getresponse()
            told = {k: v for k, v in answer.getheaders() if k.lower() in PASSED_ON}
            return answer.status, told, answer.read()
        except (OSError, http.client.HTTPException):
            self._cut()
        finally:
            upstream.close()

    def _answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response_only(status)
        told = {name.lower(): value for name, value in headers.items()}
        if status != 204:
            told["content-length"] = str(len(content))
        for name, value in told.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _cut(self) -> NoReturn:
        """Reset the connection, as a callee does that dies."""
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        raise ConnectionAbortedError
