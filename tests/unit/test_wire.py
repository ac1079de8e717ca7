import datetime as dt
import json

import msgspec
import pytest
from concierge import wire
from concierge.errors import BadRequest
from hypothesis import given
from hypothesis import strategies as st

PURCHASE = (
    b'{"productId": "roses", "deliveryAddress": "5 Main Street", '
    b'"deliveryDate": "2026-12-24"%s}'
)


def test_a_purchase_is_read_with_its_defaults():
    purchase = wire.read_body(PURCHASE % b"", wire.CheckoutRequest)
    assert purchase.delivery_date == dt.date(2026, 12, 24)
    assert purchase.quantity == 1
    assert purchase.payment_method == "pm_card_visa"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (b', "quantity": 0', "quantity: .*>= 1"),
        (b', "quantity": 10000', "quantity: .*<= 100"),
        (b', "quantity": "2"', "quantity: .*got `str`"),
        (b', "quantity": 1.5', "quantity: "),
        (b', "quantity": null', "quantity: "),
        (b', "price": 1', "unknown field `price`"),
        (b', "userId": "somebody"', "unknown field `userId`"),
        (b', "status": "confirmed"', "unknown field `status`"),
        (b', "paymentMethod": "4242424242424242"', "paymentMethod: "),
    ],
)
def test_what_does_not_fit_is_refused_and_the_field_is_named(more, words):
    with pytest.raises(BadRequest, match=words):
        wire.read_body(PURCHASE % more, wire.CheckoutRequest)


@given(st.binary(max_size=200))
def test_no_bytes_whatever_raise_anything_but_a_bad_request(data):
    for shape in (wire.Conversation, wire.CheckoutRequest, wire.Credentials):
        with pytest.raises(BadRequest):
            wire.read_body(data, shape)


@pytest.mark.parametrize("email", ["bob@home", "o'hara@example.com", "", "a\nb@c.de"])
def test_half_an_address_is_answered_with_advice_and_no_expression(email):
    body = json.dumps({"email": email, "password": "three random words"}).encode()
    with pytest.raises(BadRequest, match=r"^email: write it like") as refused:
        wire.read_body(body, wire.Credentials)
    assert "regex" not in refused.value.message


def test_every_form_is_put_into_words():
    for shape in (wire.CheckoutRequest, wire.ProductQuery, wire.OrderQuery):
        for field in msgspec.structs.fields(shape):
            if "pattern=" in str(field.type):
                assert field.encode_name in wire.SHAPES


def press(payload):
    card = b'{"type": "product", "payload": {"a": ' + payload.encode() + b"}}"
    return b'{"messages": [{"type": "structured", "structured": ' + card + b"}]}"


@pytest.mark.parametrize("depth", [60, 900, 990, 1_000, 30_000])
@pytest.mark.parametrize("pair", [("[", "]"), ('{"a":', "}")], ids=["lists", "objects"])
def test_what_is_nested_too_deeply_is_refused(depth, pair):
    body = press(pair[0] * depth + "1" + pair[1] * depth)
    with pytest.raises(BadRequest, match="nested"):
        wire.read_body(body, wire.Conversation)


@pytest.mark.parametrize(
    "payload",
    ["[" * 50 + "]" * 50, "[" + "[]," * 500 + "1]", '"' + "[{" * 500 + '"'],
    ids=["deep", "wide", "text"],
)
def test_what_is_not_too_deep_is_read(payload):
    assert wire.read_body(press(payload), wire.Conversation).messages


@pytest.mark.parametrize("end", ["", "\\"], ids=["open", "escape"])
def test_a_text_without_an_end_takes_no_time(end):
    body = ("[" * 65 + r'"\"' * 20_000 + end).encode()
    with pytest.raises(BadRequest):
        wire.read_body(body, wire.Conversation)


@pytest.mark.parametrize(
    "value", ["null", "1.5", "", "abc", "0", "101", "-1", "5.0", "1e1", "05"]
)
def test_a_limit_that_is_none_is_refused(value):
    with pytest.raises(BadRequest, match="limit"):
        wire.read_query({"limit": value}, wire.ProductQuery)


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=5)))
def test_parameters_that_nobody_knows_change_nothing(values):
    known = {"category", "text", "minAmount", "maxAmount", "limit", "cursor"}
    unknown = {name: value for name, value in values.items() if name not in known}
    assert wire.read_query(unknown, wire.ProductQuery) == wire.ProductQuery()


def test_times_are_written_as_utc():
    session = wire.Session(
        token="t", expires_at=dt.datetime(2026, 11, 23, 10, tzinfo=dt.timezone.utc)
    )
    assert wire.write(session) == b'{"token":"t","expiresAt":"2026-11-23T10:00:00Z"}'
