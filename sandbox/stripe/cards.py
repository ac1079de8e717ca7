"""Stripe's test payment methods, by name.

Source: docs.stripe.com/testing.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Decline:
    """Why a card is refused, with Stripe's error code and decline code."""

    code: str
    decline_code: str
    message: str


AUTHENTICATION_REQUIRED = Decline(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
)


@dataclass(frozen=True)
class Card:
    """A test card: what it looks like and what its bank answers."""

    brand: str
    last4: str
    decline: Decline | None = None
    needs_authentication: bool = False


CARDS = {
    "pm_card_visa": Card("visa", "4242"),
    "pm_card_mastercard": Card("mastercard", "4444"),
    "pm_card_visa_chargeDeclined": Card(
        "visa",
        "0002",
        Decline("card_declined", "generic_decline", "Your card was declined."),
    ),
    "pm_card_visa_chargeDeclinedInsufficientFunds": Card(
        "visa",
        "9995",
        Decline(
            "card_declined",
            "insufficient_funds",
            "Your card has insufficient funds.",
        ),
    ),
    "pm_card_authenticationRequired": Card("visa", "3184", needs_authentication=True),
}
