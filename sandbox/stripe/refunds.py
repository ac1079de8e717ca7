"""The rules of a refund, as pure functions.

Source: docs.stripe.com/api/refunds.
"""

from collections.abc import Mapping

import msgspec

from .errors import StripeError
from .intents import Charge

REASONS = ("duplicate", "fraudulent", "requested_by_customer")


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    """Money given back. `amount` is in cents."""

    id: str
    created: int
    amount: int
    currency: str
    charge: str
    intent: str
    reason: str | None = None
    metadata: Mapping[str, str] = {}


def amount_to_refund(charge: Charge, wanted: int | None) -> int:
    """Return how many cents to give back: what was asked, or all that is left.

    Raises:
        StripeError: nothing was taken, all was given back, or too much is asked.
    """
    if not charge.succeeded:
        raise StripeError(
            400,
            f"Charge {charge.id} was not successful, so there is nothing to refund.",
            code="charge_not_refundable",
            executed=True,
        )
    left = charge.amount - charge.amount_refunded
    if left == 0:
        raise StripeError(
            400,
            f"Charge {charge.id} has already been refunded.",
            code="charge_already_refunded",
            executed=True,
        )
    if wanted is not None and wanted > left:
        raise StripeError(
            400,
            f"Refund amount ({wanted} cents) is greater than the unrefunded amount "
            f"on the charge ({left} cents).",
            param="amount",
            executed=True,
        )
    return left if wanted is None else wanted
