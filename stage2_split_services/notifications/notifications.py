"""Telling the guest by e-mail how an order ended.

A notification is written down when it is asked for, and sent afterwards. An e-mail
cannot be called back, so the promise is at least one, and exactly one unless killed
inside the sending.
"""

import logging
import smtplib
from email.message import EmailMessage
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from . import internal
from .database import Database, after, notifications, now
from .errors import Unavailable
from .letters import letter

log = logging.getLogger(__name__)

LEASE_SECONDS = 30.0
WAIT_AFTER_FAILURE_SECONDS = 5.0
# For a letter that the server does not want, since nobody has the address, say. Tried
# again every few seconds it would stand in the way of everybody else's.
WAIT_AFTER_REFUSAL_SECONDS = 3600.0
KEY = ("order_id", "event")
SAID = [
    notifications.c[name]
    for name in (*KEY, *internal.NotificationRequest.__struct_fields__)
]


class LetterRefused(Exception):
    """The mail server is there and does not want this one letter."""


class Mailer:
    """Sends e-mail over SMTP.

    Args:
        host: the server's name.
        port: the server's port.
        timeout_seconds: how long each exchange with it may take.
        sender: the `From` of every message.
    """

    def __init__(
        self, host: str, port: int, timeout_seconds: float, sender: str
    ) -> None:
        self.host, self.port, self.sender = host, port, sender
        self._timeout = timeout_seconds

    def send(self, message: EmailMessage) -> None:
        """Hand a message over.

        Raises:
            LetterRefused: the server refused it for good (5xx, RFC 5321 section 4.2.1).
            OSError: the server cannot be reached or did not take it now (smtplib's own
                errors are among these).
        """
        message["From"] = self.sender
        try:
            with smtplib.SMTP(self.host, self.port, timeout=self._timeout) as smtp:
                smtp.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            # Every letter has one recipient.
            if all(code >= 500 for code, _ in error.recipients.values()):
                raise LetterRefused(str(error)) from error
            raise
        except smtplib.SMTPDataError as error:
            if error.smtp_code >= 500:
                raise LetterRefused(str(error)) from error
            raise


class Notifications:
    """The notifications of a database."""

    def __init__(self, database: Database, mailer: Mailer) -> None:
        self._database = database
        self._mailer = mailer

    def announce(
        self, order_id: str, event: str, said: internal.NotificationRequest
    ) -> None:
        """Write down that a guest must be told, once for each event of an order."""
        values = msgspec.structs.asdict(said)
        written = (
            insert(notifications)
            .values(order_id=order_id, event=event, leased_until=now(), **values)
            .on_conflict_do_nothing()
        )
        with self._database.statement() as tx:
            tx.execute(written)

    def send_next(self) -> bool:
        """Send the notification that has waited longest.

        Returns:
            Whether to go on with the next: False when there is nothing due, or when the
            mail server is away. What is not sent is tried again.
        """
        due = self._lease()
        if due is None:
            return False
        key = {name: due[name] for name in KEY}
        try:
            self._mailer.send(letter(**due))
        except LetterRefused as error:
            log.warning("mail refused", extra=key | {"reason": str(error)})
            self._note(key, leased_until=after(WAIT_AFTER_REFUSAL_SECONDS))
            return True
        except OSError as error:
            log.warning("mail not sent", extra=key | {"reason": str(error)})
            self._note(key, leased_until=after(WAIT_AFTER_FAILURE_SECONDS))
            return False
        self._note(key, sent_at=now())
        return True

    def _lease(self) -> dict[str, Any] | None:
        """Take a notification, so that no two processes send it at once."""
        longest = (
            sa.select(*(notifications.c[name] for name in KEY))
            .where(notifications.c.sent_at.is_(None))
            .where(notifications.c.leased_until < now())
            .order_by(notifications.c.leased_until)
            .limit(1)
            .with_for_update(skip_locked=True)
            .cte("longest")
        )
        leased = (
            sa.update(notifications)
            .where(*(notifications.c[name] == longest.c[name] for name in KEY))
            .values(leased_until=after(LEASE_SECONDS))
            .returning(*SAID)
        )
        with self._database.statement() as tx:
            row = tx.execute(leased).one_or_none()
        return dict(row._mapping) if row else None

    def _note(self, key: dict[str, str], **values: Any) -> None:
        noted = (
            sa.update(notifications)
            .where(notifications.c.order_id == key["order_id"])
            .where(notifications.c.event == key["event"])
            .values(**values)
        )
        try:
            with self._database.statement() as tx:
                tx.execute(noted)
        except Unavailable:
            # The lease runs out by itself, and the mail is sent once more.
            log.warning("notification not noted", extra=key)
