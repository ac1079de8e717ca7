"""The lines that the drill puts between services: what arrives, and what is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from tests.drill import lines
from tests.drill.lines import Faults, FaultyLines

RESERVATION = "/v1/internal/reservations/ord_1"


class Callee(BaseHTTPRequestHandler):
    """Takes everything, and remembers it."""

    arrived: list[bytes]

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.arrived.append(body)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def callee() -> Iterator[ThreadingHTTPServer]:
    Callee.arrived = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Callee) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,)).start()
        yield server
        server.shutdown()


@pytest.fixture
def between(
    callee: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FaultyLines]:
    monkeypatch.setattr(lines, "HANG_SECONDS", 0.1)
    monkeypatch.setattr(lines, "LATE_SECONDS", 0.1)
    between = FaultyLines(callee.server_port)
    yield between
    between.close()


def put(between: FaultyLines, path: str = RESERVATION) -> int | None:
    """Call, and return the status of the answer, if there is one."""
    try:
        return requests.put(between.url + path, data=b"two", timeout=10).status_code
    except requests.ConnectionError:
        return None


@pytest.mark.parametrize(
    ("kind", "told", "arrived"),
    [
        ("refuse", None, 0),
        ("hang", None, 0),
        ("error_before", 500, 0),
        ("lost", None, 1),
        ("late", None, 1),
        ("error_after", 500, 1),
    ],
)
def test_a_fault_is_on_its_side_of_the_effect(
    between: FaultyLines, kind: str, told: int | None, arrived: int
) -> None:
    between.set(Faults((kind,), times=1))
    assert put(between) == told
    assert Callee.arrived == [b"two"] * arrived
    assert between.injected() == 1
    assert put(between) == 200


def test_only_the_calls_that_are_meant_are_hit(between: FaultyLines) -> None:
    between.set(Faults(("refuse",), only="PUT /v1/internal/reservations/"))
    assert put(between, "/v1/internal/notifications/ord_1") == 200
    assert put(between) is None


def test_a_share_of_the_calls_is_hit(between: FaultyLines) -> None:
    between.set(Faults(("error_before",), share=0.5, seed=1))
    told = [put(between) for _ in range(40)]
    assert told.count(500) == between.injected()
    assert 5 < told.count(500) < 35
