"""Run the suppliers' stand-in: `python -m sandbox.supplier --port 8440`."""

from __future__ import annotations

import argparse
import os
import signal
import sqlite3
import sys
import threading
from pathlib import Path

from .bookings import Bookings
from .server import HOST, Server


def main() -> int:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.supplier")
    port = int(os.environ.get("SUPPLIER_PORT", "8440"))
    parser.add_argument("--port", type=int, default=port)
    data = Path(os.environ.get("RUN_DIR", ".run")) / "supplier.sqlite"
    parser.add_argument("--data", type=Path, default=data)
    chosen = parser.parse_args()
    try:
        server = Server(chosen.port, Bookings(chosen.data))
    except (OSError, sqlite3.Error) as problem:
        print(
            f"Suppliers: port {chosen.port} or the file {chosen.data} cannot be used "
            f"({problem}). Choose others with --port and --data.",
            file=sys.stderr,
        )
        return 1
    # Blocked before any thread starts, so that only sigwait sees them.
    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    where = f"http://{HOST}:{server.server_address[1]}"
    print(f"Suppliers: {where}, bookings {chosen.data}", flush=True)
    signal.sigwait(signals)
    server.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
