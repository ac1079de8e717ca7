import datetime as dt
import re

import pytest
from concierge import orders, wire
from concierge.errors import Unprocessable
from hypothesis import given
from hypothesis import strategies as st

TODAY = dt.date(2026, 11, 23)
NOW = dt.datetime(2026, 11, 23, 10, tzinfo=dt.timezone.utc)
ROSES = wire.Product(
    product_id="roses",
    name="Roses",
    category="flowers",
    description="Red.",
    unit_amount=4999,
    currency="usd",
    stock=3,
    image_url="/images/roses.svg",
)


def purchase(**fields) -> wire.CheckoutRequest:
    values = {
        "product_id": "roses",
        "delivery_address": "5 Main Street",
        "delivery_date": TODAY,
    }
    return wire.CheckoutRequest(**values | fields)


@given(guest=st.text(), key=st.text(min_size=1))
def test_an_order_is_named_after_its_guest_and_key_alone(guest, key):
    name = orders.order_id(guest, key)
    assert name == orders.order_id(guest, key)
    assert re.fullmatch(r"ord_[0-9a-f]{24}", name)


@given(
    one=st.tuples(st.from_regex(r"guest_[0-9a-f]{4}"), st.from_regex(r"[!-~]{1,8}")),
    other=st.tuples(st.from_regex(r"guest_[0-9a-f]{4}"), st.from_regex(r"[!-~]{1,8}")),
)
def test_two_purchases_never_share_an_order(one, other):
    assert (orders.order_id(*one) == orders.order_id(*other)) == (one == other)


def test_the_same_purchase_has_the_same_fingerprint_and_another_has_not():
    assert orders.fingerprint(purchase()) == orders.fingerprint(purchase(quantity=1))
    for change in (
        {"quantity": 2},
        {"product_id": "tulips"},
        {"delivery_address": "6 Main Street"},
        {"delivery_date": TODAY + dt.timedelta(days=1)},
        {"payment_method": "pm_card_mastercard"},
    ):
        assert orders.fingerprint(purchase(**change)) != orders.fingerprint(purchase())


@pytest.mark.parametrize("days", [0, 1, 365])
def test_a_date_within_a_year_is_taken(days):
    orders.check(purchase(delivery_date=TODAY + dt.timedelta(days=days)), TODAY)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"delivery_date": dt.date(2026, 11, 22)}, "has passed. Choose today"),
        ({"delivery_date": dt.date(2027, 11, 24)}, "more than a year away"),
        ({"delivery_address": "   "}, "Say where it goes"),
    ],
)
def test_what_cannot_be_delivered_is_refused_with_what_to_do(fields, words):
    with pytest.raises(Unprocessable, match=words):
        orders.check(purchase(**fields), TODAY)


@given(quantity=st.integers(1, 100))
def test_the_amount_is_the_catalogues_price_for_each(quantity):
    order = orders.start("guest_1", "key", purchase(quantity=quantity), ROSES, NOW)
    assert order.amount == 4999 * quantity
    assert order.status is orders.Status.PENDING
    assert not order.final


@pytest.mark.parametrize(
    ("status", "success"),
    [("pending", True), ("confirmed", True), ("declined", False), ("failed", False)],
)
def test_checkout_succeeds_unless_the_order_ended_without_a_charge(status, success):
    order = orders.start("guest_1", "key", purchase(), ROSES, NOW)
    ended = orders.Order(
        **{name: getattr(order, name) for name in order.__struct_fields__}
        | {"status": orders.Status(status)}
    )
    assert orders.answer(ended).success is success


def test_a_guest_is_shown_neither_the_payment_nor_the_guest_id():
    order = orders.start("guest_1", "key", purchase(), ROSES, NOW)
    shown = wire.write(orders.view(order)).decode()
    for secret in ("guest_1", "pm_card", "fingerprint", "intent"):
        assert secret not in shown
