"""The PaymentMethod calls, and the use of a payment method by the others.

Source: docs.stripe.com/api/payment_methods.
"""

from . import objects
from .calls import Call, new_id, now
from .cards import CARDS
from .errors import Answer, json_answer, resource_missing
from .forms import Form
from .intents import PaymentMethod
from .ledger import Book


def retrieve(book: Book, call: Call) -> Answer:
    """Show a payment method; a test card's name gives a new one, as at Stripe."""
    Form(call.fields, ())
    method = _known_method(book, call.target)
    if method is None:
        raise resource_missing("PaymentMethod", call.target, "payment_method", 404)
    return json_answer(200, objects.payment_method(method))


def named_in(form: Form, book: Book) -> PaymentMethod | None:
    """Return the payment method that a form names, or None if it names none."""
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
