"""The Refund calls.

Source: docs.stripe.com/api/refunds.
"""

import msgspec

from . import objects, refunds
from .calls import PAGING, Call, new_id, now, page_asked
from .errors import (
    Answer,
    StripeError,
    json_answer,
    parameter_invalid,
    resource_missing,
)
from .forms import Form
from .intents import Charge, Intent
from .ledger import Book
from .refunds import Refund


def create(book: Book, call: Call) -> Answer:
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


def retrieve(book: Book, call: Call) -> Answer:
    """Show a refund."""
    Form(call.fields, ())
    refund = book.get(Refund, call.target)
    if refund is None:
        raise resource_missing("refund", call.target, "id", 404)
    return json_answer(200, objects.refund(refund))


def list_all(book: Book, call: Call) -> Answer:
    """List refunds, newest first, of one intent or charge if asked."""
    form = Form(call.fields, {*PAGING, "payment_intent", "charge"})
    only = {}
    for parameter, column in (("payment_intent", "intent"), ("charge", "charge")):
        value = form.text(parameter)
        if value:
            only[column] = value
    found, more = book.page(Refund, page_asked(book, form, Refund, "refund"), only)
    shown = [objects.refund(refund) for refund in found]
    return json_answer(200, objects.list_of("/v1/refunds", shown, more))


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
