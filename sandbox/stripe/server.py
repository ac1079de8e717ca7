"""HTTP on a loopback port: a thread a connection, kept alive between requests."""

import select
import socket
import struct
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from .errors import Answer, json_answer
from .faults import DroppedError
from .gateway import Gateway, Request

HOST = "127.0.0.1"
BODY_LIMIT = 64 * 1024
# On, with no time to linger: closing resets the connection (socket(7)).
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Server(ThreadingHTTPServer):
    """Listens on the loopback interface and hands requests to the gateway.

    Arguments:
        port: 0 takes a free one.

    Raises:
        OSError: the port is taken.
    """

    daemon_threads = True
    request_queue_size = 512

    def __init__(self, port: int, gateway: Gateway) -> None:
        self.gateway = gateway
        super().__init__((HOST, port), Handler)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection; without the farewell if it is to be reset."""
        linger = request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)
        if linger == RESET_ON_CLOSE:
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report an error, unless the client just went away."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """Reads requests from one connection and writes the answers."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "stripe-sandbox"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave in one packet

    def _handle(self) -> None:
        body = self._read_body()
        if body is None:
            return
        address = urlsplit(self.path)
        request = Request(
            self.command,
            address.path,
            address.query,
            {name.title(): value for name, value in self.headers.items()},
            body,
            self._client_left,
        )
        try:
            self._send(self.server.gateway.answer(request))
        except DroppedError:
            self.connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE
            )
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _handle  # noqa: N815

    def _read_body(self) -> bytes | None:
        """Return the body; None if it is refused, and the connection ends."""
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdecimal():
            self._refuse(411, "Send the body with its length in Content-Length.")
            return None
        if int(length) > BODY_LIMIT:
            self._refuse(413, f"Send at most {BODY_LIMIT} bytes.")
            return None
        return self.rfile.read(int(length))

    def _refuse(self, status: int, message: str) -> None:
        self.close_connection = True
        error = {"message": message, "type": "invalid_request_error"}
        self._send(json_answer(status, {"error": error}, {"Connection": "close"}))

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value.encode("ascii", "replace").decode())
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def _client_left(self, seconds: float) -> bool:
        """Wait, at most some seconds, for the client to close the connection."""
        poll = select.poll()  # select() fails above 1,024 open files
        poll.register(self.connection, select.POLLIN)
        if not poll.poll(seconds * 1000):
            return False
        try:
            if not self.connection.recv(1, socket.MSG_PEEK):
                return True
        except OSError:
            return True
        time.sleep(seconds)  # it sent its next request already, and stays
        return False

    def log_message(self, format: str, *args: Any) -> None:
        """Stay quiet: the ledger tells what happened."""
