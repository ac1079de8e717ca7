"""JSON logs, a line an event, each with the request and the order that it belongs to.

Never a token, a password or a card: bodies and headers are not logged. Powertools'
formatter writes the lines, so that CloudWatch's queries find what they expect.
"""

import logging
import re
import secrets
import sys
from contextvars import ContextVar

from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
order_id: ContextVar[str | None] = ContextVar("order_id", default=None)


class RequestContext(logging.Filter):
    """Adds the ids of the request at hand to every record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the ids, and let every record pass."""
        if request_id.get():
            record.request_id = request_id.get()
        if order_id.get() and not hasattr(record, "order_id"):
            record.order_id = order_id.get()
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
        LambdaPowertoolsFormatter(
            log_record_order=["level", "message", "timestamp"],
            use_rfc3339=True,
            utc=True,
            stage=stage,
            location=None,
        )
    )
    root = logging.getLogger()
    # Lambda puts a handler of its own here, which would write every line again.
    root.handlers = [handler]
    root.setLevel(level)
    # They tell each step at INFO; the request's own line is enough.
    for noisy in ("botocore", "stripe"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def begin(given: str) -> str:
    """Begin a request: name it, and forget the one before.

    Args:
        given: the name that the caller gave it, if that is one.
    """
    name = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
    request_id.set(name)
    order_id.set(None)
    return name
