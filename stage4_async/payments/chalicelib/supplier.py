"""Who really has the table or the room: another company, over HTTP.

Held first, charged then, confirmed at last: a guest is never charged for a place that
is full, and no place waits in vain for a guest whose card was declined. Each is asked
for under the order's id, so it may be asked for again. There is one try here: the queue
has the others.
"""

import logging
from http import HTTPStatus

import msgspec
import requests

from .errors import Unavailable
from .orders import Order

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 2.0


class Told(msgspec.Struct):
    """What a supplier says of a booking."""

    state: str


class Supplier:
    """Asks the suppliers.

    Args:
        url: of their API; None where there is none, and then every place is free.
    """

    def __init__(self, url: str | None) -> None:
        self._url = url.rstrip("/") if url else None
        self._session = requests.Session()
        self._session.trust_env = False

    def hold(self, order: Order) -> bool:
        """Have a place held for an order; asking again brings the same answer.

        Raises:
            Unavailable: it is not known whether it is held.
        """
        wish = {
            "item": order.product_id,
            "quantity": order.quantity,
            "date": order.delivery_date.isoformat(),
        }
        return self._ask("PUT", order.order_id, wish) in {"held", "confirmed"}

    def confirm(self, order_id: str) -> bool:
        """Confirm what is held; False when it is held no more.

        Raises:
            Unavailable: it is not known whether it is confirmed.
        """
        return self._ask("PUT", f"{order_id}/confirmation") == "confirmed"

    def release(self, order_id: str) -> None:
        """Let go of what is held for an order, now and for ever; harmless to repeat.

        Raises:
            Unavailable: it is not known whether it was let go.
        """
        self._ask("DELETE", order_id)

    def _ask(
        self, method: str, path: str, body: dict[str, object] | None = None
    ) -> str:
        if self._url is None:
            return "confirmed"
        url = f"{self._url}/bookings/{path}"
        try:
            got = self._session.request(
                method, url, json=body, timeout=TIMEOUT_SECONDS, allow_redirects=False
            )
            if got.status_code not in (HTTPStatus.OK, HTTPStatus.CONFLICT):
                raise Unavailable(f"The supplier answered {got.status_code}.")
            return msgspec.json.decode(got.content, type=Told).state
        except (requests.RequestException, msgspec.DecodeError) as error:
            log.warning("supplier away", extra={"reason": str(error)})
            raise Unavailable("The supplier does not answer now.") from error
