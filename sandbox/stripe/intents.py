"""The life of a PaymentIntent, as pure functions: no clock, no storage, no HTTP.

    requires_payment_method -> requires_confirmation -> succeeded
                                                     -> requires_action
    a declined card goes back to requires_payment_method; anything that has not
    succeeded can be canceled; succeeded and canceled are final.

Source: docs.stripe.com/payments/paymentintents/lifecycle.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from .cards import AUTHENTICATION_REQUIRED, CARDS, Card, Decline

Status = Literal[
    "requires_payment_method",
    "requires_confirmation",
    "requires_action",
    "succeeded",
    "canceled",
]

CANCELABLE: tuple[Status, ...] = (
    "requires_payment_method",
    "requires_confirmation",
    "requires_action",
)


class PaymentMethod(msgspec.Struct, frozen=True, kw_only=True):
    """A use of a test card. `created` is in seconds since 1970."""

    id: str
    created: int
    card_name: str

    @property
    def card(self) -> Card:
        """The test card behind it."""
        return CARDS[self.card_name]


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """The last refused attempt to pay."""

    code: str
    decline_code: str
    message: str
    charge: str
    method: PaymentMethod


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """One purchase to be paid at most once. `amount` is in cents."""

    id: str
    client_secret: str
    created: int
    amount: int
    currency: str
    status: Status
    method: PaymentMethod | None = None
    metadata: Mapping[str, str] = {}
    description: str | None = None
    receipt_email: str | None = None
    method_types: tuple[str, ...] = ("card",)
    automatic_methods: bool = True
    allow_redirects: Literal["always", "never"] = "always"
    amount_received: int = 0
    latest_charge: str | None = None
    failure: Failure | None = None
    redirect_url: str | None = None
    canceled_at: int | None = None
    cancellation_reason: str | None = None


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt to take money. `amount` and `amount_refunded` are in cents."""

    id: str
    created: int
    amount: int
    currency: str
    intent: str
    method: PaymentMethod
    failure: Failure | None = None
    amount_refunded: int = 0
    metadata: Mapping[str, str] = {}
    description: str | None = None
    receipt_email: str | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the money was taken."""
        return self.failure is None


class Confirmation(msgspec.Struct, frozen=True):
    """What confirming did: the intent after it, and the charge if one was tried."""

    intent: Intent
    charge: Charge | None


class UnexpectedStateError(Exception):
    """The intent's status does not allow what was asked."""


def begin(intent: Intent, method: PaymentMethod | None) -> Intent:
    """Return a new intent, in the status that its payment method gives it."""
    status: Status = "requires_confirmation" if method else "requires_payment_method"
    return msgspec.structs.replace(intent, method=method, status=status)


def confirm(
    intent: Intent,
    *,
    charge_id: str,
    now: int,
    method: PaymentMethod | None = None,
    customer_is_away: bool = False,
    return_url: str | None = None,
) -> Confirmation:
    """Try to pay an intent.

    Arguments:
        charge_id: the id that a charge gets, if one is made.
        now: seconds since 1970.
        method: replaces the intent's own payment method.
        customer_is_away: nobody can authenticate, so a card that asks for it is
            declined (`off_session`, `error_on_requires_action`).
        return_url: where authentication would send the customer afterwards.

    Raises:
        UnexpectedStateError: it has succeeded, is canceled or has no payment method.
    """
    method = method or intent.method
    if intent.status == "succeeded":
        raise UnexpectedStateError(
            "You cannot confirm this PaymentIntent because it has already succeeded "
            "after being previously confirmed. Retrieve it instead."
        )
    if intent.status == "canceled":
        raise UnexpectedStateError(
            "You cannot confirm this PaymentIntent because it has a status of "
            "canceled. Create another one."
        )
    if method is None:
        raise UnexpectedStateError(
            "You cannot confirm this PaymentIntent because it's missing a payment "
            "method. Confirm it with a payment_method."
        )
    intent = msgspec.structs.replace(
        intent, method=method, failure=None, redirect_url=None
    )
    if method.card.decline:
        return _decline(intent, method, method.card.decline, charge_id, now)
    if method.card.needs_authentication:
        if customer_is_away:
            return _decline(intent, method, AUTHENTICATION_REQUIRED, charge_id, now)
        return _ask_customer(intent, return_url)
    charge = _charge(intent, method, charge_id, now, failure=None)
    paid = msgspec.structs.replace(
        intent,
        status="succeeded",
        amount_received=intent.amount,
        latest_charge=charge.id,
    )
    return Confirmation(paid, charge)


def cancel(intent: Intent, *, reason: str | None, now: int) -> Intent:
    """Give an intent up, so that it can never be paid.

    Raises:
        UnexpectedStateError: it has succeeded or is canceled already.
    """
    if intent.status not in CANCELABLE:
        raise UnexpectedStateError(
            "You cannot cancel this PaymentIntent because it has a status of "
            f"{intent.status}. Only a PaymentIntent with one of the following "
            f"statuses may be canceled: {', '.join(CANCELABLE)}."
        )
    return msgspec.structs.replace(
        intent,
        status="canceled",
        canceled_at=now,
        cancellation_reason=reason,
        redirect_url=None,
    )


def _ask_customer(intent: Intent, return_url: str | None) -> Confirmation:
    waiting = msgspec.structs.replace(
        intent, status="requires_action", redirect_url=return_url
    )
    return Confirmation(waiting, None)


def _decline(
    intent: Intent, method: PaymentMethod, why: Decline, charge_id: str, now: int
) -> Confirmation:
    failure = Failure(
        code=why.code,
        decline_code=why.decline_code,
        message=why.message,
        charge=charge_id,
        method=method,
    )
    refused = msgspec.structs.replace(
        intent,
        status="requires_payment_method",
        method=None,
        failure=failure,
        latest_charge=charge_id,
    )
    return Confirmation(refused, _charge(intent, method, charge_id, now, failure))


def _charge(
    intent: Intent,
    method: PaymentMethod,
    charge_id: str,
    now: int,
    failure: Failure | None,
) -> Charge:
    return Charge(
        id=charge_id,
        created=now,
        amount=intent.amount,
        currency=intent.currency,
        intent=intent.id,
        method=method,
        failure=failure,
        metadata=intent.metadata,
        description=intent.description,
        receipt_email=intent.receipt_email,
    )
