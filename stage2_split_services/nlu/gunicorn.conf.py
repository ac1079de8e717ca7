"""How gunicorn runs nlu. `WEB_CONCURRENCY` is gunicorn's own variable."""

import os
from typing import Any

# One thread of NumPy's a worker: more would each reserve memory and win nothing on
# products this small. It is read when a worker first imports NumPy.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

bind = f"127.0.0.1:{os.environ.get('NLU_PORT', '8203')}"
workers = int(os.environ.get("WEB_CONCURRENCY", "1"))
worker_class = "gthread"
threads = int(os.environ.get("WEB_THREADS", "8"))
# Longer than the gateway keeps a connection, which therefore is never the one to find
# that it has just ended.
keepalive = 30
limit_request_line = 8190  # as much as it can; nginx takes 8 KiB, too
timeout = 60
# A service that is replaced finishes what it has begun.
graceful_timeout = 20
# Every worker loads its own vectors, as on machines that share nothing.
preload_app = False
# Its socket lies in the home folder, where two runs would fight over it.
control_socket_disable = True


def post_worker_init(worker: Any) -> None:
    """Learn the products, and whom to believe, before the first guest asks."""
    services = worker.app.callable.extensions["nlu"]
    services.catalog.learn()
    services.guests.learn()
