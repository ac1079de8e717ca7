"""Idempotency keys: the first answer to a key is the only one.

Source: docs.stripe.com/api/idempotent_requests and docs.stripe.com/error-low-level.
An answer is kept once the endpoint has begun to execute, whatever it is: a decline
and a 500 are replayed too. Refused before that (401, 429, invalid parameters, a
concurrent use), nothing is kept and the key is still free.
"""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from .errors import (
    Answer,
    idempotency_in_use,
    idempotency_mismatch,
    parameter_invalid,
)
from .ledger import Book, SavedAnswer

KEY_LENGTH = 255


def fingerprint(method: str, path: str, encoded: str) -> str:
    """Return what must be the same when a key is used again.

    Arguments:
        encoded: the form as it came; the order of its fields does not matter.
    """
    fields = "&".join(sorted(encoded.split("&")))
    return hashlib.sha256(f"{method} {path}\n{fields}".encode()).hexdigest()


def check(key: str) -> None:
    """Refuse a key that is too long."""
    if len(key) > KEY_LENGTH:
        raise parameter_invalid(
            "Idempotency-Key", f"Idempotency keys have at most {KEY_LENGTH} characters."
        )


def replay(book: Book, key: str, wanted: str) -> Answer | None:
    """Return the first answer to a key, or None if this is the first use.

    Raises:
        StripeError: `idempotency_error`, the key belongs to another request.
    """
    saved = book.saved_answer(key)
    if saved is None:
        return None
    if saved.fingerprint != wanted:
        raise idempotency_mismatch(key)
    headers = {"Idempotent-Replayed": "true", "Original-Request": saved.request_id}
    return Answer(saved.answer.status, saved.answer.body, headers)


def keep(book: Book, key: str, wanted: str, answer: Answer, request_id: str) -> None:
    """Keep the first answer to a key, in the transaction of its effect."""
    book.save_answer(key, SavedAnswer(wanted, answer, request_id))


class InProgress:
    """The keys whose first request is being executed now.

    They are kept in memory: a process that dies executes nothing any more.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: set[str] = set()

    @contextmanager
    def claim(self, key: str | None) -> Iterator[None]:
        """Hold a key while its request is executed.

        Raises:
            StripeError: `idempotency_key_in_use`, someone else holds it.
        """
        if key is None:
            yield
            return
        with self._lock:
            if key in self._keys:
                raise idempotency_in_use(key)
            self._keys.add(key)
        try:
            yield
        finally:
            with self._lock:
                self._keys.discard(key)
