"""Run the mailbox: `python -m sandbox.mailbox --port 8120 --smtp-port 8125`.

With `--outbox` it takes no mail: it shows what the local AWS sent.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from .faults import FaultSwitch
from .outbox import Outbox
from .page import create_page
from .smtp import smtp_server
from .store import MailStore


class QuietRequests(WSGIRequestHandler):
    """Answers requests without a log line each: readers poll this page."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing."""


def main() -> int:
    """Serve until a signal, on loopback."""
    arguments = _arguments()
    try:
        with _page(arguments) as page:
            _serve(page, arguments.port)
    except OSError as error:
        print(f"The mailbox cannot listen: {error}", file=sys.stderr)
        return 1
    return 0


@contextmanager
def _page(arguments: argparse.Namespace) -> Iterator[Flask]:
    """Return the page, with the mail server behind it where there is one."""
    if arguments.outbox:
        print(f"showing what {arguments.outbox} sent")
        yield create_page(Outbox(arguments.outbox))
        return
    store = MailStore(arguments.data)
    switch = FaultSwitch()
    smtp = smtp_server(store, switch, arguments.smtp_port)
    smtp.start()
    try:
        print(f"taking mail at 127.0.0.1:{smtp.port}")
        yield create_page(store, switch)
    finally:
        smtp.stop(no_assert=True)


def _serve(page: Flask, port: int) -> None:
    http = make_server(
        "127.0.0.1", port, page, threaded=True, request_handler=QuietRequests
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        # `shutdown` waits for the loop below, so it must not run inside the handler.
        signal.signal(number, lambda *_: threading.Thread(target=http.shutdown).start())
    print(f"mail shows at http://127.0.0.1:{http.port}/")
    http.serve_forever(poll_interval=0.1)


def _arguments() -> argparse.Namespace:
    run_dir = Path(os.environ.get("RUN_DIR", ".run/stage1"))
    parser = argparse.ArgumentParser(prog="python -m sandbox.mailbox")
    parser.add_argument(
        "--port", type=int, default=int(os.environ.get("MAILBOX_PORT", "8120"))
    )
    parser.add_argument(
        "--smtp-port", type=int, default=int(os.environ.get("SMTP_PORT", "8125"))
    )
    parser.add_argument("--data", type=Path, default=run_dir / "mailbox.sqlite")
    parser.add_argument(
        "--outbox",
        nargs="?",
        const=os.environ.get("AWS_ENDPOINT_URL", "http://127.0.0.1:8300"),
        metavar="URL",
        help="show the outbox of the local AWS there (by default at AWS_ENDPOINT_URL)",
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
