"""The journeys play against a stage, and see what is wrong with one."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from load_tests import answers
from load_tests.journeys import __main__ as journeys
from load_tests.journeys.tails import FILE
from load_tests.open_loop import __main__ as open_loop
from sandbox.runner import RunningStage

PLAYED = {
    "GET /orders",
    "GET /orders/{orderId}",
    "GET /products/{productId}",
    "GET /products?category={category}",
    "POST /checkout",
    "POST /nlu (a button)",
    "POST /nlu (a question)",
}
ORDER_ID = "ord_0f3c9a4de1b2778899aabbcc"
ORDER = {
    "orderId": ORDER_ID,
    "status": "pending",
    "productId": "roses-red-dozen",
    "name": "A dozen red roses",
    "quantity": 1,
    "amount": 4900,
    "currency": "usd",
    "deliveryAddress": "5 Main Street, Springfield",
    "deliveryDate": "2099-12-24",
    "createdAt": "2026-11-23T10:00:00Z",
    "updatedAt": "2026-11-23T10:00:00Z",
    "message": "Your order is accepted.",
}


@pytest.fixture
def play(monkeypatch, tmp_path):
    """Play the journeys; return the exit status and the rows by name."""

    def played(running, *words):
        monkeypatch.setattr(journeys, "RUN_ROOT", tmp_path)
        monkeypatch.setattr(journeys, "running", lambda number, name: running)
        monkeypatch.setattr("sys.argv", ["journeys", "--think", "0.1", *words])
        code = journeys.main()
        (file,) = tmp_path.glob(f"load/*/{FILE}")
        assert not list(tmp_path.glob("load/*/plan.json")), "tokens are left behind"
        return code, {row["name"]: row for row in json.loads(file.read_text())}

    return played


def test_guests_of_a_stage_are_served(stage, play, tmp_path):
    code, rows = play(stage, "--users", "3", "--seconds", "5")
    assert code == 0
    assert rows.keys() <= PLAYED
    assert sum(row["requests"] for row in rows.values()) >= 10
    assert not any(row["failures"] for row in rows.values())
    assert list(tmp_path.glob("load/*/report.html"))
    assert list(tmp_path.glob("load/*/locust_stats.csv"))


@pytest.mark.full
def test_two_processes_share_the_guests(stage, play):
    words = ("--users", "4", "--seconds", "6", "--processes", "2", "--shape", "steps")
    code, rows = play(stage, *words)
    assert code == 0
    assert sum(row["requests"] for row in rows.values()) >= 10


def test_a_spike_is_accepted_and_finished(stage, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(open_loop, "RUN_ROOT", tmp_path)
    monkeypatch.setattr(open_loop, "running", lambda number, name: stage)
    words = ["--rate", "10", "--seconds", "1", "--guests", "2", "--connections", "5"]
    monkeypatch.setattr("sys.argv", ["open_loop", *words])
    # In a thread of its own, which has no signals: a browser test before this one may
    # have left a loop here.
    monkeypatch.setattr(
        asyncio.SelectorEventLoop, "add_signal_handler", lambda *_: None
    )
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(open_loop.main).result() == 0
    (file,) = tmp_path.glob("load/*.json")
    found = json.loads(file.read_text())
    assert found["answers"] == {"200 confirmed": 10}
    assert found["became"] == {"confirmed": 10}
    assert "accepted orders: 10" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("end", "code", "row"),
    [
        ({"status": "confirmed"}, 0, "GET /orders/{orderId}"),
        ({"status": "failed"}, 1, "GET /orders/{orderId}"),
        pytest.param(
            {"status": "failed", "message": answers.SOLD_OUT},
            0,
            "GET /orders/{orderId} (sold out)",
            marks=pytest.mark.full,
        ),
    ],
)
def test_an_accepted_order_is_followed_to_its_end(end, code, row, accepting, play):
    words = ("--users", "2", "--seconds", "3", "--think", "0.02")
    found, rows = play(accepting(end), *words)
    assert found == code
    assert rows["POST /checkout"]["failures"] == 0
    assert rows["GET /orders/{orderId}"]["requests"] >= 1
    assert (rows[row]["failures"] > 0) == bool(code)
    assert rows.keys() <= PLAYED | {row}


@pytest.fixture
def accepting():
    """Stages that accept every purchase, and end it in the way that is asked for."""
    servers = []

    def stage(end):
        server = ThreadingHTTPServer(("127.0.0.1", 0), Accepting)
        server.end, server.looks = end, 0
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        url = f"http://127.0.0.1:{server.server_port}"
        # No stage has this number, therefore nobody looks for its database.
        return RunningStage(
            0, "accepting", url, f"{url}/v1", "bearer", "", None, os.getpid()
        )

    yield stage
    for server in servers:
        server.shutdown()
        server.server_close()


class Accepting(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        product = {key: ORDER[key] for key in ("productId", "name", "currency")}
        product |= {"category": "flowers", "description": "", "unitAmount": 4900}
        product |= {"stock": 1, "imageUrl": "/images/roses-red-dozen.svg"}
        path = self.path.removeprefix("/v1")
        if path.startswith("/products?"):
            return self._answer(200, {"products": [product]})
        if path.startswith("/products/"):
            return self._answer(200, product)
        if path == "/orders":
            return self._answer(200, {"orders": [ORDER]})
        self.server.looks += 1
        final = self.server.looks % 2 == 0
        return self._answer(200, ORDER | (self.server.end if final else {}))

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        path = self.path.removeprefix("/v1")
        if path == "/signup":
            return self._answer(201, {"email": "a@example.com"})
        if path == "/login":
            return self._answer(
                200, {"token": "t", "expiresAt": "2099-12-24T00:00:00Z"}
            )
        if path == "/nlu":
            card = {"productId": "roses-red-dozen", "buttonLabel": "Order"}
            said = {"type": "product", "payload": card}
            message = {"type": "structured", "structured": said}
            return self._answer(200, {"messages": [message]})
        bought = {"success": True, "message": "", "order": ORDER}
        return self._answer(202, bought, Location=f"/v1/orders/{ORDER_ID}")

    def _answer(self, status, body, **headers):
        text = json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *words):
        pass
