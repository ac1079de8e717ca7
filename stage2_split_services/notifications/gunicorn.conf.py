"""How gunicorn runs notifications. `WEB_CONCURRENCY` is gunicorn's own."""

import gc
import os
from multiprocessing import get_context
from typing import Any

from notifications.config import load
from notifications.setup import prepare

bind = f"127.0.0.1:{os.environ.get('NOTIFICATIONS_PORT', '8205')}"
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
preload_app = False
# Its socket lies in the home folder, where two runs would fight over it.
control_socket_disable = True


def on_starting(server: Any) -> None:
    """Bring the database up to date, once, before any worker starts.

    In a process of its own: what only migrations need is not to stay in memory.
    """
    done = get_context("fork").Process(target=prepare, args=[load()])
    done.start()
    done.join()
    if done.exitcode:
        raise SystemExit(1)


def pre_fork(server: Any, worker: Any) -> None:
    """Keep in common what master and worker have both imported.

    A collection of garbage writes to every object, and so makes a copy of its page.
    """
    gc.freeze()


def post_worker_init(worker: Any) -> None:
    """Begin to send what an earlier process may have left unsent."""
    services = worker.app.callable.extensions["notifications"]
    services.sweep.start(services.settings.sweep_seconds)
