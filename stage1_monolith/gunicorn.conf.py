"""How gunicorn runs the monolith. `WEB_CONCURRENCY` is gunicorn's own variable."""

import os
from typing import Any

from concierge.config import load
from concierge.setup import prepare

# One thread of NumPy's a worker: more would each reserve memory and win nothing on
# products this small. It is read when a worker first imports NumPy.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

bind = f"127.0.0.1:{os.environ.get('PORT', '8100')}"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
worker_class = "gthread"
threads = int(os.environ.get("WEB_THREADS", "8"))
keepalive = 30
limit_request_line = 8190  # as much as it can; nginx takes 8 KiB, too
timeout = 60
graceful_timeout = 4
# Every worker loads its own copy of everything, as on machines that share nothing: what
# that costs in memory is one of the lecture's points.
preload_app = False
# Its socket lies in the home folder, where two runs would fight over it.
control_socket_disable = True


def on_starting(server: Any) -> None:
    """Bring the database up to date, once, before any worker starts."""
    prepare(load())


def post_worker_init(worker: Any) -> None:
    """Begin to finish what an earlier process may have left unfinished."""
    services = worker.app.callable.extensions["concierge"]
    services.sweep.start(services.settings.sweep_seconds)
