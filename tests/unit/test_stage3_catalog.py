"""The catalogue of stage 3: its operations, and stock that moves once."""

from __future__ import annotations

import base64
import json

import pytest
from chalice.test import Client

from tests.chalice_apps import application

ORDER = "ord_" + 24 * "0"
RESERVATION = "/internal/reservations/{orderId}"
CANDY = {"productId": "candy-jar", "quantity": 2}


@pytest.fixture(scope="module")
def catalog():
    with application("catalog") as app:
        with Client(app.module.app) as client:
            assert client.lambda_.invoke("stock_shelves").payload == {"products": 41}
        yield app


def stock(catalog, product="candy-jar"):
    names = {"productId": product}
    return catalog.call("GET", "/products/{productId}", names=names).body["stock"]


def reserve(catalog, order, wanted):
    return catalog.call("PUT", RESERVATION, body=wanted, names={"orderId": order})


def release(catalog, order):
    return catalog.call("DELETE", RESERVATION, names={"orderId": order})


def test_products_come_in_pages_in_order_and_each_once(catalog):
    seen, cursor = [], {}
    while True:
        page = catalog.call("GET", "/products", query={"limit": "7"} | cursor).body
        seen += [product["productId"] for product in page["products"]]
        if "nextCursor" not in page:
            break
        cursor = {"cursor": page["nextCursor"]}
    assert seen == sorted(set(seen))
    assert len(seen) == 41


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ({"category": "flowers"}, lambda p: p["category"] == "flowers"),
        ({"text": "rose"}, lambda p: "rose" in json.dumps(p).lower()),
        ({"maxAmount": "2000"}, lambda p: p["unitAmount"] <= 2000),
        ({"minAmount": "9000"}, lambda p: p["unitAmount"] >= 9000),
    ],
)
def test_filters_choose(query, holds, catalog):
    products = catalog.call("GET", "/products", query=query).body["products"]
    assert products
    assert all(map(holds, products))


def test_partners_see_the_same(catalog):
    page = catalog.call("GET", "/partner/products", query={"limit": "3"}, guest=None)
    assert page.body == catalog.call("GET", "/products", query={"limit": "3"}).body


def test_no_cache_keeps_an_answer_and_each_has_an_id(catalog):
    headers = {"X-Request-Id": "mine"}
    answer = catalog.call("GET", "/products", headers=headers)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Request-Id"] == "mine"


def test_the_page_and_no_other_may_read_answers_and_errors(catalog):
    for query in ({}, {"limit": "0"}):
        headers = catalog.call("GET", "/products", query=query).headers
        assert headers["Access-Control-Allow-Origin"] == "https://site.example"


@pytest.mark.parametrize("name", ["no-such-thing", "Candy", "../x", "x" * 2000])
def test_what_we_do_not_sell_is_404(name, catalog):
    answer = catalog.call("GET", "/products/{productId}", names={"productId": name})
    assert answer.status == answer.body["code"] == 404


def test_the_dialogue_sees_all_and_checkout_the_one(catalog):
    everything = catalog.call("GET", "/internal/products").body["products"]
    assert len(everything) == 41
    query = {"productId": "candy-jar"}
    one = catalog.call("GET", "/internal/products", query=query).body["products"]
    assert one == [p for p in everything if p["productId"] == "candy-jar"]
    query = {"productId": "no-such-thing"}
    none = catalog.call("GET", "/internal/products", query=query)
    assert none.body == {"products": []}


def test_stock_is_held_once_and_given_back_once(catalog):
    before = stock(catalog)
    for _ in range(3):
        assert reserve(catalog, ORDER, CANDY).body["state"] == "held"
    assert stock(catalog) == before - 2
    for _ in range(3):
        assert release(catalog, ORDER).status == 204
    assert stock(catalog) == before
    assert reserve(catalog, ORDER, CANDY).body["state"] == "refused"


def test_shelves_that_are_stocked_again_keep_what_was_sold(catalog):
    reserve(catalog, ORDER[:-1] + "1", CANDY)
    before = stock(catalog)
    with Client(catalog.module.app) as client:
        client.lambda_.invoke("stock_shelves")
    assert stock(catalog) == before


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        ("{", {}, 400),
        ("", {}, 400),
        (CANDY | {"price": 1}, {}, 400),
        (CANDY | {"quantity": 0}, {}, 400),
        (CANDY, {"Content-Type": "text/plain"}, 415),
        (" " * (64 * 1024 + 1), {}, 413),
        ("\ud800", {}, 400),
    ],
)
def test_a_bad_body_is_told_so(body, headers, status, catalog):
    names = {"orderId": ORDER[:-1] + "2"}
    answer = catalog.call("PUT", RESERVATION, body=body, headers=headers, names=names)
    assert answer.status == answer.body["code"] == status


def test_a_body_in_base64_is_read(catalog):
    body = base64.b64encode(json.dumps(CANDY).encode()).decode()
    names = {"orderId": ORDER[:-1] + "3"}
    answer = catalog.call("PUT", RESERVATION, body=body, names=names, base64=True)
    assert answer.body["state"] == "held"


def test_a_mistake_of_ours_is_told_without_details(catalog, monkeypatch):
    monkeypatch.setattr(catalog.part("catalog").Catalog, "page", lambda *_: 1 / 0)
    answer = catalog.call("GET", "/products")
    assert answer.status == answer.body["code"] == 500
    assert "Zero" not in answer.body["message"]


def test_a_database_that_is_away_is_503_with_a_time_to_wait(catalog, monkeypatch):
    table = catalog.part("services").assembled().catalog._table
    monkeypatch.setattr(table, "name", "no-such-table")
    answer = catalog.call("GET", "/products")
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) > 0
