"""Stripe's rate limit: requests a second, with a second's worth of burst.

Source: docs.stripe.com/rate-limits (25 a second in a sandbox, 100 live).
"""

import threading
import time


class RateLimit:
    """A token bucket.

    Arguments:
        per_second: requests a second that pass; None switches the limit off.
    """

    def __init__(self, per_second: float | None = None) -> None:
        self._lock = threading.Lock()
        self.set(per_second)

    def set(self, per_second: float | None) -> None:
        """Change the rate, and start with a full bucket."""
        with self._lock:
            self.per_second = per_second
            self._tokens = max(1.0, per_second or 0.0)
            self._filled_at = time.monotonic()

    def allows(self) -> bool:
        """Take one request's token; tell whether there was one."""
        with self._lock:
            if self.per_second is None:
                return True
            now = time.monotonic()
            self._tokens += (now - self._filled_at) * self.per_second
            self._tokens = min(self._tokens, max(1.0, self.per_second))
            self._filled_at = now
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True
