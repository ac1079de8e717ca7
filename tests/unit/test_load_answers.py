"""What a load takes for a right answer is what the contract promises."""

import json
from pathlib import Path

import msgspec
import pytest
import yaml
from concierge import orders

from load_tests import answers
from load_tests.answers import WrongAnswer, read, read_purchase

CONTRACT = yaml.safe_load(
    Path(__file__).parents[2].joinpath("docs/reference/openapi.yaml").read_text()
)
KINDS = {
    "Product": answers.Product,
    "ProductPage": answers.ProductPage,
    "Order": answers.Order,
    "OrderPage": answers.OrderPage,
    "CheckoutAnswer": answers.Bought,
    "Replies": answers.Replies,
}


def examples(path, method="get", status="200"):
    content = CONTRACT["paths"][path][method]["responses"][status]["content"]
    found = content["application/json"]["examples"]
    return {name: json.dumps(each["value"]).encode() for name, each in found.items()}


BOUGHT = examples("/checkout", "post")
ACCEPTED = examples("/checkout", "post", "202")["accepted"]
LOCATION = {"Location": "/v1/orders/ord_0f3c9a4de1b2778899aabbcc"}


def changed(body, **fields):
    found = json.loads(body)
    found["order"] |= fields
    return json.dumps(found).encode()


@pytest.mark.parametrize("name", KINDS)
def test_the_fields_are_those_of_the_contract(name):
    schema = CONTRACT["components"]["schemas"][name]
    fields = msgspec.structs.fields(KINDS[name])
    assert {field.encode_name for field in fields} == schema["properties"].keys()
    required = {field.encode_name for field in fields if field.required}
    assert required == set(schema["required"])


@pytest.mark.parametrize(
    ("path", "method", "kind"),
    [
        ("/products", "get", answers.ProductPage),
        ("/products/{productId}", "get", answers.Product),
        ("/orders", "get", answers.OrderPage),
        ("/orders/{orderId}", "get", answers.Order),
        ("/nlu", "post", answers.Replies),
    ],
)
def test_the_examples_of_the_contract_are_right(path, method, kind):
    for body in examples(path, method).values():
        assert read(200, body, kind)


def test_cards_to_order_by_are_found():
    (payload,) = read(
        200, examples("/nlu", "post")["cards"], answers.Replies
    ).to_order()
    assert payload["productId"] == "roses-red-dozen"


def test_a_refusal_names_its_order_beside_the_words():
    body = CONTRACT["components"]["responses"]["Unavailable"]["content"]
    stripe = body["application/json"]["examples"]["stripe"]["value"]
    with pytest.raises(WrongAnswer, match=r"Your order ord_\.\.\. is kept") as refused:
        read_purchase(503, {}, json.dumps(stripe).encode())
    assert refused.value.order_id == "ord_0f3c9a4de1b2778899aabbcc"
    with pytest.raises(WrongAnswer) as unnamed:
        read_purchase(503, {}, b'{"code":503,"message":"away"}')
    assert unnamed.value.order_id == ""


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"orders":[],"more":1}'])
def test_another_body_is_wrong(body):
    with pytest.raises(WrongAnswer):
        read(200, body, answers.OrderPage)


def test_a_refusal_is_told_without_the_order_that_it_was():
    words = "Your order ord_0f3c9a4de1b2778899aabbcc is kept."
    body = json.dumps({"code": 503, "message": words}).encode()
    with pytest.raises(WrongAnswer, match=r"^503 Your order ord_\.\.\. is kept\.$"):
        read(503, body, answers.Order)


def test_no_answer_is_told_as_such():
    with pytest.raises(WrongAnswer, match="^no answer: ConnectionRefusedError$"):
        read(0, b"ConnectionRefusedError", answers.Order)


def test_a_confirmed_purchase_is_right():
    assert read_purchase(200, {}, BOUGHT["confirmed"]).order.status == "confirmed"


def test_a_declined_purchase_is_wrong():
    with pytest.raises(WrongAnswer, match="the order is declined"):
        read_purchase(200, {}, BOUGHT["declined"])


def test_sold_out_is_no_failure():
    body = changed(BOUGHT["declined"], status="failed", message=answers.SOLD_OUT)
    assert read_purchase(200, {}, body).order.sold_out


def test_sold_out_is_told_in_the_words_of_the_stages():
    assert answers.SOLD_OUT == orders.SOLD_OUT


def test_an_accepted_purchase_is_right():
    assert read_purchase(202, LOCATION, ACCEPTED).order.status == "pending"


@pytest.mark.parametrize(
    "headers", [{}, {"Location": "/v1/orders/ord_1f3c9a4de1b2778899aabbcc"}]
)
def test_an_accepted_purchase_says_where_it_is(headers):
    with pytest.raises(WrongAnswer, match="Location"):
        read_purchase(202, headers, ACCEPTED)


def test_what_has_failed_is_not_accepted():
    with pytest.raises(WrongAnswer, match="failed"):
        read_purchase(202, LOCATION, changed(ACCEPTED, status="failed"))
