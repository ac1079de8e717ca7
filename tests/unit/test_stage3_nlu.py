"""The dialogue of stage 3: its notes between requests, and its words without help."""

from __future__ import annotations

import time

import boto3
import pytest

from tests.chalice_apps import GUEST, OTHER_GUEST, application

ORDER = {
    "orderId": "ord_" + 24 * "0",
    "status": "confirmed",
    "productId": "candy-jar",
    "name": "Jar of candy",
    "quantity": 1,
    "amount": 1500,
    "currency": "usd",
    "deliveryAddress": "5 Main Street",
    "deliveryDate": "2099-12-24",
    "createdAt": "2026-11-23T10:00:00Z",
    "updatedAt": "2026-11-23T10:00:00Z",
    "message": "Thank you! Your order is confirmed.",
}
CANDY = {
    "productId": "candy-jar",
    "category": "sweets",
    "name": "Jar of candy",
    "description": "Candy.",
    "unitAmount": 1500,
    "currency": "usd",
    "stock": 5,
    "imageUrl": "/images/candy-jar.svg",
    "keywords": ["candy"],
    "occasions": [],
    "serves": None,
    "pack": None,
}


class Hotel:
    """A running nlu, with a catalogue and a checkout that can be away."""

    def __init__(self, app):
        self.app = app
        nlu = app.part("services").assembled().nlu
        self.asked = []
        self.away = set()
        self.nlu = nlu
        for callee in (nlu._catalog._service, nlu._checkout):
            callee.call = self._answering(callee.name)
        nlu._catalog._fresh_seconds = 0

    def say(self, text, guest=GUEST, path="/nlu"):
        body = {"messages": [{"type": "unstructured", "unstructured": {"text": text}}]}
        answer = self.app.call("POST", path, body=body, guest=guest)
        assert answer.status == 200, answer.body
        inner = [message[message["type"]] for message in answer.body["messages"]]
        return " ".join(message.get("text", "") for message in inner)

    def _answering(self, name):
        calls, errors, part = self.asked, self.app.part("errors"), self.app.part

        def call(method, path, **_):
            calls.append(path)
            if name in self.away:
                raise errors.Unavailable(f"{name} is away.")
            listed = {"products": [CANDY]} if name == "catalog" else {"orders": [ORDER]}
            content = part("wire").msgspec.json.encode(listed)
            return part("calls").Answer(200, content)

        return call


@pytest.fixture(scope="module")
def app():
    with application("nlu") as app:
        yield app


@pytest.fixture
def hotel(app):
    app.part("services").assembled.cache_clear()
    table = boto3.client("dynamodb")
    for item in table.scan(TableName="dialogue")["Items"]:
        key = {"guest_id": item["guest_id"]}
        table.delete_item(TableName="dialogue", Key=key)
    return Hotel(app)


@pytest.mark.parametrize("path", ["/nlu", "/chatbot"])
def test_it_answers(path, hotel):
    assert hotel.say("hello", path=path)


def test_it_remembers_what_a_guest_said_and_tells_nobody_else(hotel):
    asked = hotel.say("I want to order a jar of candy")
    assert hotel.say("can you repeat that?") in asked
    assert hotel.say("can you repeat that?", guest=OTHER_GUEST) not in asked


def test_it_forgets_what_has_expired_though_the_item_is_still_there(hotel):
    asked = hotel.say("I want to order a jar of candy")
    boto3.client("dynamodb").update_item(
        TableName="dialogue",
        Key={"guest_id": {"S": GUEST}},
        UpdateExpression="SET expires_at = :past",
        ExpressionAttributeValues={":past": {"N": str(int(time.time()) - 1)}},
    )
    assert hotel.say("can you repeat that?") not in asked


def test_it_asks_for_the_orders_of_the_guest_who_signed(hotel):
    assert "Jar of candy" in hotel.say("where is my order?")
    assert f"/internal/guests/{GUEST}/orders?limit=10" in hotel.asked


@pytest.mark.parametrize("away", [{"catalog"}, {"checkout"}, {"catalog", "checkout"}])
def test_it_answers_without_the_others(away, hotel):
    hotel.away = away
    assert hotel.say("where is my order?")


def test_it_says_so_when_its_notes_are_away(hotel):
    hotel.nlu._states.name = "no-such-table"
    assert "notes" in hotel.say("hello")


def test_who_is_no_guest_is_not_talked_to(hotel):
    body = {"messages": [{"type": "unstructured", "unstructured": {"text": "hello"}}]}
    assert hotel.app.call("POST", "/nlu", body=body, guest=None).status == 403


@pytest.mark.parametrize("body", ["{", {"messages": []}, {"messages": "x"}, "[]"])
def test_a_bad_body_is_400(body, hotel):
    assert hotel.app.call("POST", "/nlu", body=body).status == 400
