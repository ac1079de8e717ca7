"""Each operation and each answer that the contract promises, from the running stage."""

from __future__ import annotations

import random
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import BY_BEARER, FULL, STAGE
from tests.contract.contract import Contract
from tests.contract.examples import example
from tests.contract.outside import PATIENCE_SECONDS, until
from tests.guest import PASSWORD

OPERATIONS = Contract().operations(STAGE)
NOWHERE = {"productId": "no-such-product", "orderId": "ord_" + 24 * "0"}
JSON = {"Content-Type": "application/json"}

every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: o.id)


def statuses(*wanted):
    """Pair each operation with each of these statuses that this stage gives it."""
    pairs = [
        pytest.param(operation, status, id=f"{operation.id}-{status}")
        for operation in OPERATIONS
        for status in operation.responses
        if status in wanted and gives(operation, status)
    ]
    return pytest.mark.parametrize(("operation", "status"), pairs)


def gives(operation, status):
    """Tell whether this stage can give this status; the contract is for all four."""
    refuses_a_signature = status == 403 and "bearer" in operation.schemes
    # Of a name in a path: a gateway may refuse it before anybody looks for it.
    takes_only_a_name = status == 400 and operation.path.endswith("}")
    return not takes_only_a_name and not (refuses_a_signature and BY_BEARER)


@every_operation
def test_the_example_is_answered_as_promised(operation, guest):
    order_id = guest.buy("candy-jar").json()["order"]["orderId"]
    answer = guest.request(**example(operation, guest, orderId=order_id))
    assert answer.ok, answer.text


@statuses(400)
def test_a_request_outside_the_schema_is_400(operation, status, guest):
    request = example(operation, guest)
    if operation.body:
        request |= {"json": None, "data": b"{", "headers": request["headers"] | JSON}
    else:
        request["params"] = {"limit": 0}
    assert guest.request(**request).status_code == status


@statuses(401)
def test_a_caller_without_credentials_is_401(operation, status, stranger):
    answer = stranger.request(**example(operation, stranger))
    expected = status
    if operation.id == "logIn":  # anybody may ask, with an account that there is
        expected = 400
        request = example(operation, stranger)
        request["json"]["email"] = "nobody@example.com"
        assert stranger.request(**request).status_code == status
    # API Gateway answers 403 to who does not sign.
    assert answer.status_code == (expected if BY_BEARER else 403)
    assert answer.json()["message"]


@statuses(403)
def test_a_partner_without_a_key_is_403(operation, status, stranger):
    assert stranger.request(**operation.request()).status_code == status


@statuses(404)
def test_what_does_not_exist_is_404(operation, status, guest):
    request = example(operation, guest, **NOWHERE)
    if "json" in request:
        request["json"]["productId"] = NOWHERE["productId"]
    assert guest.request(**request).status_code == status


@pytest.mark.bearer  # only accounts exist already
@statuses(409)
def test_what_exists_already_is_409(operation, status, guest):
    request = example(operation, guest)
    assert guest.request(**request).ok
    request["json"]["email"] = request["json"]["email"].upper()
    assert guest.request(**request).status_code == status


@statuses(413)
def test_a_body_over_64_kib_is_413(operation, status, guest):
    request = example(operation, guest)
    request |= {"json": None, "data": b" " * (64 * 1024 + 1)}
    request["headers"] |= JSON
    assert guest.request(**request).status_code == status


@statuses(415)
@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", None]
)
def test_a_body_of_another_kind_is_415(operation, status, kind, guest):
    request = example(operation, guest)
    request |= {"json": None, "data": b"{}"}
    request["headers"]["Content-Type"] = kind
    assert guest.request(**request).status_code == status


@statuses(422)
def test_what_cannot_be_done_is_422(operation, status, guest):
    request = example(operation, guest)
    if operation.id == "listOrders":
        request["params"] = {"cursor": "of-no-page"}
    else:
        request["json"] |= {
            "checkout": {"deliveryDate": "2020-01-01"},
            "signUp": {"password": "password123"},
        }[operation.id]
    assert guest.request(**request).status_code == status


def test_there_is_a_test_for_every_documented_status():
    tested_here = {200, 201, 202, 204, 400, 401, 403, 404, 409, 413, 415, 422}
    tested_with_parts_away = {429, 503}
    documented = {status for o in OPERATIONS for status in o.responses}
    assert documented <= tested_here | tested_with_parts_away


# The catalogue


def pages(guest, path, items, **query):
    """Read a list to its end, a page at a time; return the pages."""
    read = []
    while True:
        page = guest.get(path, params=query).json()
        read.append(page[items])
        if "nextCursor" not in page:
            return read
        query["cursor"] = page["nextCursor"]


def without_stock(products):
    """Leave out what another guest's order may change between two readings."""
    return [{**product, "stock": None} for product in products]


@pytest.mark.parametrize("limit", [1, 7, 100])
def test_paging_through_products_shows_each_once(limit, guest):
    everything = guest.get("/products", params={"limit": 100}).json()["products"]
    read = pages(guest, "/products", "products", limit=limit)
    shown = [product for page in read for product in page]
    assert without_stock(shown) == without_stock(everything)
    assert all(len(page) == limit for page in read[:-1])
    assert read[-1]


def test_products_are_sorted_by_id_and_about_forty(guest):
    ids = [p["productId"] for p in guest.get("/products").json()["products"]]
    assert ids == sorted(ids)
    assert 30 <= len(ids) <= 50


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ({"category": "flowers"}, lambda p: p["category"] == "flowers"),
        ({"minAmount": 5000}, lambda p: p["unitAmount"] >= 5000),
        ({"maxAmount": 2000}, lambda p: p["unitAmount"] <= 2000),
        ({"text": "red ROSES"}, lambda p: p["productId"] == "roses-red-dozen"),
        (
            {"category": "flowers", "minAmount": 3000, "maxAmount": 4600},
            lambda p: p["category"] == "flowers" and 3000 <= p["unitAmount"] <= 4600,
        ),
    ],
    ids=["category", "min", "max", "text", "all"],
)
def test_a_filter_lets_exactly_the_matching_products_through(query, holds, guest):
    everything = guest.get("/products").json()["products"]
    found = guest.get("/products", params=query).json()["products"]
    wanted = [product for product in everything if holds(product)]
    assert without_stock(found) == without_stock(wanted)
    assert found


@pytest.mark.parametrize(
    "query",
    [{"text": "zeppelin"}, {"minAmount": 2, "maxAmount": 1}, {"cursor": "zzz"}],
    ids=["text", "amounts", "cursor"],
)
def test_a_filter_that_nothing_passes_is_an_empty_page(query, guest):
    assert guest.get("/products", params=query).json() == {"products": []}


@pytest.mark.parametrize(
    "text", ["%", "_", "'; --", "\\", "a\0b", ".*", "(", "é", "  "]
)
def test_any_text_can_be_searched_for(text, guest):
    assert guest.get("/products", params={"text": text}).status_code == 200


def test_a_partner_sees_what_guests_see(guest, stranger, partner_key):
    answer = stranger.get("/partner/products", headers={"X-Api-Key": partner_key})
    assert answer.json() == guest.get("/products").json()


def test_one_product_reads_as_in_the_list(guest):
    for product in guest.get("/products", params={"limit": 3}).json()["products"]:
        assert guest.get(f"/products/{product['productId']}").json() == product


# The conversation


def said(*texts):
    return {
        "messages": [
            {"type": "unstructured", "unstructured": {"text": text}} for text in texts
        ]
    }


def pressed(**payload):
    button = {"type": "product", "payload": payload}
    return {"messages": [{"type": "structured", "structured": button}]}


@pytest.mark.parametrize("path", ["/nlu", "/chatbot"])
@pytest.mark.parametrize(
    "body",
    [
        said("I'd like to send flowers to my mother"),
        said("hello", "I want flowers", "2"),
        said(*["hello"] * 20),
        said(""),
        said("   "),
        said("<script>alert(1)</script><img src=x onerror=alert(1)>"),
        said("flowers\0\x01\x1b[31m\x7f\u202e\ufeff\r\n"),
        said("flowers " * 250),
        said("\U0001f490" * 2000),
        said("١٢ roses", "-3", "1e999", "99999999999999999999"),
        pressed(productId="roses-red-dozen", clickAction="checkout"),
        pressed(productId="no-such-product", clickAction="checkout"),
        pressed(productId=["x"], clickAction={"y": None}),
        pressed(),
        pressed(productId="roses-red-dozen", price=0.01, clickAction="checkout"),
    ],
    ids=lambda body: str(body["messages"][0])[-40:],
)
def test_whatever_is_said_is_answered(path, body, guest):
    assert guest.post(path, json=body).json()["messages"]


def cards(answer):
    return [
        message["structured"]["payload"]
        for message in answer.json()["messages"]
        if message["type"] == "structured"
        and message["structured"]["type"] == "product"
    ]


def test_a_wish_is_answered_with_cards_of_the_catalogue(guest):
    shown = cards(guest.post("/nlu", json=said("I'd like to send flowers")))
    assert shown
    for card in shown:
        product = guest.get(f"/products/{card['productId']}").json()
        assert card["name"] == product["name"]
        assert card["price"] == product["unitAmount"] / 100
        assert card["imageUrl"] == product["imageUrl"]


def test_a_pressed_button_orders_at_the_price_of_the_catalogue(guest):
    card = cards(guest.post("/nlu", json=said("I'd like to send flowers")))[0]
    answer = guest.post("/nlu", json=pressed(**card | {"price": 0.01}))
    assert answer.json()["messages"]
    assert "0.01" not in answer.text


def test_markup_does_not_come_back_as_markup_of_ours(guest):
    markup = "<b>flowers</b>"
    answer = guest.post("/nlu", json=said(markup))
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


# Checkout


def final(guest, answer):
    """Follow an order to its end; return it."""
    order_id = answer.json()["order"]["orderId"]

    def ended():
        read = served(lambda: guest.get(f"/orders/{order_id}"))
        read.raise_for_status()
        order = read.json()
        return order if order["status"] != "pending" else None

    return until(ended, f"{order_id} ends")


# How many call at the same moment. On Lambda each has a worker to itself, in every
# service on its way: a new account at AWS is given ten in all, and on a laptop, where
# each is a process that has to be started, ten calls are work enough.
AT_ONCE = 200 if BY_BEARER else 10
PUT_OFF = () if BY_BEARER else (429, 503)


def at_once(count, call):
    """Call so many times, as many as can be at the same time; return the answers."""
    with ThreadPoolExecutor(min(count, AT_ONCE)) as crowd:
        return list(crowd.map(call, range(count)))


def served(call):
    """Call until the answer is one, as whoever is put off is asked to.

    Stages 1 and 2 put off nobody here. On Lambda a crowd waits for workers to start,
    and whose time is up before is told to come again.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (answer := call()).status_code in PUT_OFF and time.monotonic() < deadline:
        time.sleep(int(answer.headers["Retry-After"]) * random.uniform(0.5, 1.5))
    return answer


@pytest.mark.parametrize(
    ("method", "status", "charges"),
    [
        (None, "confirmed", 1),
        ("pm_card_visa", "confirmed", 1),
        ("pm_card_mastercard", "confirmed", 1),
        ("pm_card_visa_chargeDeclined", "declined", 0),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "declined", 0),
        ("pm_card_authenticationRequired", "declined", 0),
        ("pm_no_such_method", "declined", 0),
    ],
)
def test_a_card_is_charged_or_declined(method, status, charges, guest, ledger, mailbox):
    fields = {"paymentMethod": method} if method else {}
    before = guest.get("/products/tulips-mixed").json()
    answer = guest.buy("tulips-mixed", quantity=2, **fields)
    order = final(guest, answer)
    sold = 2 if status == "confirmed" else 0
    assert order["status"] == status
    assert order["amount"] == 2 * before["unitAmount"]
    assert ledger.charges(order["orderId"]) == charges
    # Where another service gives it back, that may come after the end of the order.
    left = before["stock"] - sold
    product = "/products/tulips-mixed"
    until(lambda: guest.get(product).json()["stock"] == left, f"{left} are left")
    mails = until(lambda: mailbox.of(guest.email), "the mail is there")
    assert len(mails) == 1
    assert order["orderId"] in mails[0]["text"]
    if BY_BEARER:  # SES has no headers of ours
        assert mails[0]["headers"]["X-Order-Id"] == order["orderId"]
    if answer.status_code == 200:
        assert answer.json()["success"] is (status == "confirmed")
        assert answer.json()["order"] == order


def test_a_declined_order_says_so_and_what_to_do(guest):
    order = final(
        guest, guest.buy("pen-fountain", paymentMethod="pm_card_visa_chargeDeclined")
    )
    assert "declined" in order["message"].lower()
    assert "another card" in order["message"].lower()


def test_what_is_sold_out_is_not_sold(guest, ledger):
    order = final(guest, guest.buy("music-box"))
    assert order["status"] == "failed"
    assert "left" in order["message"]
    assert ledger.of(order["orderId"]) == {}


def test_more_than_there_is_is_not_sold(guest, backstage):
    backstage.set_stock("ticket-basketball", 3)
    assert (
        final(guest, guest.buy("ticket-basketball", quantity=4))["status"] == "failed"
    )
    assert guest.get("/products/ticket-basketball").json()["stock"] == 3


def test_the_same_purchase_again_is_the_same_order(guest, ledger):
    key = str(uuid.uuid4())
    first = final(guest, guest.buy("candle-vanilla", key))
    for _ in range(3):
        assert final(guest, guest.buy("candle-vanilla", key)) == first
    assert ledger.charges(first["orderId"]) == 1
    assert len(guest.get("/orders").json()["orders"]) == 1


def test_a_default_that_is_written_out_is_still_the_same_purchase(guest):
    key = str(uuid.uuid4())
    first = final(guest, guest.buy("candle-vanilla", key))
    again = guest.buy("candle-vanilla", key, quantity=1, paymentMethod="pm_card_visa")
    assert final(guest, again) == first


def test_a_declined_purchase_again_is_still_declined_and_not_tried_again(guest, ledger):
    key, card = str(uuid.uuid4()), "pm_card_visa_chargeDeclined"
    first = final(guest, guest.buy("bear-teddy", key, paymentMethod=card))
    sums = ledger.of(first["orderId"])
    assert final(guest, guest.buy("bear-teddy", key, paymentMethod=card)) == first
    assert ledger.of(first["orderId"]) == sums


def test_another_purchase_under_a_used_key_is_422(guest, ledger):
    key = str(uuid.uuid4())
    first = final(guest, guest.buy("candle-vanilla", key))
    assert guest.buy("candle-vanilla", key, quantity=2).status_code == 422
    assert guest.buy("bear-teddy", key).status_code == 422
    assert guest.order(first["orderId"]) == first
    assert ledger.charges(first["orderId"]) == 1


def test_two_guests_may_use_the_same_key(stage, new_guest):
    key = str(uuid.uuid4())
    one, other = new_guest(stage), new_guest(stage)
    mine, theirs = (
        final(one, one.buy("candy-jar", key)),
        final(other, other.buy("candy-jar", key)),
    )
    assert mine["orderId"] != theirs["orderId"]
    assert {mine["status"], theirs["status"]} == {"confirmed"}


@pytest.mark.parametrize("key", ["x", "~" * 255, "a b".replace(" ", "!")])
def test_any_visible_key_will_do(key, guest):
    assert guest.buy("candy-jar", key).ok


def test_whoever_asks_while_the_order_is_made_is_told_where_it_will_be(guest, ledger):
    def orders():
        return guest.get("/orders").json()["orders"]

    def asked_twice():
        key, before = str(uuid.uuid4()), len(orders())
        with ThreadPoolExecutor(1) as crowd, ledger.going_wrong(hang=True):
            first = crowd.submit(guest.buy, "candle-vanilla", key)
            until(lambda: len(orders()) > before, "the order is there")
            second = guest.buy("candle-vanilla", key)
        # Nobody waits for Stripe for ever: it may have been too long here.
        return None if first.result().status_code == 503 else (first.result(), second)

    first, second = until(asked_twice, "the second has asked in time")
    order = final(guest, first)
    assert second.status_code == 202
    assert second.headers["Location"] == f"/v1/orders/{order['orderId']}"
    assert second.json()["order"]["status"] == "pending"
    assert order["status"] == "confirmed"
    assert ledger.charges(order["orderId"]) == 1


def test_fifty_checkouts_with_one_key_are_one_order_and_one_charge(
    guest, ledger, backstage
):
    backstage.set_stock("hamper-breakfast", 50)
    key = str(uuid.uuid4())
    answers = at_once(50, lambda _: served(lambda: guest.buy("hamper-breakfast", key)))
    assert {answer.status_code for answer in answers} <= {200, 202}
    assert len({answer.json()["order"]["orderId"] for answer in answers}) == 1
    order = final(guest, answers[0])
    assert order["status"] == "confirmed"
    assert [order] == guest.get("/orders").json()["orders"]
    assert len(ledger.of(order["orderId"])["payment_intents"]) == 1
    assert ledger.charges(order["orderId"]) == 1
    assert guest.get("/products/hamper-breakfast").json()["stock"] == 49


def test_ten_items_are_sold_to_ten_of_many_buyers(stage, new_guest, ledger, backstage):
    backstage.set_stock("ride-carriage", 10)
    buyers = 200 if FULL else 40
    crowd = [new_guest(stage) for _ in range(buyers // 5)]

    def purchase(number):
        buyer, key = crowd[number % len(crowd)], str(uuid.uuid4())
        return final(buyer, served(lambda: buyer.buy("ride-carriage", key)))

    orders = at_once(buyers, purchase)
    ended = Counter(order["status"] for order in orders)
    assert ended == {"confirmed": 10, "failed": buyers - 10}
    assert crowd[0].get("/products/ride-carriage").json()["stock"] == 0
    for order in orders:
        sold = order["status"] == "confirmed"
        assert ledger.charges(order["orderId"]) == int(sold)
        assert sold or "not enough" in order["message"]


# Orders


def test_paging_through_orders_shows_each_once_newest_first(guest):
    bought = [final(guest, guest.buy("candy-jar")) for _ in range(5)][::-1]
    for limit in (1, 2, 5, 100):
        read = pages(guest, "/orders", "orders", limit=limit)
        assert [order for page in read for order in page] == bought


def test_a_new_order_does_not_disturb_the_next_page(guest):
    bought = [final(guest, guest.buy("candy-jar")) for _ in range(3)][::-1]
    first = guest.get("/orders", params={"limit": 2}).json()
    guest.buy("candy-jar")
    rest = guest.get("/orders", params={"cursor": first["nextCursor"]}).json()
    assert first["orders"] + rest["orders"] == bought


def test_a_new_guest_has_no_orders(guest):
    assert guest.get("/orders").json() == {"orders": []}


def test_guests_see_only_their_own_orders(stage, new_guest):
    one, other = new_guest(stage), new_guest(stage)
    mine = final(one, one.buy("candy-jar"))
    theirs = final(other, other.buy("candy-jar"))
    assert one.get("/orders").json()["orders"] == [mine]
    assert other.get("/orders").json()["orders"] == [theirs]


# Accounts


@pytest.mark.bearer
class TestAccounts:
    def test_an_address_is_the_same_in_capitals(self, guest):
        capitals = {"email": guest.email.upper(), "password": PASSWORD}
        assert guest.post("/login", json=capitals).status_code == 200

    def test_logging_out_ends_this_session_and_no_other(self, guest):
        credentials = {"email": guest.email, "password": PASSWORD}
        other = guest.post("/login", json=credentials).json()["token"]
        assert guest.post("/logout").status_code == 204
        assert guest.get("/orders").status_code == 401
        guest.http.headers["Authorization"] = f"Bearer {other}"
        assert guest.get("/orders").status_code == 200

    def test_who_signs_up_twice_at_once_has_one_account(self, stranger):
        body = {"email": f"twice-{uuid.uuid4().hex}@example.com", "password": PASSWORD}
        answers = at_once(8, lambda _: stranger.post("/signup", json=body))
        assert Counter(a.status_code for a in answers) == {201: 1, 409: 7}


# Operations


def test_health_names_the_stage_and_its_parts(stranger):
    health = stranger.get("/health").json()
    assert health["status"] == "ok"
    assert set(health["dependencies"].values()) == {"ok"}


def test_every_answer_carries_a_request_id(stranger):
    assert stranger.get("/health").headers["X-Request-Id"]
    named = stranger.get("/health", headers={"X-Request-Id": "my-own-1"})
    assert named.headers["X-Request-Id"] == "my-own-1"
