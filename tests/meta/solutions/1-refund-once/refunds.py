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
        """Give back a part of a payment, once for each complaint."""
        try:
            refund = self._api.create(
                {
                    "payment_intent": intent_id,
                    "amount": amount,
                    "metadata": {"complaint_id": complaint_id},
                },
                {"idempotency_key": f"refund:{intent_id}:{complaint_id}"},
            )
        except stripe.IdempotencyError as error:
            # Somebody else's press is on its way, or this complaint had another sum.
            raise RefundUnknown(str(error)) from error
        except stripe.InvalidRequestError as error:
            raise RefundRefused(str(error)) from error
        except stripe.StripeError as error:
            made = self._made(complaint_id, intent_id)
            if made is None:
                raise RefundUnknown(str(error)) from error
            return made
        return refund.id

    def _made(self, complaint_id: str, intent_id: str) -> str | None:
        """Look into Stripe's books, which say more than an answer that was lost."""
        try:
            refunds = self._api.list({"payment_intent": intent_id, "limit": 100})
        except stripe.StripeError:
            return None
        for refund in refunds.data:
            if refund.to_dict()["metadata"].get("complaint_id") == complaint_id:
                return refund.id
        return None
