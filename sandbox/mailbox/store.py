"""The durable store of received mail: one SQLite file, one row for each recipient."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from .messages import read

SCHEMA = """
CREATE TABLE IF NOT EXISTS mail (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    recipient TEXT NOT NULL,
    sender TEXT NOT NULL,
    subject TEXT NOT NULL,
    text TEXT NOT NULL,
    headers TEXT NOT NULL,
    received_at TEXT NOT NULL,
    raw BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS mail_recipient ON mail (lower(recipient), id);
"""
COLUMNS = "id, recipient, sender, subject, text, headers, received_at"


@dataclass(frozen=True)
class Mail:
    """One message as one recipient got it; `received_at` is ISO 8601, UTC."""

    id: int
    recipient: str
    sender: str
    subject: str
    text: str
    headers: dict[str, str]
    received_at: str

    def as_json(self) -> dict[str, object]:
        """Return the message with the field names of the JSON list."""
        return {
            "id": self.id,
            "to": self.recipient,
            "from": self.sender,
            "subject": self.subject,
            "text": self.text,
            "headers": self.headers,
            "received_at": self.received_at,
        }


class MailStore:
    """Received mail. A call of `add` returns when the mail would survive `kill -9`."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, check_same_thread=False)
        # With a write-ahead log every commit is in the operating system's hands; that
        # is durable against the end of this process, and quick.
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(SCHEMA)

    def add(self, recipients: Iterable[str], sender: str, raw: bytes) -> None:
        """Store a message for every recipient, all or none.

        Args:
            recipients: the addresses of the envelope, not of the headers.
            sender: the envelope's sender; empty for a bounce.
            raw: the message as it came over SMTP.
        """
        content = read(raw)
        now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        rest = (
            sender,
            content.subject,
            content.text,
            json.dumps(content.headers),
            now.replace("+00:00", "Z"),
            raw,
        )
        with self._lock, self._connection:
            self._connection.executemany(
                "INSERT INTO mail (recipient, sender, subject, text, headers, "
                "received_at, raw) VALUES (?, ?, ?, ?, ?, ?, ?)",
                [(recipient, *rest) for recipient in recipients],
            )

    def newest(self, recipient: str = "", limit: int = -1) -> list[Mail]:
        """Return the mail, newest first.

        Args:
            recipient: only this address, in any case; everybody when empty.
            limit: how many at most; -1 for all.
        """
        return self._select(
            "WHERE (? = '' OR lower(recipient) = lower(?)) ORDER BY id DESC LIMIT ?",
            (recipient, recipient, limit),
        )

    def find(self, mail_id: int) -> Mail | None:
        """Return one message, or `None` when there is no such."""
        return next(iter(self._select("WHERE id = ?", (mail_id,))), None)

    def count(self) -> int:
        """Return how many messages there are."""
        with self._lock:
            row = self._connection.execute("SELECT count(*) FROM mail").fetchone()
        return int(row[0])

    def clear(self) -> None:
        """Throw all mail away."""
        with self._lock, self._connection:
            self._connection.execute("DELETE FROM mail")

    def _select(self, condition: str, values: tuple[object, ...]) -> list[Mail]:
        statement = f"SELECT {COLUMNS} FROM mail {condition}"  # noqa: S608 (our words)
        with self._lock:
            rows = self._connection.execute(statement, values).fetchall()
        return [
            Mail(mail_id, to, sender, subject, text, json.loads(headers), received_at)
            for mail_id, to, sender, subject, text, headers, received_at in rows
        ]
