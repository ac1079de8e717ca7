"""The PaymentIntent calls: parameters in, effect in the ledger, answer out.

Source: docs.stripe.com/api/payment_intents.
"""

import msgspec

from . import intents, objects, payment_methods
from .calls import PAGING, Call, new_id, now, page_asked
from .errors import (
    Answer,
    StripeError,
    json_answer,
    parameter_invalid,
    parameter_missing,
    resource_missing,
)
from .forms import Form
from .intents import Intent
from .ledger import Book
from .terms import money, needs_return_url, with_method_types

CANCELLATION_REASONS = (
    "duplicate",
    "fraudulent",
    "requested_by_customer",
    "abandoned",
)
CONFIRM_ONLY = ("error_on_requires_action", "off_session", "return_url")


def create(book: Book, call: Call) -> Answer:
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
    amount, currency = money(form)
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
    intent = with_method_types(intent, form, call.version)
    confirming = form.flag("confirm")
    for name in CONFIRM_ONLY:
        if form.has(name) and not confirming:
            raise parameter_invalid(name, f"{name} can only be used with confirm=true.")
    intent = intents.begin(intent, payment_methods.named_in(form, book))
    if not confirming:
        book.put(intent)
        return json_answer(200, objects.payment_intent(intent))
    if intent.method is None:
        raise parameter_missing("payment_method")
    return _confirm(book, intent, form)


def retrieve(book: Book, call: Call) -> Answer:
    """Show a PaymentIntent."""
    Form(call.fields, {"client_secret"})
    return json_answer(200, objects.payment_intent(_intent(book, call.target)))


def confirm(book: Book, call: Call) -> Answer:
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


def cancel(book: Book, call: Call) -> Answer:
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


def list_all(book: Book, call: Call) -> Answer:
    """List PaymentIntents, newest first."""
    page = page_asked(book, Form(call.fields, PAGING), Intent, "payment_intent")
    found, more = book.page(Intent, page)
    shown = [objects.payment_intent(intent) for intent in found]
    return json_answer(200, objects.list_of("/v1/payment_intents", shown, more))


def _confirm(book: Book, intent: Intent, form: Form) -> Answer:
    return_url = form.text("return_url")
    off_session = form.flag("off_session")
    fail_on_action = form.flag("error_on_requires_action")
    receipt_email = form.text("receipt_email") or intent.receipt_email
    method = payment_methods.named_in(form, book)
    if needs_return_url(intent) and not (return_url or off_session):
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
