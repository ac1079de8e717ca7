"""The idempotency key has a number that rises on every failure, a timeout included."""

from types import ModuleType
from typing import Any

PROBE = "lost_answers"
CAUGHT_AS = "charged twice"


def plant(payments: ModuleType) -> None:
    """Take every failure for a no."""

    def charge(self: Any, order: Any) -> None:
        key = f"order:{order.order_id}:attempt:{order.payment_attempt}"
        try:
            self._api.create(
                {
                    "amount": order.amount,
                    "currency": order.currency,
                    "payment_method": order.payment_method,
                    "automatic_payment_methods": {
                        "enabled": True,
                        "allow_redirects": "never",
                    },
                    "confirm": True,
                    "metadata": {"order_id": order.order_id},
                },
                {"idempotency_key": key},
            )
        except payments.stripe.CardError as error:
            raise payments.Declined(str(error)) from error
        except payments.stripe.StripeError as error:
            self._intents.raise_attempt(order.order_id, order.payment_attempt)
            raise payments.PaymentsUnavailable(str(error)) from error

    payments.Payments.charge = charge


PATCHES = dict.fromkeys(
    ("concierge.payments", "checkout.payments", "payments.payments"), plant
)
