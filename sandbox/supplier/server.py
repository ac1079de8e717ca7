"""The suppliers' API over HTTP, and under `/_sandbox/` what tests set and see.

PUT    /bookings/{reference}               hold; {"item", "quantity", "date"}
PUT    /bookings/{reference}/confirmation  confirm what is held; 409 when it is not
DELETE /bookings/{reference}               let go
GET    /_sandbox/bookings
GET    /_sandbox/faults                    what is set, and how often `refuse` hit
PUT    /_sandbox/faults                    {"refuse", "full", "hold_seconds"}
DELETE /_sandbox/faults
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import asdict
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec

from .bookings import CONFIRMED, HOLD_SECONDS, Bookings

HOST = "127.0.0.1"
BODY_LIMIT = 64 * 1024
BOOKING = re.compile(r"/bookings/([\w-]{1,64})")
CONFIRMATION = re.compile(r"/bookings/([\w-]{1,64})/confirmation")


class Wish(msgspec.Struct, forbid_unknown_fields=True):
    """What is to be held."""

    item: str
    quantity: int
    date: str


class Faults(msgspec.Struct, forbid_unknown_fields=True):
    """What goes wrong.

    Attributes:
        refuse: whether connections end without an answer.
        full: the items of which nothing is free.
        hold_seconds: how long a booking is held.
    """

    refuse: bool = False
    full: list[str] = []
    hold_seconds: float = HOLD_SECONDS


class Server(ThreadingHTTPServer):
    """Listens on the loopback interface.

    Args:
        port: 0 takes a free one.
        bookings: where they are kept.

    Raises:
        OSError: the port is taken.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, bookings: Bookings) -> None:
        self.bookings = bookings
        self.faults = Faults()
        self.injected: Counter[str] = Counter()
        super().__init__((HOST, port), Handler)

    def set(self, faults: Faults) -> None:
        """Replace the faults; those that hit are counted from zero again."""
        self.faults = faults
        self.bookings.hold_seconds = faults.hold_seconds
        self.injected = Counter()


class Handler(BaseHTTPRequestHandler):
    """Answers requests."""

    server: Server
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def _handle(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > BODY_LIMIT:
            self.close_connection = True
            return
        body = self.rfile.read(int(length))
        if self.path.startswith("/_sandbox/"):
            self._control(body)
        elif self.server.faults.refuse:
            self.server.injected["refuse"] += 1
            self.close_connection = True
        else:
            self._serve(body)

    do_GET = do_PUT = do_DELETE = _handle  # noqa: N815

    def _serve(self, body: bytes) -> None:
        bookings, faults = self.server.bookings, self.server.faults
        booking = BOOKING.fullmatch(self.path)
        confirmation = CONFIRMATION.fullmatch(self.path)
        if self.command == "PUT" and booking:
            try:
                wish = msgspec.json.decode(body, type=Wish)
            except msgspec.DecodeError as error:
                return self._answer(HTTPStatus.BAD_REQUEST, {"message": str(error)})
            state = bookings.hold(
                booking[1], wish.item, wish.quantity, wish.date, faults.full
            )
            return self._answer(HTTPStatus.OK, {"state": state})
        if self.command == "PUT" and confirmation:
            found = bookings.confirm(confirmation[1])
            status = HTTPStatus.OK if found == CONFIRMED else HTTPStatus.CONFLICT
            return self._answer(status, {"state": found or "unknown"})
        if self.command == "DELETE" and booking:
            bookings.release(booking[1])
            return self._answer(HTTPStatus.OK, {"state": "released"})
        return self._answer(HTTPStatus.NOT_FOUND, {"message": "See sandbox/supplier."})

    def _control(self, body: bytes) -> None:
        match self.command, self.path.removeprefix("/_sandbox/"):
            case "GET", "bookings":
                every = [asdict(booking) for booking in self.server.bookings.every()]
                return self._answer(HTTPStatus.OK, {"bookings": every})
            case "GET", "faults":
                settings = msgspec.to_builtins(self.server.faults)
                injected = dict(self.server.injected)
                said = {"settings": settings, "injected": injected}
                return self._answer(HTTPStatus.OK, said)
            case "PUT", "faults":
                try:
                    faults = msgspec.json.decode(body, type=Faults)
                except msgspec.DecodeError as error:
                    return self._answer(HTTPStatus.BAD_REQUEST, {"message": str(error)})
                return self._set(faults)
            case "DELETE", "faults":
                return self._set(Faults())
        return self._answer(HTTPStatus.NOT_FOUND, {"message": "bookings, faults"})

    def _set(self, faults: Faults) -> None:
        self.server.set(faults)
        self._answer(HTTPStatus.OK, msgspec.to_builtins(faults))

    def _answer(self, status: HTTPStatus, said: dict[str, Any]) -> None:
        body = msgspec.json.encode(said)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Stay quiet: the bookings tell what happened."""
