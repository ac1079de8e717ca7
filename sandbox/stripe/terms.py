"""The terms of a new PaymentIntent: how much, and by which payment methods.

Source: docs.stripe.com/api/payment_intents/create.
"""

from typing import Literal, cast

import msgspec

from .errors import parameter_invalid, parameter_missing
from .forms import Form
from .intents import Intent

# Since then a request may not name payment_method_types
# (docs.stripe.com/changelog/endive/2026-09-30).
NO_METHOD_TYPES_SINCE = "2026-09-30"
# Smallest charge in cents (docs.stripe.com/currencies#minimum-and-maximum).
SMALLEST_AMOUNT = {
    "aud": 50,
    "cad": 50,
    "chf": 50,
    "eur": 50,
    "gbp": 30,
    "usd": 50,
}
LARGEST_AMOUNT = 99_999_999


def money(form: Form) -> tuple[int, str]:
    """Return the amount in cents and the currency."""
    amount = form.integer("amount", at_least=0)
    if amount is None:
        raise parameter_missing("amount")
    currency = form.required_text("currency").lower()
    smallest = SMALLEST_AMOUNT.get(currency)
    if smallest is None:
        raise parameter_invalid(
            "currency",
            f"Invalid currency: {currency}. The sandbox has "
            f"{', '.join(SMALLEST_AMOUNT)}.",
        )
    if amount < smallest:
        raise parameter_invalid(
            "amount",
            f"Amount must be at least {smallest} cents in {currency}.",
            "amount_too_small",
        )
    if amount > LARGEST_AMOUNT:
        raise parameter_invalid(
            "amount",
            f"Amount must be no more than {LARGEST_AMOUNT} cents in {currency}.",
            "amount_too_large",
        )
    return amount, currency


def with_method_types(intent: Intent, form: Form, version: str) -> Intent:
    """Settle which kinds of payment method the intent takes: cards only, here."""
    named = form.words("payment_method_types")
    if named is not None and version >= NO_METHOD_TYPES_SINCE:
        raise parameter_invalid(
            "payment_method_types",
            f"payment_method_types is no longer supported in version {version}. Use "
            "automatic_payment_methods or allowed_payment_method_types.",
            "payment_method_types_no_longer_supported",
        )
    named = named or form.words("allowed_payment_method_types")
    automatic = form.nested("automatic_payment_methods", {"enabled", "allow_redirects"})
    if automatic is None:
        if named is not None and "card" not in named:
            raise parameter_invalid(
                "allowed_payment_method_types", "The sandbox takes cards: name card."
            )
        return msgspec.structs.replace(intent, automatic_methods=named is None)
    if not automatic.has("enabled"):
        raise parameter_missing("automatic_payment_methods[enabled]")
    enabled = automatic.flag("enabled")
    if enabled and named is not None:
        raise parameter_invalid(
            "automatic_payment_methods",
            "Send either automatic_payment_methods or the types, not both.",
        )
    redirects = automatic.text("allow_redirects", ("always", "never")) or "always"
    return msgspec.structs.replace(
        intent,
        automatic_methods=enabled,
        allow_redirects=cast(Literal["always", "never"], redirects),
    )


def needs_return_url(intent: Intent) -> bool:
    """Tell whether confirming may redirect the customer, and so needs a way back."""
    return (
        intent.automatic_methods
        and intent.allow_redirects == "always"
        and intent.status not in ("succeeded", "canceled")
    )
