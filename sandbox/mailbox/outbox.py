"""What the local AWS sent: the outboxes of SES and of SNS, read as received mail."""

from __future__ import annotations

import hashlib
import http.client
import json
import threading
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any
from urllib.parse import urlsplit

from .store import Mail

LETTERS = "/_ministack/ses/messages"
TEXTS = "/_ministack/sns/sms-messages"
TIMEOUT_SECONDS = 10


class OutboxUnreachableError(Exception):
    """The local AWS did not answer; the message says what to look at."""


class Outbox:
    """The letters and text messages that MiniStack keeps instead of sending them.

    Args:
        url: of MiniStack, such as http://127.0.0.1:8300.
    """

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url).netloc
        self._lock = threading.Lock()
        self._thrown_away: set[int] = set()
        self._first_seen: dict[int, str] = {}

    def newest(self, recipient: str = "", limit: int = -1) -> list[Mail]:
        """Return what was sent, newest first.

        Args:
            recipient: only this address or number, in any case; everybody when empty.
            limit: how many at most; -1 for all.

        Raises:
            OutboxUnreachableError: MiniStack does not answer.
        """
        found = [
            mail
            for mail in self._everything()
            if recipient.lower() in ("", mail.recipient.lower())
        ]
        found.reverse()  # of those of the same millisecond the last one comes first
        found.sort(key=lambda mail: mail.received_at, reverse=True)
        return found if limit < 0 else found[:limit]

    def find(self, mail_id: int) -> Mail | None:
        """Return one message, or `None` when there is no such."""
        return next((mail for mail in self.newest() if mail.id == mail_id), None)

    def clear(self) -> None:
        """Show nothing of what was sent so far; MiniStack itself keeps it."""
        self._thrown_away |= {mail.id for mail in self.newest()}

    def _everything(self) -> list[Mail]:
        accounts = self._read(LETTERS)["messages"].values()
        letters = [letter for sent in accounts for letter in sent]
        texts = [
            text for sent in self._read(TEXTS)["sms_messages"].values() for text in sent
        ]
        mails = [mail for letter in letters for mail in _mails_of(letter)]
        mails += [self._mail_of(text) for text in texts]
        return [mail for mail in mails if mail.id not in self._thrown_away]

    def _mail_of(self, text: dict[str, Any]) -> Mail:
        """Return a text message as mail; SNS does not say when it was sent."""
        number = text["PhoneNumber"]
        mail_id = _number_of(text["MessageId"], number)
        with self._lock:
            seen = self._first_seen.setdefault(
                mail_id, _written(datetime.now(timezone.utc))
            )
        sender = "SMS"
        headers = {"Message-ID": text["MessageId"], "To": number}
        subject = text.get("Subject") or ""
        return Mail(mail_id, number, sender, subject, text["Message"], headers, seen)

    def _read(self, path: str) -> Any:
        connection = http.client.HTTPConnection(self._address, timeout=TIMEOUT_SECONDS)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise OutboxUnreachableError(
                f"The local AWS at {self._address} does not show its outbox: {error}. "
                "Look whether the stage is running."
            ) from error
        finally:
            connection.close()


def _mails_of(letter: dict[str, Any]) -> Iterator[Mail]:
    """Return a letter once for each of its recipients."""
    sent_at = datetime.fromtimestamp(letter["Timestamp"], timezone.utc)
    headers = {
        "Message-ID": letter["MessageId"],
        "From": letter["Source"],
        "To": ", ".join(letter["To"]),
        "Subject": letter["Subject"],
    }
    text = letter["BodyText"] or letter["BodyHtml"] or ""
    for recipient in letter["To"] + letter["CC"] + letter["BCC"]:
        yield Mail(
            _number_of(letter["MessageId"], recipient),
            recipient,
            letter["Source"],
            letter["Subject"],
            text,
            headers,
            _written(sent_at),
        )


def _number_of(message_id: str, recipient: str) -> int:
    """Return a number that stays a message's own, and that a browser can hold."""
    digest = hashlib.sha256(f"{message_id} {recipient}".encode()).digest()
    return int.from_bytes(digest[:6], "big")


def _written(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
