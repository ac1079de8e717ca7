"""What the services of stage 2 need to run alone: neighbours, guests, and bad lines.

The services themselves are the real ones, served on loopback by threads of the test.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from contextlib import contextmanager
from pathlib import Path

import jwt
import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask, jsonify
from wait import free_ports, until, until_open
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.contract.outside import Ledger, Mailbox

CHECKOUT_KEY = "checkout-" + "k" * 32
NLU_KEY = "nlu-" + "k" * 32


class Backends:
    """PostgreSQL, the Stripe sandbox and the mailbox, on ports of their own."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="concierge-shop-"))
        ports = free_ports(5)
        self.postgres_port, self.stripe_port, self.mailbox_port = ports[:3]
        self.smtp_port, self.nobody_port = ports[3:]
        self.stripe_url = f"http://127.0.0.1:{self.stripe_port}"
        self.mailbox_url = f"http://127.0.0.1:{self.mailbox_port}"
        self._processes = [
            self._start("postgres", "--data", self._folder / "postgres"),
            self._start("stripe", "--data", self._folder / "stripe.sqlite"),
            self._start("mailbox", "--data", self._folder / "mailbox.sqlite"),
        ]
        for process, port in zip(self._processes, ports, strict=False):
            until_open(port, process)
        until(self._takes_connections, "PostgreSQL takes connections")

    def database(self, service: str) -> str:
        """Make an empty database and return its address."""
        name = f"{service}_{uuid.uuid4().hex[:8]}"
        with psycopg.connect(self._admin(), autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name}".encode())
        server = f"postgres@127.0.0.1:{self.postgres_port}"
        return f"postgresql+psycopg://{server}/{name}"

    def charges(self, order_id: str) -> int:
        """Tell how often an order was charged, by Stripe's own books."""
        return Ledger(self.stripe_url).charges(order_id)

    def stripe_faults(self, **faults):
        """Set faults of the Stripe sandbox for the length of a block."""
        return Ledger(self.stripe_url).going_wrong(**faults)

    def mail(self, email: str) -> list[dict]:
        """The mail that somebody got."""
        return Mailbox(self.mailbox_url).of(email)

    def stop(self) -> None:
        """Stop them all and forget their data."""
        for process in self._processes:
            process.send_signal(signal.SIGTERM)
        for process in self._processes:
            process.wait(timeout=20)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self, name, *options) -> subprocess.Popen:
        environment = os.environ | {
            "POSTGRES_PORT": str(self.postgres_port),
            "STRIPE_PORT": str(self.stripe_port),
            "MAILBOX_PORT": str(self.mailbox_port),
            "SMTP_PORT": str(self.smtp_port),
        }
        command = [sys.executable, "-m", f"sandbox.{name}", *map(str, options)]
        return subprocess.Popen(command, env=environment, start_new_session=True)

    def _admin(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.postgres_port}/postgres"

    def _takes_connections(self) -> bool:
        try:
            psycopg.connect(self._admin(), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True


class Line:
    """A service and the line to it: a WSGI application whose answers can get lost.

    Attributes:
        seen: the method and path of each request that arrived, with its headers.
    """

    def __init__(self, app) -> None:
        self._app = app
        self._faults: list[str] = []
        self.seen: list[tuple[str, str, dict]] = []
        self.let_through = threading.Event()

    def break_next(self, *faults: str) -> None:
        """Break the next requests, each in its way.

        `lost` works and drops the answer, `dropped` drops the request, `hang` waits
        for `let_through`, `500` answers so, `fine` does nothing.
        """
        self._faults.extend(faults)

    def mend(self) -> None:
        """Break nothing any more."""
        self._faults.clear()
        self.let_through.set()

    def __call__(self, environ, start_response):
        headers = {k[5:]: v for k, v in environ.items() if k.startswith("HTTP_")}
        self.seen.append((environ["REQUEST_METHOD"], environ["PATH_INFO"], headers))
        fault = self._faults.pop(0) if self._faults else "fine"
        if fault == "dropped":
            hang_up(environ)
        if fault == "hang":
            self.let_through.wait(30)
        if fault == "500":
            start_response("500 Internal Server Error", [])
            return [b"boom"]
        if fault == "lost":
            list(self._app(environ, lambda *_: None))
            hang_up(environ)
        return self._app(environ, start_response)


def hang_up(environ):
    """End the connection that a request came on, without a word."""
    environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    raise ConnectionResetError


class QuietRequests(WSGIRequestHandler):
    def log_request(self, *_):
        pass


class Served:
    """An application on a loopback port, which can be stopped and started again."""

    def __init__(self, app) -> None:
        self.line = Line(app)
        [self.port] = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        self._server = make_server(
            "127.0.0.1",
            self.port,
            self.line,
            threaded=True,
            request_handler=QuietRequests,
        )
        self._server.daemon_threads = True
        # Else closing waits for answers that a test holds back on purpose.
        self._server.block_on_close = False
        threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.05},
            daemon=True,
        ).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    @contextmanager
    def away(self):
        """Stop it for the length of a block."""
        self.stop()
        try:
            yield
        finally:
            self.start()


class Identity:
    """Stands in for the identity service: signs tokens and publishes its key."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()
        public = jwt.algorithms.OKPAlgorithm.to_jwk(self._key.public_key(), True)
        app = Flask("identity")

        @app.get("/v1/internal/keys")
        def keys():
            return jsonify(keys=[public | {"kid": "test", "alg": "EdDSA"}])

        self.served = Served(app)
        self.url = self.served.url

    def token(self, guest_id: str, email: str) -> str:
        now = int(time.time())
        claims = {
            "iss": "concierge-identity",
            "aud": "concierge",
            "sub": guest_id,
            "email": email,
            "jti": uuid.uuid4().hex,
            "iat": now,
            "exp": now + 3600,
        }
        return jwt.encode(claims, self._key, "EdDSA", headers={"kid": "test"})
