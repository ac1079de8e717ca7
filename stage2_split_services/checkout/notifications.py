"""Notifications, as another service: have a guest told how an order ended."""

import datetime as dt
import logging
from http import HTTPStatus

from . import wire
from .calls import Callee, as_service
from .errors import Unavailable
from .order_store import Ended

log = logging.getLogger(__name__)


class NotificationRequest(wire.Body):
    """What to tell, and whom; `amount` in cents for all of it."""

    email: str
    name: str
    quantity: int
    amount: int
    currency: str
    delivery_address: str
    delivery_date: dt.date
    message: str


class Notifications:
    """Asks for notifications.

    Args:
        callee: where they are made.
        key: our secret.
    """

    def __init__(self, callee: Callee, key: str) -> None:
        self._callee = callee
        self._key = key

    def send(self, ended: Ended) -> None:
        """Have the guest told of the end of an order; asking again changes nothing.

        It is asked once only: the guest waits, and the sweep asks again.

        Raises:
            Unavailable: it is not known whether they will be told.
        """
        order = ended.order
        said = {
            name: getattr(order, name)
            for name in NotificationRequest.__struct_fields__
            if name != "email"
        }
        answer = self._callee.call(
            "PUT",
            f"/v1/internal/notifications/{order.order_id}/order-{order.status.value}",
            headers=as_service("checkout", "notifications", self._key),
            body=NotificationRequest(email=ended.guest_email, **said),
            tries=1,
        )
        if answer.status >= HTTPStatus.BAD_REQUEST:
            log.error(
                "notifications refused", extra={"told": answer.content.decode()[:500]}
            )
            raise Unavailable("Nobody could be told of this order now.")
