"""JSON logs, a line an event, each with the request and the order that it belongs to.

Never a token, a password or a card: bodies and headers are not logged.
"""

import logging
import re
import secrets
import sys
import time

from flask import Flask, Response, g, request
from pythonjsonlogger.msgspec import MsgspecFormatter

log = logging.getLogger("concierge.requests")

REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class RequestContext(logging.Filter):
    """Adds the ids of the request at hand to every record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the ids, and let every record pass."""
        if g:
            record.request_id = g.get("request_id")
            if "order_id" in g and not hasattr(record, "order_id"):
                record.order_id = g.order_id
        return True


def configure(level: str, stage: str) -> None:
    """Write the logs of this process as JSON to standard output.

    Args:
        level: the least important level to write.
        stage: the name that every line carries.
    """
    handler = logging.StreamHandler(sys.stdout)
    handler.addFilter(RequestContext())
    handler.setFormatter(
        MsgspecFormatter(
            "%(levelname)s %(name)s %(message)s",
            rename_fields={"levelname": "level", "name": "logger"},
            static_fields={"stage": stage},
            timestamp="time",
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    # Alembic and Stripe tell each step at INFO; the request's own line is enough.
    for noisy in ("alembic", "stripe"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def log_requests(app: Flask) -> None:
    """Give every request an id and, when it is answered, a line in the log."""

    @app.before_request
    def begin() -> None:
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        g.started = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        response.headers["X-Request-Id"] = g.request_id
        log.info(
            "request",
            extra={
                "method": request.method,
                "route": str(request.url_rule or request.path)[:200],
                "status": response.status_code,
                "ms": round((time.perf_counter() - g.started) * 1000, 1),
            },
        )
        return response
