"""Until when an answer is of use: nobody works for somebody who has gone.

A guest's request gets its deadline once, in the service where it comes in, counted from
when the gateway got it. What that service asks of others carries the deadline along, so
that work which waited too long in some queue is refused rather than done for nobody.
The clocks of the machines are to agree to a fraction of a second.
"""

import time
from collections.abc import Callable

from flask import Flask, g, has_request_context, request

from .errors import Unavailable

# From another service: until when it waits (Unix milliseconds).
DEADLINE = "X-Deadline"
# From the gateway, which takes both away from what guests send: when it got the request
# (Unix seconds).
RECEIVED = "X-Received"
# From a guest's request to our answer. The gateway waits no shorter.
SECONDS = 10.0


def keep(app: Flask) -> None:
    """Have an application refuse what comes after its deadline, before any work."""

    @app.before_request
    def begin() -> None:
        now = time.time()
        received = min(now, _told(RECEIVED, float, now))
        ours = received + SECONDS
        g.deadline = min(ours, _told(DEADLINE, int, ours * 1000) / 1000)
        if g.deadline <= now:
            raise Unavailable(
                "This came too late to be answered in time, so nothing was done. "
                "Try again in a moment."
            )


def left(most: float) -> float:
    """Tell how long the request at hand may wait for something.

    Args:
        most: as long as it may take anyway, also outside of requests (seconds).

    Returns:
        Seconds; none or less when the deadline has passed.
    """
    if has_request_context() and "deadline" in g:
        return min(most, float(g.deadline) - time.time())
    return most


def _told(header: str, kind: Callable[[str], float], default: float) -> float:
    try:
        return float(kind(request.headers[header]))
    except (KeyError, ValueError, OverflowError):
        return default
