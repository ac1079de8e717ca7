"""Telling the guest how an order ended: by e-mail, and by a text message if they can.

Each is noted when it is sent, so that an event that comes twice is told of once.
Neither can be called back, so the promise is at least one, and exactly one unless
killed inside the sending, or left without an answer.
"""

import contextlib
import logging
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from . import order_event
from .aws import ONCE, asked, client
from .consumer import Message
from .errors import Unavailable
from .letters import SUBJECTS, letter
from .logs import order_id as order_at_hand
from .notices import MAIL, TEXT, Notices
from .order_event import OrderEvent

log = logging.getLogger(__name__)


class Notifications:
    """Sends what guests are told.

    Args:
        notices: which of them were told of what.
        user_pool_id: the pool of their accounts.
        sender: the `From` of every letter.
    """

    def __init__(self, notices: Notices, user_pool_id: str, sender: str) -> None:
        self._notices = notices
        self._user_pool_id = user_pool_id
        self._sender = sender

    def tell(self, message: Message) -> None:
        """Tell a guest of an event, once in each way.

        Raises:
            Unavailable: it was not told now, or not in every way.
            msgspec.DecodeError: it is no message of ours.
        """
        event = order_event.read(message.body)
        order_at_hand.set(event.order_id)
        key = f"{event.order_id}#{event.event}"
        left = self._notices.take(key)
        if not left:
            log.info("told before", extra={"event": event.event})
            return
        try:
            account = self.account(event.account) if event.account else {}
            try:
                if MAIL in left:
                    self.mail(event, account.get("email"))
                    self._notices.told(key, MAIL)
            finally:
                # A letter that nobody takes is no reason to send no text.
                if TEXT in left:
                    self.text(event, account.get("phone_number"))
                    self._notices.told(key, TEXT)
        except Unavailable:
            with contextlib.suppress(Unavailable):
                self._notices.let_go(key)
            raise
        log.info("guest told", extra={"event": event.event})

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

    def mail(self, event: OrderEvent, address: str | None) -> None:
        """Send the letter, where there is an address.

        Raises:
            Unavailable: it was not sent now.
        """
        if address is None:
            return
        message = letter(
            order_id=event.order_id,
            event=event.event,
            email=address,
            name=event.name,
            quantity=event.quantity,
            amount=event.amount,
            currency=event.currency,
            delivery_address=event.delivery_address,
            delivery_date=event.delivery_date,
            message=event.message,
        )
        message["From"] = self._sender
        with asked("the mail service"):
            self._ses.send_raw_email(
                Source=self._sender,
                Destinations=[address],
                RawMessage={"Data": message.as_bytes()},
            )

    def text(self, event: OrderEvent, number: str | None) -> None:
        """Send the text message, where there is a number.

        Raises:
            Unavailable: it was not sent now.
        """
        if number is None:
            return
        subject = SUBJECTS[event.event]
        with asked("the text message service"):
            self._sns.publish(
                PhoneNumber=number, Message=f"{subject}: {event.name}. {event.message}"
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
