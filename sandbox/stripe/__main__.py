"""Run the Stripe sandbox: `python -m sandbox.stripe --port 8110 --data FILE`."""

import argparse
import os
import signal
import sqlite3
import sys
import threading
from pathlib import Path

from .faults import Faults
from .gateway import Gateway
from .ledger import Ledger
from .rate_limit import RateLimit
from .server import HOST, Server

DEFAULT_PORT = 8110


def arguments() -> argparse.Namespace:
    """Read the command line; the environment has the defaults."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.stripe")
    parser.add_argument(
        "--port",
        type=int,
        default=os.environ.get("STRIPE_PORT", DEFAULT_PORT),
        help="port on 127.0.0.1 (default: $STRIPE_PORT or %(default)s; 0: a free one)",
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(os.environ.get("RUN_DIR", ".run")) / "stripe.sqlite",
        help="SQLite file of the ledger (default: $RUN_DIR/stripe.sqlite)",
    )
    parser.add_argument(
        "--rate-limit",
        type=float,
        metavar="PER_SECOND",
        help="requests a second before 429 (default: no limit; Stripe's sandbox: 25)",
    )
    return parser.parse_args()


def main() -> int:
    """Serve until SIGTERM or SIGINT."""
    chosen = arguments()
    try:
        ledger = Ledger(chosen.data)
    except (OSError, sqlite3.Error) as problem:
        print(
            f"Stripe sandbox: the ledger {chosen.data} cannot be used ({problem}). "
            "Choose another file with --data.",
            file=sys.stderr,
        )
        return 1
    gateway = Gateway(ledger, Faults(), RateLimit(chosen.rate_limit))
    try:
        server = Server(chosen.port, gateway)
    except OSError as problem:
        print(
            f"Stripe sandbox: port {chosen.port} on {HOST} cannot be used "
            f"({problem.strerror}). Stop the program that holds it, or choose "
            "another with --port.",
            file=sys.stderr,
        )
        return 1
    # Blocked before any thread starts, so that only sigwait sees them.
    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True
    ).start()
    address = f"http://{HOST}:{server.server_address[1]}"
    print(f"Stripe sandbox: {address}, ledger {chosen.data}", flush=True)
    signal.sigwait(signals)
    server.shutdown()
    server.server_close()
    ledger.close()
    # Calls that hang on purpose still have threads; nothing is left to wait for.
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
