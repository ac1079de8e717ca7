"""Calls between the services of stage 3: signed, tried again where that is harmless."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.chalice_apps import application


class Callee(BaseHTTPRequestHandler):
    """Answers as it was told to, and remembers what it was asked."""

    def answer(self):
        size = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(size)
        self.server.asked.append((self.command, self.path, dict(self.headers)))
        status = self.server.answers.pop(0) if self.server.answers else 200
        body = json.dumps({"code": status, "message": "as told"}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_POST = do_DELETE = answer  # noqa: N815 (the base class's)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def app():
    with application("checkout") as app:
        yield app


@pytest.fixture
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Callee)
    server.asked, server.answers = [], []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def callee(app, server):
    calls = app.part("calls")
    url = f"http://127.0.0.1:{server.server_port}/v1/"
    return calls.Callee("catalog", url, calls.Patience(connect=10, answer=10, whole=60))


def test_a_call_is_signed_under_our_role_and_names_the_request(app, server, callee):
    name = app.part("logs").begin("mine")
    callee.call("GET", "/internal/products")
    method, path, headers = server.asked[0]
    assert (method, path) == ("GET", "/v1/internal/products")
    assert headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=")
    assert "/us-east-1/execute-api/aws4_request" in headers["Authorization"]
    assert "x-request-id" in headers["Authorization"]
    assert headers["X-Request-Id"] == name


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_what_may_be_repeated_is_tried_again(method, server, callee):
    server.answers = [500, 503]
    assert callee.call(method, "/x").status == 200
    assert len(server.asked) == 3


def test_what_may_not_be_repeated_is_tried_once(app, server, callee):
    server.answers = [500]
    with pytest.raises(app.part("errors").Unavailable):
        callee.call("POST", "/x")
    assert len(server.asked) == 1


def test_it_gives_up_after_some_tries(app, server, callee):
    server.answers = [500] * 9
    with pytest.raises(app.part("errors").Unavailable):
        callee.call("GET", "/x")
    assert len(server.asked) == 3


def test_a_problem_that_is_told_is_no_reason_to_try_again(app, server, callee):
    server.answers = [404]
    answer = callee.call("GET", "/x")
    with pytest.raises(app.part("errors").NotFound, match="as told"):
        answer.read(dict)
    assert len(server.asked) == 1


def test_nothing_is_asked_when_lambda_is_about_to_end(app, server, callee):
    class AlmostOver:
        def get_remaining_time_in_millis(self):
            return 1000

    try:
        app.part("deadline").begin(AlmostOver())
        with pytest.raises(app.part("errors").Unavailable):
            callee.call("GET", "/x")
    finally:
        app.part("deadline")._ends.set(None)
    assert server.asked == []


def test_who_is_not_there_is_unavailable(app):
    calls = app.part("calls")
    callee = calls.Callee("catalog", "http://127.0.0.1:9/v1", calls.Patience(whole=1.0))
    with pytest.raises(app.part("errors").Unavailable):
        callee.call("GET", "/x")


def test_a_write_whose_answer_was_lost_is_known_when_it_is_repeated(app):
    table = app.part("services").assembled().database
    item = {"order_id": "ord_1", "due": 1, "account": None}
    assert table.write_new(item) is None
    assert table.write_new(item) is None
    assert table.write_new(item | {"due": 2}) == {"order_id": "ord_1", "due": 1}
