"""Telling the guest by e-mail how an order ended.

A notification is written in the transaction that ends the order, and sent afterwards:
in the same call where that works, by the sweep where it does not. An e-mail cannot be
called back, so the promise is at least one, and exactly one unless killed inside the
sending.
"""

import logging
import smtplib
from email.message import EmailMessage
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from .database import Database, accounts, after, notifications, now, orders
from .errors import Unavailable
from .letters import letter
from .orders import Status

log = logging.getLogger(__name__)

LEASE_SECONDS = 30.0
WAIT_AFTER_FAILURE_SECONDS = 5.0
# For a letter that the server does not want, since nobody has the address, say. Tried
# again every few seconds it would stand in the way of everybody else's.
WAIT_AFTER_REFUSAL_SECONDS = 3600.0


def announce(tx: sa.Connection, order_id: str, status: Status) -> None:
    """Write down that the guest must be told of the end of an order.

    Args:
        tx: the transaction that ends the order.
        order_id: of which order.
        status: how it ended.
    """
    tx.execute(
        insert(notifications)
        .values(order_id=order_id, event=f"order-{status.value}", leased_until=now())
        .on_conflict_do_nothing()
    )


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

    def send(self, order_id: str) -> bool:
        """Send what an order's guest must be told, unless it was sent.

        Returns:
            False when there is nothing due, or the mail server is away. What is not
            sent is tried again; an order never fails for its mail.
        """
        return self._send(notifications.c.order_id == order_id)

    def send_next(self) -> bool:
        """Send the notification that has waited longest, whichever it is.

        Returns:
            Whether to go on with the next, as `send` tells it.
        """
        longest = (
            sa.select(notifications.c.order_id)
            .where(notifications.c.sent_at.is_(None))
            .where(notifications.c.leased_until < now())
            .order_by(notifications.c.leased_until)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        return self._send(notifications.c.order_id == longest.scalar_subquery())

    def _send(self, which: sa.ColumnElement[bool]) -> bool:
        due = self._lease(which)
        if due is None:
            return False
        key = {"order_id": due["order_id"], "event": due["event"]}
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

    def _lease(self, which: sa.ColumnElement[bool]) -> dict[str, Any] | None:
        """Take a notification, so that no two processes send it at once."""
        leased = (
            sa.update(notifications)
            .where(which, notifications.c.sent_at.is_(None))
            .where(notifications.c.leased_until < now())
            .where(orders.c.order_id == notifications.c.order_id)
            .where(accounts.c.guest_id == orders.c.guest_id)
            .values(leased_until=after(LEASE_SECONDS))
            .returning(
                notifications.c.order_id,
                notifications.c.event,
                accounts.c.email,
                orders.c.name,
                orders.c.quantity,
                orders.c.amount,
                orders.c.currency,
                orders.c.delivery_address,
                orders.c.delivery_date,
                orders.c.message,
            )
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
