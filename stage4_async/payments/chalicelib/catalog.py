"""The catalogue, as another service: stock for an order."""

import logging
from http import HTTPStatus
from typing import Literal

import msgspec

from . import wire
from .calls import Answer, Callee
from .errors import Unavailable
from .orders import Order

log = logging.getLogger(__name__)


class ReservationRequest(wire.Body):
    """What an order needs of the stock."""

    product_id: str
    quantity: int


class Reservation(wire.Body, forbid_unknown_fields=False):
    """What became of a reservation."""

    state: Literal["held", "refused"]


class Catalog:
    """Asks the catalogue.

    Args:
        callee: where it is.
    """

    def __init__(self, callee: Callee) -> None:
        self._callee = callee

    def hold(self, order: Order) -> bool:
        """Set stock aside for an order; asking again brings the same answer.

        Raises:
            Unavailable: it is not known whether the stock is held.
        """
        wanted = ReservationRequest(
            product_id=order.product_id, quantity=order.quantity
        )
        answer = self._ask("PUT", f"/internal/reservations/{order.order_id}", wanted)
        return answer.read(Reservation).state == "held"

    def release(self, order_id: str) -> None:
        """Give back what is held for an order, now and for ever; harmless to repeat.

        Raises:
            Unavailable: it is not known whether the stock was given back.
        """
        self._ask("DELETE", f"/internal/reservations/{order_id}")

    def _ask(
        self, method: str, path: str, body: msgspec.Struct | None = None
    ) -> Answer:
        answer = self._callee.call(method, path, body=body)
        if answer.status >= HTTPStatus.BAD_REQUEST:
            # A no to a service is a mistake of ours, which the guest cannot mend.
            log.error("catalog refused", extra={"told": answer.content.decode()[:500]})
            raise Unavailable("We cannot reach our catalogue now. Try again later.")
        return answer
