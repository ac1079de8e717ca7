"""The shapes of the contract: what comes in, what goes out.

Each class is the schema of the same name in `docs/reference/openapi.yaml`. Amounts are
integers in cents, times are UTC.
"""

import datetime as dt
import re
from functools import cache
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from .errors import BadRequest

T = TypeVar("T", bound="Body")

# Only a card's payload may hold anything, and a card is flat. Without a limit, which
# RFC 8259 (section 9) allows a reader to set, a few kilobytes of brackets exhaust the
# stack of whoever walks through them.
DEEPEST = 64
# A text counts whole, with the brackets in it. Each alternative takes what it begins
# with even when the body ends too early, so that nothing is ever read twice.
TEXT_OR_BRACKET = re.compile(rb'"(?:[^"\\]|\\.?)*(?:"|\Z)|[\[\]{}]', re.DOTALL)

Category = Literal[
    "flowers", "gifts", "sweets", "food", "tables", "tickets", "rides", "rooms"
]
# `\Z` where the contract writes `$`: Python's `$` would let a last newline through.
ProductId = Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,64}\Z")]
MessageId = Annotated[str, Meta(max_length=64)]
MessageText = Annotated[str, Meta(max_length=2000)]
MessageTime = Annotated[str, Meta(max_length=40)]
Limit = Annotated[int, Meta(ge=1, le=100)]
Cents = Annotated[int, Meta(ge=0, le=100_000_000)]

# What is said instead of a regular expression, which is no advice to a person. The page
# shows the first of these to whoever signs up with half an address.
SHAPES = {
    "email": "write it like name@example.com, in plain letters and figures",
    "deliveryAddress": "write it in one line, without control characters",
    "paymentMethod": "this is not the name of a payment method, pm_card_visa say",
    "productId": "this is not the id of a product",
    "cursor": "this is not the nextCursor of a page",
}


class Body(msgspec.Struct, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """A JSON object with exactly the fields that its class names."""


class Said(Body, omit_defaults=True):
    """The inside of an unstructured message."""

    text: MessageText
    id: MessageId | UnsetType = UNSET
    timestamp: MessageTime | UnsetType = UNSET


class Shown(Body, omit_defaults=True):
    """The inside of a structured message: a card, quick replies, a pressed button."""

    type: Annotated[str, Meta(max_length=64)]
    payload: dict[str, Any]
    text: MessageText | UnsetType = UNSET
    id: MessageId | UnsetType = UNSET
    timestamp: MessageTime | UnsetType = UNSET


class Unstructured(Body, tag_field="type", tag="unstructured"):
    """A message of plain text."""

    unstructured: Said


class Structured(Body, tag_field="type", tag="structured"):
    """A message that the page shows as something to press, or a press of it."""

    structured: Shown


Message = Unstructured | Structured


class Conversation(Body):
    """What a guest says, in order."""

    messages: Annotated[list[Message], Meta(min_length=1, max_length=20)]


class Replies(Body):
    """What the concierge answers, in the order in which to show it."""

    messages: list[Message]


class Product(Body):
    """Something that can be bought; `unit_amount` in cents."""

    product_id: str
    name: str
    category: str
    description: str
    unit_amount: int
    currency: str
    stock: int
    image_url: str


class ProductPage(Body):
    """A page of products."""

    products: list[Product]
    next_cursor: str | UnsetType = UNSET


# Frozen, to be the key of a cache; what mypy forbids here is a rule for dataclasses.
class ProductQuery(Body, frozen=True):  # type: ignore[misc]
    """The filters of a list of products; amounts in cents."""

    category: Category | UnsetType = UNSET
    text: Annotated[str, Meta(max_length=200)] = ""
    min_amount: Cents = 0
    max_amount: Cents | UnsetType = UNSET
    limit: Limit = 50
    cursor: ProductId | UnsetType = UNSET


class CheckoutRequest(Body):
    """A purchase as the guest asks for it: no price, no guest."""

    product_id: ProductId
    delivery_address: Annotated[
        str, Meta(min_length=3, max_length=300, pattern=r"^[^\x00-\x1f\x7f]*\Z")
    ]
    delivery_date: dt.date
    quantity: Annotated[int, Meta(ge=1, le=100)] = 1
    payment_method: Annotated[str, Meta(pattern=r"^pm_[A-Za-z0-9_]{1,100}\Z")] = (
        "pm_card_visa"
    )


class Order(Body):
    """An order as its guest sees it; `amount` in cents for all of it."""

    order_id: str
    status: str
    product_id: str
    name: str
    quantity: int
    amount: int
    currency: str
    delivery_address: str
    delivery_date: dt.date
    created_at: dt.datetime
    updated_at: dt.datetime
    message: str


class CheckoutAnswer(Body):
    """What became of a purchase so far."""

    success: bool
    message: str
    order: Order


class OrderPage(Body):
    """A page of orders, newest first."""

    orders: list[Order]
    next_cursor: str | UnsetType = UNSET


class OrderQuery(Body):
    """Which page of the orders."""

    limit: Limit = 50
    cursor: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,256}\Z")] | UnsetType = UNSET


class Credentials(Body):
    """An e-mail address and a password."""

    email: Annotated[
        str,
        Meta(
            max_length=254,
            pattern=r"^[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+\Z",
        ),
    ]
    password: Annotated[str, Meta(min_length=8, max_length=128)]


class Account(Body):
    """An account, as its owner sees it."""

    email: str


class Session(Body):
    """A token and when it ends (UTC)."""

    token: str
    expires_at: dt.datetime


class Health(Body):
    """How the stage is."""

    status: Literal["ok", "degraded"]
    stage: str
    dependencies: dict[str, Literal["ok", "down"]]


class Error(Body):
    """What is wrong and what to do about it."""

    code: int
    message: str


def read_body(data: bytes, shape: type[T]) -> T:
    """Read a JSON body.

    Raises:
        BadRequest: it is not JSON, is nested too deeply, or does not fit the shape.
    """
    if _is_deeper(data, DEEPEST):
        raise BadRequest(f"The body is nested more than {DEEPEST} deep. Send it flat.")
    try:
        return msgspec.json.decode(data, type=shape)
    except msgspec.ValidationError as error:
        raise BadRequest(_explain(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest(f"The body is not JSON: {error}.") from error


def _is_deeper(data: bytes, most: int) -> bool:
    if data.count(b"[") + data.count(b"{") <= most:
        return False  # which is so for almost every body, and quick to see
    depth = 0
    for found in TEXT_OR_BRACKET.finditer(data):
        if found[0] in (b"[", b"{"):
            depth += 1
        elif found[0] in (b"]", b"}"):
            depth -= 1
        if depth > most:
            return True
    return False


def read_query(values: dict[str, str], shape: type[T]) -> T:
    """Read query parameters, whose values are all text.

    Raises:
        BadRequest: a value is none that its parameter can have.
    """
    known = _names(shape)
    given = {name: value for name, value in values.items() if name in known}
    try:
        query = msgspec.convert(given, shape, strict=False)
    except msgspec.ValidationError as error:
        raise BadRequest(_explain(error)) from error
    for name, value in msgspec.to_builtins(query).items():
        # The library reads 5.0 and 1e3 as whole numbers, too; the contract does not.
        if isinstance(value, int) and given.get(name, str(value)) != str(value):
            raise BadRequest(
                f"{name}: Expected `int`, got {given[name]!r}. Send {value}."
            )
    return query


@cache
def _names(shape: type[Body]) -> frozenset[str]:
    return frozenset(field.encode_name for field in msgspec.structs.fields(shape))


def write(answer: Body) -> bytes:
    """Write an answer as JSON, times as UTC with a `Z`."""
    return msgspec.json.encode(answer)


def _explain(error: msgspec.ValidationError) -> str:
    """Turn the library's words into a field and what it should be.

    >>> _explain(msgspec.ValidationError("Expected `int` >= 1 - at `$.quantity`"))
    'quantity: Expected `int` >= 1. See the contract at /docs.'
    """
    found = re.fullmatch(r"(.*) - at `\$\.?(.*)`", str(error), re.DOTALL)
    if found and found[2] in SHAPES and "matching regex" in found[1]:
        text = f"{found[2]}: {SHAPES[found[2]]}"
    else:
        text = f"{found[2]}: {found[1]}" if found and found[2] else str(error)
    return f"{text}. See the contract at /docs."
