"""Charging a card through Stripe, once for each order.

Create the PaymentIntent, store its id on the order, then confirm it. An intent can be
confirmed only once, and only the stored one ever is: a crash or a lost answer at any
point leaves an unconfirmed intent that nobody paid, or one whose state tells the truth.
Source: docs.stripe.com/payments/paymentintents/lifecycle and
docs.stripe.com/api/idempotent_requests.
"""

from typing import Any, Protocol

import stripe

from .orders import Order

UNKNOWN_CARD = (
    "This payment method does not exist. Nothing was charged; choose another one."
)
DECLINED = "Your card was declined. Nothing was charged; try another card."
REASONS = {
    "insufficient_funds": (
        "Your card has insufficient funds. Nothing was charged; try another card."
    ),
    "authentication_required": (
        "Your bank wants you to authenticate this payment, which we cannot do yet. "
        "Nothing was charged; try another card."
    ),
}


class PaymentsUnavailable(Exception):
    """Stripe gave no clear answer; the order stays as it is and is tried again."""


class Declined(Exception):
    """Stripe's clear no; nothing was charged, and the text says why to the guest."""


class Intents(Protocol):
    """What the order must remember of its payment."""

    def remember_intent(self, order_id: str, intent_id: str) -> str | None:
        """Store the intent if none is stored; the stored one, or None if given up."""

    def raise_attempt(self, order_id: str, attempt: int) -> None:
        """Count one more attempt after this one."""


class Payments:
    """Charges orders.

    Args:
        client: Stripe's own, with a timeout and without retries of its own, since a
            charge is tried again by whoever finishes the order.
        intents: where the order's intent is remembered.
    """

    def __init__(self, client: stripe.StripeClient, intents: Intents) -> None:
        self._api = client.v1.payment_intents
        self._intents = intents

    def charge(self, order: Order) -> None:
        """Charge the order; return when it is paid. Repeating it never charges twice.

        Raises:
            Declined: Stripe refused the card.
            PaymentsUnavailable: it is not known yet whether it is paid.
        """
        intent_id = order.payment_intent_id or self._create(order)
        self._confirm(intent_id)

    def cancel(self, intent_id: str) -> bool:
        """Make sure that the intent will never be paid.

        Returns:
            True when it never will be, False when it is paid already.

        Raises:
            PaymentsUnavailable: Stripe gave no clear answer.
        """
        try:
            self._api.cancel(intent_id)
        except stripe.InvalidRequestError as error:
            status = self._retrieve(intent_id).status
            if status not in ("canceled", "succeeded"):
                raise PaymentsUnavailable(f"The payment is {status}.") from error
            return status == "canceled"
        except stripe.StripeError as error:
            raise PaymentsUnavailable(str(error)) from error
        return True

    def _create(self, order: Order) -> str:
        try:
            intent = self._api.create(
                {
                    "amount": order.amount,
                    "currency": order.currency,
                    "payment_method": order.payment_method,
                    # No way back from a bank's own page in a call between servers.
                    "automatic_payment_methods": {
                        "enabled": True,
                        "allow_redirects": "never",
                    },
                    "description": f"{order.quantity} x {order.name}",
                    "metadata": {"order_id": order.order_id},
                },
                {
                    "idempotency_key": (
                        f"order:{order.order_id}:attempt:{order.payment_attempt}"
                    )
                },
            )
        except stripe.InvalidRequestError as error:
            if error.param == "payment_method":
                raise Declined(UNKNOWN_CARD) from error
            raise PaymentsUnavailable(str(error)) from error
        except stripe.StripeError as error:
            if isinstance(error, stripe.APIError) and (error.http_status or 0) >= 500:
                # Stripe replays this error to this key for a day. A new key makes at
                # worst a second intent, which nobody confirms. A silence keeps the key.
                self._intents.raise_attempt(order.order_id, order.payment_attempt)
            raise PaymentsUnavailable(str(error)) from error
        stored = self._intents.remember_intent(order.order_id, intent.id)
        if stored is None:
            raise PaymentsUnavailable("The order was finished by somebody else.")
        return stored

    def _confirm(self, intent_id: str) -> None:
        try:
            intent = self._api.confirm(intent_id, {"error_on_requires_action": True})
        except stripe.CardError as error:
            raise Declined(_reason(error.error)) from error
        except stripe.StripeError:
            # A timeout, a 500, a second confirmation: believe only the intent itself.
            intent = self._retrieve(intent_id)
        if intent.status == "succeeded":
            return
        refused = intent.last_payment_error
        if intent.status == "requires_payment_method" and refused:
            raise Declined(_reason(refused))
        raise PaymentsUnavailable(f"The payment is {intent.status}.")

    def _retrieve(self, intent_id: str) -> stripe.PaymentIntent:
        try:
            return self._api.retrieve(intent_id)
        except stripe.StripeError as error:
            raise PaymentsUnavailable(str(error)) from error


def stripe_client(
    api_key: str,
    api_base: str | None,
    timeout_seconds: float,
    session: Any = None,
) -> stripe.StripeClient:
    """Make Stripe's client.

    Args:
        api_key: the secret key.
        api_base: another server that speaks its protocol, or None for Stripe itself.
        timeout_seconds: how long one call may take.
        session: a `requests.Session` of one's own, where sending needs more care.
    """
    return stripe.StripeClient(
        api_key,
        base_addresses={"api": api_base} if api_base else {},
        http_client=stripe.RequestsClient(timeout_seconds, session),
        max_network_retries=0,
    )


def _reason(
    refusal: stripe.ErrorObject | stripe.PaymentIntent.LastPaymentError | None,
) -> str:
    if refusal is None:
        return DECLINED
    return REASONS.get(refusal.decline_code or refusal.code or "", DECLINED)
