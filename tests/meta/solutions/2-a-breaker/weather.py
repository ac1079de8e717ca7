"""Asks another team's service what the weather is, for tables on a terrace."""

import threading
import time

import urllib3


class Unavailable(Exception):
    """There is no answer now; the guest is told so at once."""


class Weather:
    """Asks the service, and leaves it in peace when it is ill."""

    def __init__(
        self, url: str, patience: float = 1.0, failures: int = 3, rest: float = 5.0
    ) -> None:
        self._connections = urllib3.connection_from_url(
            url, maxsize=16, timeout=patience, retries=False
        )
        self._most, self._rest = failures, rest
        self._lock = threading.Lock()
        self._failed, self._closed_until = 0, 0.0

    def of(self, city: str) -> str:
        """Tell the weather of a city."""
        self._admit()
        try:
            answer = self._connections.request("GET", f"/weather/{city}")
        except urllib3.exceptions.HTTPError as error:
            self._failure()
            raise Unavailable(str(error)) from error
        if answer.status >= 500:
            self._failure()
            raise Unavailable(f"It answered {answer.status}.")
        with self._lock:
            self._failed = 0
        return "unknown" if answer.status == 404 else answer.data.decode()

    def _admit(self) -> None:
        with self._lock:
            if self._failed < self._most:
                return
            if time.monotonic() < self._closed_until:
                raise Unavailable("It is left in peace.")
            # This call finds out; until it knows, the others are refused.
            self._closed_until = time.monotonic() + self._rest

    def _failure(self) -> None:
        with self._lock:
            self._failed += 1
            self._closed_until = time.monotonic() + self._rest
