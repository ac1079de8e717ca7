"""One call creates and confirms the payment: no key, nothing stored on the order."""

from types import ModuleType
from typing import Any

PROBE = "lost_answers"
CAUGHT_AS = "charged twice"


def plant(payments: ModuleType) -> None:
    """Charge as the first example in many a tutorial does."""

    def charge(self: Any, order: Any) -> None:
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
                }
            )
        except payments.stripe.CardError as error:
            raise payments.Declined(str(error)) from error
        except payments.stripe.StripeError as error:
            raise payments.PaymentsUnavailable(str(error)) from error

    payments.Payments.charge = charge


PATCHES = dict.fromkeys(
    ("concierge.payments", "checkout.payments", "payments.payments"), plant
)
