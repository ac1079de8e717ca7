"""The published shapes of Stripe's objects.

Source: docs.stripe.com/api/payment_intents/object, /api/charges/object,
/api/refunds/object, /api/payment_methods/object and /api/pagination. Members that
the sandbox does not play are there with the value Stripe gives an unused one.
"""

from collections.abc import Sequence
from typing import Any

from .errors import doc_url
from .intents import Charge, Failure, Intent, PaymentMethod
from .refunds import Refund

Json = dict[str, Any]

NO_BILLING_DETAILS: Json = {
    "address": {
        "city": None,
        "country": None,
        "line1": None,
        "line2": None,
        "postal_code": None,
        "state": None,
    },
    "email": None,
    "name": None,
    "phone": None,
    "tax_id": None,
}
CHECKS: Json = {
    "address_line1_check": None,
    "address_postal_code_check": None,
    "cvc_check": None,
}


def payment_intent(intent: Intent) -> Json:
    """Show an intent."""
    automatic = None
    if intent.automatic_methods:
        automatic = {"allow_redirects": intent.allow_redirects, "enabled": True}
    return {
        "id": intent.id,
        "object": "payment_intent",
        "amount": intent.amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": intent.amount_received,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": automatic,
        "canceled_at": intent.canceled_at,
        "cancellation_reason": intent.cancellation_reason,
        "capture_method": "automatic_async",
        "client_secret": intent.client_secret,
        "confirmation_method": "automatic",
        "created": intent.created,
        "currency": intent.currency,
        "customer": None,
        "customer_account": None,
        "description": intent.description,
        "excluded_payment_method_types": None,
        "last_payment_error": (
            payment_error(intent.failure) if intent.failure else None
        ),
        "latest_charge": intent.latest_charge,
        "livemode": False,
        "metadata": dict(intent.metadata),
        "next_action": _next_action(intent),
        "on_behalf_of": None,
        "payment_method": intent.method.id if intent.method else None,
        "payment_method_configuration_details": None,
        "payment_method_options": {
            "card": {
                "installments": None,
                "mandate_options": None,
                "network": None,
                "request_three_d_secure": "automatic",
            }
        },
        "payment_method_types": list(intent.method_types),
        "processing": None,
        "receipt_email": intent.receipt_email,
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": intent.status,
        "transfer_data": None,
        "transfer_group": None,
    }


def _next_action(intent: Intent) -> Json | None:
    if intent.status != "requires_action":
        return None
    if intent.redirect_url:
        return {
            "type": "redirect_to_url",
            "redirect_to_url": {
                "return_url": intent.redirect_url,
                "url": f"https://hooks.stripe.com/3d_secure_2/{intent.id}",
            },
        }
    return {
        "type": "use_stripe_sdk",
        "use_stripe_sdk": {"type": "three_d_secure_redirect"},
    }


def payment_error(failure: Failure) -> Json:
    """Show why a payment failed: an error, and an intent's last one."""
    return {
        "charge": failure.charge,
        "code": failure.code,
        "decline_code": failure.decline_code,
        "doc_url": doc_url(failure.code),
        "message": failure.message,
        "payment_method": payment_method(failure.method),
        "type": "card_error",
    }


def payment_method(method: PaymentMethod) -> Json:
    """Show a payment method."""
    card = method.card
    return {
        "id": method.id,
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": NO_BILLING_DETAILS,
        "card": {
            "brand": card.brand,
            "checks": CHECKS,
            "country": "US",
            "display_brand": card.brand,
            "exp_month": 12,
            "exp_year": 2034,
            "fingerprint": f"sandbox{card.last4}",
            "funding": "credit",
            "generated_from": None,
            "last4": card.last4,
            "networks": {"available": [card.brand], "preferred": None},
            "regulated_status": "unregulated",
            "three_d_secure_usage": {"supported": True},
            "wallet": None,
        },
        "created": method.created,
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": "card",
    }


def charge(charge: Charge) -> Json:
    """Show a charge."""
    failure, card = charge.failure, charge.method.card
    return {
        "id": charge.id,
        "object": "charge",
        "amount": charge.amount,
        "amount_captured": charge.amount if charge.succeeded else 0,
        "amount_refunded": charge.amount_refunded,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": NO_BILLING_DETAILS,
        "calculated_statement_descriptor": "SANDBOX",
        "captured": charge.succeeded,
        "created": charge.created,
        "currency": charge.currency,
        "customer": None,
        "description": charge.description,
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": failure.code if failure else None,
        "failure_message": failure.message if failure else None,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(charge.metadata),
        "on_behalf_of": None,
        "outcome": _outcome(failure),
        "paid": charge.succeeded,
        "payment_intent": charge.intent,
        "payment_method": charge.method.id,
        "payment_method_details": {
            "card": {
                "amount_authorized": charge.amount if charge.succeeded else None,
                "brand": card.brand,
                "checks": CHECKS,
                "country": "US",
                "exp_month": 12,
                "exp_year": 2034,
                "fingerprint": f"sandbox{card.last4}",
                "funding": "credit",
                "last4": card.last4,
                "network": card.brand,
                "three_d_secure": None,
                "wallet": None,
            },
            "type": "card",
        },
        "receipt_email": charge.receipt_email,
        "receipt_number": None,
        "receipt_url": None,
        "refunded": 0 < charge.amount == charge.amount_refunded,
        "review": None,
        "shipping": None,
        "source": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "succeeded" if charge.succeeded else "failed",
        "transfer_data": None,
        "transfer_group": None,
    }


def _outcome(failure: Failure | None) -> Json:
    if failure is None:
        return {
            "network_status": "approved_by_network",
            "reason": None,
            "risk_level": "normal",
            "seller_message": "Payment complete.",
            "type": "authorized",
        }
    return {
        "network_status": "declined_by_network",
        "reason": failure.decline_code,
        "risk_level": "normal",
        "seller_message": f"The bank's decline code: `{failure.decline_code}`.",
        "type": "issuer_declined",
    }


def refund(refund: Refund) -> Json:
    """Show a refund."""
    return {
        "id": refund.id,
        "object": "refund",
        "amount": refund.amount,
        "balance_transaction": None,
        "charge": refund.charge,
        "created": refund.created,
        "currency": refund.currency,
        "destination_details": {
            "card": {
                "reference_status": "pending",
                "reference_type": "acquirer_reference_number",
                "type": "refund",
            },
            "type": "card",
        },
        "metadata": dict(refund.metadata),
        "payment_intent": refund.intent,
        "reason": refund.reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }


def list_of(url: str, data: Sequence[Json], has_more: bool) -> Json:
    """Show a page of a list."""
    return {"object": "list", "url": url, "has_more": has_more, "data": list(data)}
