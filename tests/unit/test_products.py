import json
import re
from pathlib import Path

import pytest
from concierge.products import (
    CATEGORIES,
    PRODUCTS_FILE,
    ProductFileError,
    load_products,
    price,
    search,
)

PRODUCTS = load_products()
IMAGES = Path(__file__).parents[2] / "frontend" / "images"


def ids(products):
    return [product.product_id for product in products]


def test_there_are_about_forty_products_in_eight_categories():
    assert 38 <= len(PRODUCTS) <= 45
    assert {product.category for product in PRODUCTS} == set(CATEGORIES)
    assert len(CATEGORIES) == 8


def test_one_product_is_scarce_and_one_sold_out_for_the_labs():
    assert min(product.stock for product in PRODUCTS) == 0
    assert 3 in {product.stock for product in PRODUCTS}


@pytest.mark.parametrize("product", PRODUCTS, ids=lambda product: product.product_id)
def test_every_product_has_a_small_picture_that_a_strict_page_may_show(product):
    assert product.image_url == f"/images/{product.product_id}.svg"
    picture = (IMAGES / f"{product.product_id}.svg").read_text(encoding="utf-8")
    assert len(picture) < 2048
    assert not re.search(r"<script|style=|<style|<image|\son\w+=", picture)
    links = re.findall(r'href="([^"]*)"', picture)
    assert all(link.startswith("#") for link in links)


def test_no_picture_is_left_over():
    assert {path.stem for path in IMAGES.glob("*.svg")} == set(ids(PRODUCTS))


def test_search_by_category():
    assert len(search(PRODUCTS, category="rooms")) == 5


def test_search_by_text_needs_every_word_and_takes_its_beginning():
    assert ids(search(PRODUCTS, text="Red ROS")) == ["roses-red-dozen"]
    assert search(PRODUCTS, text="red opera") == []


def test_search_by_price_is_inclusive():
    found = search(PRODUCTS, min_amount=2200, max_amount=2400)
    assert ids(found) == ["bear-teddy", "truffles-chocolate"]


def test_search_with_several_conditions_needs_them_all():
    assert ids(search(PRODUCTS, category="sweets", text="box", max_amount=3000)) == [
        "macarons-box"
    ]
    assert ids(search(PRODUCTS, category="gifts", text="SOFT")) == ["bear-teddy"]
    assert search(PRODUCTS, category="gifts", min_amount=2000, max_amount=1000) == []


def test_search_finds_keywords_and_descriptions():
    assert "ride-city" in ids(search(PRODUCTS, text="taxi"))
    assert ids(search(PRODUCTS, text="waltz")) == ["music-box"]


def test_search_without_conditions_is_everything():
    assert search(PRODUCTS) == list(PRODUCTS)


def test_prices_are_written_for_people():
    assert price(4999) == "$49.99"
    assert price(123400) == "$1,234.00"
    assert price(500, "eur") == "5.00 EUR"


ROSES = json.loads(PRODUCTS_FILE.read_text(encoding="utf-8"))[0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"unitAmount": "49"}, "unitAmount must be a int"),
        ({"unitAmount": 0}, "above 0"),
        ({"stock": -1}, "stock"),
        ({"category": "cars"}, "category must be one of"),
        ({"productId": "Red Roses"}, "lower case"),
        ({"colour": "red"}, "unknown field 'colour'"),
        ({"serves": 2}, "serves"),
    ],
)
def test_a_wrong_product_is_named_with_what_is_wrong(tmp_path, change, said):
    path = tmp_path / "products.json"
    path.write_text(json.dumps([ROSES | change]), encoding="utf-8")
    with pytest.raises(ProductFileError, match=f"product 1.*{said}"):
        load_products(path)


def test_a_product_given_twice_is_refused(tmp_path):
    path = tmp_path / "products.json"
    path.write_text(json.dumps([ROSES, ROSES]), encoding="utf-8")
    with pytest.raises(ProductFileError, match="twice"):
        load_products(path)


@pytest.mark.parametrize("text", ["{", "{}", "[1]"])
def test_a_file_that_is_no_list_of_products_is_refused(tmp_path, text):
    path = tmp_path / "products.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ProductFileError):
        load_products(path)
