"""Giving money back, once for each order: for what was charged and cannot be had.

Source: docs.stripe.com/api/refunds and docs.stripe.com/api/idempotent_requests.
"""

import secrets

import stripe

from .orders import Order
from .payments import PaymentsUnavailable

BACK_ALREADY = "charge_already_refunded"


class Refunds:
    """Gives back what orders were charged.

    Args:
        client: Stripe's own, without retries of its own.
    """

    def __init__(self, client: stripe.StripeClient) -> None:
        self._api = client.v1.refunds

    def give_back(self, order: Order) -> None:
        """Give back what an order was charged; repeated it gives back nothing more.

        Raises:
            PaymentsUnavailable: it is not known yet whether it was given back.
        """
        key = f"refund:{order.order_id}"
        try:
            try:
                self._refund(order, key)
            except stripe.APIError:
                # Stripe repeats that answer under this key for a day, whether it gave
                # the money back or not; and more than there is it never gives back.
                self._refund(order, f"{key}:{secrets.token_hex(8)}")
        except stripe.StripeError as error:
            # Stripe forgets keys after a day, and not what it gave back.
            if error.code != BACK_ALREADY:
                raise PaymentsUnavailable(str(error)) from error

    def _refund(self, order: Order, idempotency_key: str) -> None:
        self._api.create(
            {
                "payment_intent": order.payment_intent_id or "",
                "metadata": {"order_id": order.order_id},
            },
            {"idempotency_key": idempotency_key},
        )
