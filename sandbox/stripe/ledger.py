"""The durable record of everything that happened, in one SQLite file.

An effect and the answer kept for its idempotency key are written in one
transaction, so a process killed between the two has either both or neither.
"""

import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from .errors import Answer
from .intents import Charge, Intent, PaymentMethod
from .refunds import Refund

Record = Intent | Charge | Refund | PaymentMethod
R = TypeVar("R", Intent, Charge, Refund, PaymentMethod)

# Stripe may forget a key after a day (docs.stripe.com/api/idempotent_requests).
KEY_LIFETIME_SECONDS = 24 * 3600

SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    intent TEXT,
    charge TEXT,
    order_id TEXT,
    body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS records_by_kind ON records (kind, position);
CREATE INDEX IF NOT EXISTS records_by_intent ON records (intent, kind);
CREATE INDEX IF NOT EXISTS records_by_order ON records (order_id, kind);
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    status INTEGER NOT NULL,
    body BLOB NOT NULL,
    request_id TEXT NOT NULL,
    created REAL NOT NULL
);
"""


class SavedAnswer(msgspec.Struct, frozen=True):
    """The first answer to an idempotency key, and to which request it was."""

    fingerprint: str
    answer: Answer
    request_id: str


class Page(msgspec.Struct, frozen=True):
    """What to list: `limit` records, newest first, beside a known one."""

    limit: int = 10
    starting_after: str | None = None
    ending_before: str | None = None


class Book:
    """The ledger inside one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, kind: type[R], record_id: str) -> R | None:
        """Return the record with this id, or None."""
        row = self._connection.execute(
            "SELECT body FROM records WHERE id = ? AND kind = ?",
            (record_id, kind.__name__),
        ).fetchone()
        return msgspec.json.decode(row[0], type=kind) if row else None

    def put(self, record: Record, order_id: str | None = None) -> None:
        """Write a record, or its new state.

        Arguments:
            order_id: the order it belongs to, where its metadata does not say.
        """
        order_id = order_id or getattr(record, "metadata", {}).get("order_id")
        self._connection.execute(
            "INSERT INTO records (id, kind, intent, charge, order_id, body)"
            " VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET body = excluded.body",
            (
                record.id,
                type(record).__name__,
                getattr(record, "intent", None),
                getattr(record, "charge", None),
                order_id,
                msgspec.json.encode(record),
            ),
        )

    def page(
        self, kind: type[R], page: Page, only: Mapping[str, str] | None = None
    ) -> tuple[list[R], bool]:
        """Return one page of a kind, newest first, and whether there is more.

        Arguments:
            only: wanted values of `intent` or `charge`.
        """
        where, values = ["kind = ?"], [kind.__name__]
        for column, value in (only or {}).items():  # names from our own code
            where.append(f"{column} = ?")
            values.append(value)
        order = "DESC"
        cursor = page.starting_after or page.ending_before
        if cursor:
            order = "DESC" if page.starting_after else "ASC"
            sign = "<" if page.starting_after else ">"
            known = "(SELECT position FROM records WHERE id = ?)"
            where.append(f"position {sign} {known}")
            values.append(cursor)
        rows = self._connection.execute(
            f"SELECT body FROM records WHERE {' AND '.join(where)}"  # noqa: S608
            f" ORDER BY position {order} LIMIT {page.limit + 1}",
            values,
        ).fetchall()
        found = [msgspec.json.decode(body, type=kind) for (body,) in rows[: page.limit]]
        if order == "ASC":
            found.reverse()
        return found, len(rows) > page.limit

    def all(self, kind: type[R], order_id: str | None) -> list[tuple[str, R]]:
        """Return (order id, record) of a kind, oldest first, of one order or all."""
        columns = "SELECT coalesce(order_id, ''), body FROM records "
        if order_id is None:
            all_of = columns + "WHERE kind = ? ORDER BY position"
            rows = self._connection.execute(all_of, (kind.__name__,))
        else:  # a statement of its own, for which SQLite takes the index
            of_one = columns + "WHERE order_id = ? AND kind = ? ORDER BY position"
            rows = self._connection.execute(of_one, (order_id, kind.__name__))
        return [(order, msgspec.json.decode(body, type=kind)) for order, body in rows]

    def saved_answer(self, key: str) -> SavedAnswer | None:
        """Return the first answer to a key, unless it is a day old."""
        row = self._connection.execute(
            "SELECT fingerprint, status, body, request_id FROM answers"
            " WHERE key = ? AND created > ?",
            (key, time.time() - KEY_LIFETIME_SECONDS),
        ).fetchone()
        if row is None:
            return None
        fingerprint, status, body, request_id = row
        return SavedAnswer(fingerprint, Answer(status, body), request_id)

    def save_answer(self, key: str, saved: SavedAnswer) -> None:
        """Keep the first answer to a key."""
        self._connection.execute(
            "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?)",
            (
                key,
                saved.fingerprint,
                saved.answer.status,
                saved.answer.body,
                saved.request_id,
                time.time(),
            ),
        )


class Ledger:
    """The SQLite file; one transaction at a time.

    Arguments:
        path: where the file is, or is to be made with its folder.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(
            path, timeout=5, isolation_level=None, check_same_thread=False
        )
        self._connection.execute("PRAGMA journal_mode = WAL")
        # A commit is in the kernel's hands before it returns, which outlives
        # kill -9. FULL would add an fsync a commit, against a power cut only.
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[Book]:
        """Give the ledger to one caller: all of its writes happen, or none."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield Book(self._connection)
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def close(self) -> None:
        """Finish the transaction under way, then close the file."""
        with self._lock:
            self._connection.close()
