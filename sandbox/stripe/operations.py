"""What each call of the API does: parameters in, effect in the ledger, answer out.

Source: docs.stripe.com/api/payment_intents, /api/refunds and /api/payment_methods.
"""

import secrets
import string
import time
from collections.abc import Callable
from typing import Any, Literal, cast

import msgspec

from . import intents, objects, refunds
from .cards import CARDS
from .errors import (
    Answer,
    StripeError,
    json_answer,
    parameter_invalid,
    parameter_missing,
    resource_missing,
)
from .forms import Form
from .intents import Charge, Intent, PaymentMethod
from .ledger import Book, Page, R
from .refunds import Refund

# The version that stripe 16.1.0 sends.
API_VERSION = "2026-10-28.endive"
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
CANCELLATION_REASONS = (
    "duplicate",
    "fraudulent",
    "requested_by_customer",
    "abandoned",
)
ALPHABET = string.ascii_letters + string.digits
CONFIRM_ONLY = ("error_on_requires_action", "off_session", "return_url")


class Call(msgspec.Struct, frozen=True):
    """One request: the id in its path, its decoded parameters, its API version."""

    target: str
    fields: dict[str, Any]
    version: str = API_VERSION


def new_id(prefix: str, length: int = 24) -> str:
    """Return an id in Stripe's form, for example `pi_3Mtw…`."""
    return f"{prefix}_" + "".join(secrets.choice(ALPHABET) for _ in range(length))


def now() -> int:
    """Return the time in seconds since 1970."""
    return int(time.time())


def create_intent(book: Book, call: Call) -> Answer:
    """Create a PaymentIntent; pay it at once with `confirm=true`."""
    form = Form(
        call.fields,
        {
            "allowed_payment_method_types",
            "amount",
            "automatic_payment_methods",
            "confirm",
            "currency",
            "description",
            "metadata",
            "payment_method",
            "payment_method_types",
            "receipt_email",
            "use_stripe_sdk",
            *CONFIRM_ONLY,
        },
    )
    amount, currency = _money(form)
    intent_id = new_id("pi")
    intent = Intent(
        id=intent_id,
        client_secret=new_id(f"{intent_id}_secret", 25),
        created=now(),
        amount=amount,
        currency=currency,
        status="requires_payment_method",
        metadata=form.metadata(),
        description=form.text("description"),
        receipt_email=form.text("receipt_email"),
    )
    intent = _with_method_types(intent, form, call.version)
    confirming = form.flag("confirm")
    for name in CONFIRM_ONLY:
        if form.has(name) and not confirming:
            raise parameter_invalid(name, f"{name} can only be used with confirm=true.")
    intent = intents.begin(intent, _method(book, form))
    if not confirming:
        book.put(intent)
        return json_answer(200, objects.payment_intent(intent))
    if intent.method is None:
        raise parameter_missing("payment_method")
    return _confirm(book, intent, form)


def retrieve_intent(book: Book, call: Call) -> Answer:
    """Show a PaymentIntent."""
    Form(call.fields, {"client_secret"})
    return json_answer(200, objects.payment_intent(_intent(book, call.target)))


def confirm_intent(book: Book, call: Call) -> Answer:
    """Pay a PaymentIntent that was created before."""
    form = Form(
        call.fields,
        {
            "client_secret",
            "payment_method",
            "receipt_email",
            "use_stripe_sdk",
            *CONFIRM_ONLY,
        },
    )
    return _confirm(book, _intent(book, call.target), form)


def cancel_intent(book: Book, call: Call) -> Answer:
    """Cancel a PaymentIntent that has not succeeded."""
    form = Form(call.fields, {"cancellation_reason"})
    reason = form.text("cancellation_reason", CANCELLATION_REASONS)
    intent = _intent(book, call.target)
    try:
        intent = intents.cancel(intent, reason=reason, now=now())
    except intents.UnexpectedStateError as refusal:
        raise _unexpected_state(refusal, intent) from refusal
    book.put(intent)
    return json_answer(200, objects.payment_intent(intent))


def list_intents(book: Book, call: Call) -> Answer:
    """List PaymentIntents, newest first."""
    page = _page(book, Form(call.fields, PAGING), Intent, "payment_intent")
    found, more = book.page(Intent, page)
    shown = [objects.payment_intent(intent) for intent in found]
    return json_answer(200, objects.list_of("/v1/payment_intents", shown, more))


def create_refund(book: Book, call: Call) -> Answer:
    """Give back a charge, or a part of it."""
    form = Form(
        call.fields, {"amount", "charge", "metadata", "payment_intent", "reason"}
    )
    wanted = form.integer("amount")
    reason = form.text("reason", refunds.REASONS)
    metadata = form.metadata()
    charge = _charge_to_refund(book, form)
    amount = refunds.amount_to_refund(charge, wanted)
    refund = Refund(
        id=new_id("re"),
        created=now(),
        amount=amount,
        currency=charge.currency,
        charge=charge.id,
        intent=charge.intent,
        reason=reason,
        metadata=metadata,
    )
    refunded = charge.amount_refunded + amount
    book.put(msgspec.structs.replace(charge, amount_refunded=refunded))
    # The charge's order, whatever the refund's own metadata says.
    book.put(refund, order_id=charge.metadata.get("order_id"))
    return json_answer(200, objects.refund(refund))


def retrieve_refund(book: Book, call: Call) -> Answer:
    """Show a refund."""
    Form(call.fields, ())
    refund = book.get(Refund, call.target)
    if refund is None:
        raise resource_missing("refund", call.target, "id", 404)
    return json_answer(200, objects.refund(refund))


def list_refunds(book: Book, call: Call) -> Answer:
    """List refunds, newest first, of one intent or charge if asked."""
    form = Form(call.fields, {*PAGING, "payment_intent", "charge"})
    only = {}
    for parameter, column in (("payment_intent", "intent"), ("charge", "charge")):
        value = form.text(parameter)
        if value:
            only[column] = value
    found, more = book.page(Refund, _page(book, form, Refund, "refund"), only)
    shown = [objects.refund(refund) for refund in found]
    return json_answer(200, objects.list_of("/v1/refunds", shown, more))


def retrieve_payment_method(book: Book, call: Call) -> Answer:
    """Show a payment method; a test card's name gives a new one, as at Stripe."""
    Form(call.fields, ())
    method = _known_method(book, call.target)
    if method is None:
        raise resource_missing("PaymentMethod", call.target, "payment_method", 404)
    return json_answer(200, objects.payment_method(method))


OPERATIONS: dict[str, Callable[[Book, Call], Answer]] = {
    "create": create_intent,
    "retrieve": retrieve_intent,
    "confirm": confirm_intent,
    "cancel": cancel_intent,
    "list": list_intents,
    "refund": create_refund,
    "retrieve_refund": retrieve_refund,
    "list_refunds": list_refunds,
    "retrieve_payment_method": retrieve_payment_method,
}

PAGING = ("limit", "starting_after", "ending_before")


def _money(form: Form) -> tuple[int, str]:
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


def _with_method_types(intent: Intent, form: Form, version: str) -> Intent:
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


def _confirm(book: Book, intent: Intent, form: Form) -> Answer:
    return_url = form.text("return_url")
    off_session = form.flag("off_session")
    fail_on_action = form.flag("error_on_requires_action")
    receipt_email = form.text("receipt_email") or intent.receipt_email
    method = _method(book, form)
    if _needs_return_url(intent) and not (return_url or off_session):
        raise parameter_invalid(
            "return_url",
            "A `return_url` must be specified because this PaymentIntent takes "
            "payment methods that may redirect. To do without, create it with "
            "`automatic_payment_methods[enabled]` = `true` and "
            "`automatic_payment_methods[allow_redirects]` = `never`.",
        )
    try:
        done = intents.confirm(
            msgspec.structs.replace(intent, receipt_email=receipt_email),
            charge_id=new_id("ch"),
            now=now(),
            method=method,
            customer_is_away=off_session or fail_on_action,
            return_url=return_url,
        )
    except intents.UnexpectedStateError as refusal:
        raise _unexpected_state(refusal, intent) from refusal
    book.put(done.intent)
    if done.charge:
        book.put(done.charge)
    shown = objects.payment_intent(done.intent)
    if done.intent.failure:
        error = objects.payment_error(done.intent.failure)
        return json_answer(402, {"error": {**error, "payment_intent": shown}})
    return json_answer(200, shown)


def _needs_return_url(intent: Intent) -> bool:
    return (
        intent.automatic_methods
        and intent.allow_redirects == "always"
        and intent.status not in ("succeeded", "canceled")
    )


def _unexpected_state(refusal: Exception, intent: Intent) -> StripeError:
    return StripeError(
        400,
        str(refusal),
        code="payment_intent_unexpected_state",
        details={"payment_intent": objects.payment_intent(intent)},
        executed=True,
    )


def _intent(book: Book, intent_id: str) -> Intent:
    intent = book.get(Intent, intent_id)
    if intent is None:
        raise resource_missing("payment_intent", intent_id, "intent", 404)
    return intent


def _method(book: Book, form: Form) -> PaymentMethod | None:
    name = form.text("payment_method")
    if name is None:
        return None
    method = _known_method(book, name)
    if method is None:
        raise resource_missing("PaymentMethod", name, "payment_method", 400)
    return method


def _known_method(book: Book, name: str) -> PaymentMethod | None:
    if name not in CARDS:
        return book.get(PaymentMethod, name)
    method = PaymentMethod(id=new_id("pm"), created=now(), card_name=name)
    book.put(method)
    return method


def _charge_to_refund(book: Book, form: Form) -> Charge:
    intent_id, charge_id = form.text("payment_intent"), form.text("charge")
    if intent_id:
        intent = book.get(Intent, intent_id)
        if intent is None:
            raise resource_missing("payment_intent", intent_id, "payment_intent", 404)
        if intent.status != "succeeded":
            raise StripeError(
                400,
                f"This PaymentIntent ({intent_id}) does not have a successful charge "
                "to refund.",
                param="payment_intent",
                executed=True,
            )
        if charge_id and charge_id != intent.latest_charge:
            raise parameter_invalid(
                "charge", f"Charge {charge_id} is not of {intent_id}: send one of them."
            )
        charge_id = intent.latest_charge
    if not charge_id:
        raise StripeError(
            400,
            "One of the following params should be provided for this request: "
            "payment_intent or charge.",
            code="parameter_missing",
            param="payment_intent",
        )
    charge = book.get(Charge, charge_id)
    if charge is None:
        raise resource_missing("charge", charge_id, "charge", 404)
    return charge


def _page(book: Book, form: Form, kind: type[R], noun: str) -> Page:
    limit = form.integer("limit")
    if limit is not None and limit > 100:
        raise parameter_invalid(
            "limit", "Limit must be 100 or less.", "parameter_invalid_integer"
        )
    page = Page(limit or 10, form.text("starting_after"), form.text("ending_before"))
    if page.starting_after and page.ending_before:
        raise parameter_invalid(
            "ending_before", "Send starting_after or ending_before, not both."
        )
    for name in ("starting_after", "ending_before"):
        cursor = form.text(name)
        if cursor and book.get(kind, cursor) is None:
            raise resource_missing(noun, cursor, name, 400)
    return page
