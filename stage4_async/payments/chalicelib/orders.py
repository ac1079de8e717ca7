"""The rules of an order: its name, its states, its words. No storage and no network."""

import datetime as dt
import hashlib
import re
from enum import Enum

import msgspec

from . import wire
from .errors import Unprocessable

ORDER_ID = re.compile(r"ord_[0-9a-f]{24}")
FURTHEST_DELIVERY = dt.timedelta(days=365)


class Status(str, Enum):
    """Where an order is; only `PENDING` can change."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    FAILED = "failed"


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order as it is stored; `amount` in cents, times in UTC.

    `payment_attempt` numbers the Stripe idempotency key; `payment_intent_id` is the one
    PaymentIntent that may ever be confirmed for this order.
    """

    order_id: str
    guest_id: str
    fingerprint: str
    status: Status
    product_id: str
    name: str
    quantity: int
    amount: int
    currency: str
    delivery_address: str
    delivery_date: dt.date
    payment_method: str
    payment_attempt: int = 1
    payment_intent_id: str | None = None
    message: str
    created_at: dt.datetime
    updated_at: dt.datetime

    @property
    def final(self) -> bool:
        """Whether nothing will change any more."""
        return self.status is not Status.PENDING


ACCEPTED = "Your order is accepted. We are on it."
CONFIRMED = "Thank you! Your order is confirmed."
SOLD_OUT = "Sorry, there is not enough of this left. Nothing was charged."
GIVEN_UP = (
    "Sorry, we could not finish this order in time. Nothing was charged; "
    "please order again."
)


def order_id(guest_id: str, idempotency_key: str) -> str:
    """Name the order of a purchase.

    The name follows from the guest and the key, so that a purchase that is sent twice
    finds its order under the primary key, without a second index to keep in step.
    """
    seed = f"{guest_id}\0{idempotency_key}".encode()
    return "ord_" + hashlib.sha256(seed).hexdigest()[:24]


def fingerprint(purchase: wire.CheckoutRequest) -> str:
    """Sum up a purchase, to tell a repeated one from another under the same key."""
    return hashlib.sha256(msgspec.json.encode(purchase)).hexdigest()


def check(purchase: wire.CheckoutRequest, today: dt.date) -> None:
    """Refuse what fits the schema but cannot be delivered.

    Args:
        purchase: what the guest asks for.
        today: the date (UTC).

    Raises:
        Unprocessable: the address is blank, or the date has passed or is too far away.
    """
    if not purchase.delivery_address.strip():
        raise Unprocessable("deliveryAddress: it is blank. Say where it goes.")
    date = purchase.delivery_date
    if date < today:
        raise Unprocessable(f"deliveryDate: {date} has passed. Choose today or later.")
    if date > today + FURTHEST_DELIVERY:
        raise Unprocessable(
            f"deliveryDate: {date} is more than a year away. Choose one within a year."
        )


def start(
    guest_id: str,
    idempotency_key: str,
    purchase: wire.CheckoutRequest,
    product: wire.Product,
    now: dt.datetime,
) -> Order:
    """Make the order of a purchase, at the catalogue's price."""
    return Order(
        order_id=order_id(guest_id, idempotency_key),
        guest_id=guest_id,
        fingerprint=fingerprint(purchase),
        status=Status.PENDING,
        product_id=product.product_id,
        name=product.name,
        quantity=purchase.quantity,
        amount=product.unit_amount * purchase.quantity,
        currency=product.currency,
        delivery_address=purchase.delivery_address.strip(),
        delivery_date=purchase.delivery_date,
        payment_method=purchase.payment_method,
        message=ACCEPTED,
        created_at=now,
        updated_at=now,
    )


def view(order: Order) -> wire.Order:
    """Show an order to its guest: what they may know of it."""
    shown = {name: getattr(order, name) for name in wire.Order.__struct_fields__}
    return wire.Order(**shown | {"status": order.status.value})


def answer(order: Order) -> wire.CheckoutAnswer:
    """Answer a checkout: success unless the order ended without a charge."""
    return wire.CheckoutAnswer(
        success=order.status in (Status.PENDING, Status.CONFIRMED),
        message=order.message,
        order=view(order),
    )
