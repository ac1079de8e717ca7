"""Telling the guest how an order ended: by e-mail, and by a text message if they can.

Both are sent in the call that ends the order, and what could not be sent by the sweep.
Each is a note of its own on the order, taken away when it is sent. Neither can be
called back, so the promise is at least one, and exactly one unless killed inside the
sending, or left without an answer.
"""

import datetime as dt
import logging
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError

from .aws import ONCE, asked, client
from .errors import Unavailable
from .letters import SUBJECTS, letter
from .order_store import Ended

log = logging.getLogger(__name__)

# SES takes no letter for this address, or none from ours. Tried again every minute it
# would stand in the way of everybody else's; after some days nobody will mend it.
REFUSED = "MessageRejected"
WAIT_AFTER_REFUSAL_SECONDS = 3600
LONGEST_REFUSED = dt.timedelta(days=4)


class Notifications:
    """Sends what guests are told.

    Args:
        user_pool_id: the pool of their accounts.
        sender: the `From` of every letter.
    """

    def __init__(self, user_pool_id: str, sender: str) -> None:
        self._user_pool_id = user_pool_id
        self._sender = sender

    def of(self, ended: Ended) -> "Notice":
        """Prepare what to tell of an order that has ended."""
        return Notice(self, ended)

    def account(self, name: str) -> Mapping[str, str]:
        """Read what the user pool knows of a guest; nothing of one who has left.

        Raises:
            Unavailable: the user pool is away.
        """
        # Who came by Facebook has another user name than this, and AdminGetUser wants
        # the name; every account can be found by its `sub`.
        with asked("the guests' accounts"):
            found = self._cognito.list_users(
                UserPoolId=self._user_pool_id, Filter=f'sub = "{name}"'
            )["Users"]
        said = found[0]["Attributes"] if found else []
        known = {attribute["Name"]: attribute["Value"] for attribute in said}
        # Anybody may write a number down; whose it is, only a code has shown.
        if known.get("phone_number_verified") != "true":
            known.pop("phone_number", None)
        return known

    def mail(self, ended: Ended, address: str) -> None:
        """Send the letter about an order's end; for ever refused, it is given up.

        Raises:
            Unavailable: it was not sent now.
        """
        order = ended.order
        message = letter(
            order_id=order.order_id,
            event=f"order-{order.status.value}",
            email=address,
            name=order.name,
            quantity=order.quantity,
            amount=order.amount,
            currency=order.currency,
            delivery_address=order.delivery_address,
            delivery_date=order.delivery_date,
            message=order.message,
        )
        message["From"] = self._sender
        with asked("the mail service"):
            try:
                self._ses.send_raw_email(
                    Source=self._sender,
                    Destinations=[address],
                    RawMessage={"Data": message.as_bytes()},
                )
            except ClientError as error:
                if error.response["Error"]["Code"] != REFUSED:
                    raise
                about = {"order_id": order.order_id}
                now = dt.datetime.now(dt.timezone.utc)
                if now - order.updated_at > LONGEST_REFUSED:
                    log.error("mail given up", extra=about)
                    return
                log.error("mail refused", extra=about)
                raise Unavailable(
                    "The mail service does not take this letter.",
                    retry_after=WAIT_AFTER_REFUSAL_SECONDS,
                ) from error

    def text(self, ended: Ended, number: str) -> None:
        """Send the text message about an order's end.

        Raises:
            Unavailable: it was not sent now.
        """
        order = ended.order
        subject = SUBJECTS[f"order-{order.status.value}"]
        with asked("the text message service"):
            self._sns.publish(
                PhoneNumber=number, Message=f"{subject}: {order.name}. {order.message}"
            )

    # A client takes a tenth of a second to make: only what is used is made.
    @cached_property
    def _cognito(self) -> Any:
        return client("cognito-idp")

    @cached_property
    def _ses(self) -> Any:
        return client("ses", ONCE)

    @cached_property
    def _sns(self) -> Any:
        return client("sns", ONCE)


class Notice:
    """What a guest is told of one order; the guest's account is read once for all.

    Args:
        notifications: what sends it.
        ended: the order.
    """

    def __init__(self, notifications: Notifications, ended: Ended) -> None:
        self._notifications = notifications
        self._ended = ended

    def mail(self) -> None:
        """Send the letter, where there is an address, proven or brought from Facebook.

        Raises:
            Unavailable: it was not sent now.
        """
        if address := self._account.get("email"):
            self._notifications.mail(self._ended, address)

    def text(self) -> None:
        """Send the text message, where there is a number.

        Raises:
            Unavailable: it was not sent now.
        """
        if number := self._account.get("phone_number"):
            self._notifications.text(self._ended, number)

    @cached_property
    def _account(self) -> Mapping[str, str]:
        name = self._ended.account
        return self._notifications.account(name) if name else {}
