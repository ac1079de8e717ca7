"""Run the mailbox: `python -m sandbox.mailbox --port 8120 --smtp-port 8125`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

from werkzeug.serving import WSGIRequestHandler, make_server

from .faults import FaultSwitch
from .page import create_page
from .smtp import smtp_server
from .store import MailStore


class QuietRequests(WSGIRequestHandler):
    """Answers requests without a log line each: readers poll this page."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing."""


def main() -> int:
    """Serve SMTP and HTTP on loopback until a signal."""
    arguments = _arguments()
    store = MailStore(arguments.data)
    switch = FaultSwitch()
    smtp = smtp_server(store, switch, arguments.smtp_port)
    try:
        smtp.start()
        http = make_server(
            "127.0.0.1",
            arguments.port,
            create_page(store, switch),
            threaded=True,
            request_handler=QuietRequests,
        )
    except OSError as error:
        print(f"The mailbox cannot listen: {error}", file=sys.stderr)
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        # `shutdown` waits for the loop below, so it must not run inside the handler.
        signal.signal(number, lambda *_: threading.Thread(target=http.shutdown).start())
    print(f"mail to 127.0.0.1:{smtp.port} shows at http://127.0.0.1:{http.port}/")
    http.serve_forever(poll_interval=0.1)
    smtp.stop(no_assert=True)
    return 0


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
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
