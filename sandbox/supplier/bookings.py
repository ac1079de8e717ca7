"""Bookings in a SQLite file: held for a while, then confirmed, or free again."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

HOLD_SECONDS = 1800.0
HELD, REFUSED, CONFIRMED, RELEASED, LAPSED = (
    "held",
    "refused",
    "confirmed",
    "released",
    "lapsed",
)


@dataclass(frozen=True)
class Booking:
    """A booking.

    Attributes:
        reference: by which who books knows it.
        item: what is booked.
        quantity: how many.
        date: for when, ISO 8601.
        state: `held`, `refused`, `confirmed`, `released` or `lapsed`.
    """

    reference: str
    item: str
    quantity: int
    date: str
    state: str


class Bookings:
    """The bookings of a file.

    Args:
        path: of the file.
        hold_seconds: how long a booking is held for who does not confirm it.
    """

    def __init__(self, path: Path, hold_seconds: float = HOLD_SECONDS) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.hold_seconds = hold_seconds
        self._lock = threading.Lock()
        self._file = sqlite3.connect(path, check_same_thread=False)
        self._file.execute(
            "CREATE TABLE IF NOT EXISTS bookings (reference TEXT PRIMARY KEY, "
            "item TEXT, quantity INTEGER, date TEXT, state TEXT, held_at REAL)"
        )

    def hold(
        self, reference: str, item: str, quantity: int, date: str, full: Collection[str]
    ) -> str:
        """Hold something, or refuse; the first answer to a reference stays.

        Args:
            reference: of who books.
            item: what is wanted.
            quantity: how many.
            date: for when.
            full: the items of which nothing is free.

        Returns:
            The booking's state.
        """
        state = REFUSED if item in full else HELD
        with self._lock, self._file:
            self._file.execute(
                "INSERT INTO bookings VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (reference, item, quantity, date, state, time.time()),
            )
            return self._state(reference) or state

    def confirm(self, reference: str) -> str | None:
        """Confirm what is held, once or again.

        Returns:
            The booking's state, None when there is no such booking.
        """
        with self._lock, self._file:
            if self._state(reference) == HELD:
                self._set(reference, CONFIRMED)
            return self._state(reference)

    def release(self, reference: str) -> None:
        """Let go of a booking, in whatever state it is; it can never be held again."""
        with self._lock, self._file:
            self._file.execute(
                "INSERT INTO bookings VALUES (?, '', 0, '', ?, 0) "
                "ON CONFLICT DO UPDATE SET state = excluded.state "
                "WHERE state IN ('held', 'confirmed')",
                (reference, RELEASED),
            )

    def every(self) -> list[Booking]:
        """Return all bookings."""
        with self._lock, self._file:
            rows = self._file.execute(
                "SELECT reference, item, quantity, date FROM bookings"
            ).fetchall()
            return [
                Booking(reference, item, quantity, date, str(self._state(reference)))
                for reference, item, quantity, date in rows
            ]

    def _state(self, reference: str) -> str | None:
        row = self._file.execute(
            "SELECT state, held_at FROM bookings WHERE reference = ?", (reference,)
        ).fetchone()
        if row is None:
            return None
        state, held_at = row
        if state == HELD and time.time() - held_at > self.hold_seconds:
            state = LAPSED
            self._set(reference, state)
        return str(state)

    def _set(self, reference: str, state: str) -> None:
        self._file.execute(
            "UPDATE bookings SET state = ? WHERE reference = ?", (state, reference)
        )
