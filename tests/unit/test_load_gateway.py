"""The gateway is told where services are, and waited for."""

import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from load_tests import gateway
from sandbox.nginx.upstreams import Upstreams, read
from sandbox.runner import StartError


class Gateway(BaseHTTPRequestHandler):
    """Says which version it follows: the one of the file, a little late."""

    def do_GET(self):  # noqa: N802 (the base class's)
        late = time.monotonic() - self.server.began < self.server.late
        version = "1" if late else str(read(self.server.place).version)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(version.encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def server(tmp_path):
    server = HTTPServer(("127.0.0.1", 0), Gateway)
    server.began, server.late = time.monotonic(), 0.2
    server.place = tmp_path / "upstreams.json"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_it_is_waited_for_until_the_gateway_follows(server):
    gateway.follow(server.place, Upstreams(2, {"web": [1]}), server.server_port, 10)
    assert read(server.place).ports == {"web": [1]}


def test_a_gateway_that_does_not_follow_is_told(server):
    server.late = 60
    with pytest.raises(StartError, match="the gateway follows"):
        gateway.follow(server.place, Upstreams(2, {}), server.server_port, 0.1)
