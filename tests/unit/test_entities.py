import re
from datetime import date
from pathlib import Path

import pytest
from concierge import numbers
from concierge.entities import extract
from concierge.products import load_products
from concierge.remaining import FIGURE

PRODUCTS = load_products()
WEDNESDAY = date(2025, 6, 4)


DATES = [
    tuple(part.strip() for part in line.rsplit("|", 1))
    for line in (Path(__file__).parent / "date_phrases.txt").read_text().splitlines()
    if line and not line.startswith("#")
]


def found(text, today=WEDNESDAY):
    return extract(text, today, PRODUCTS)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("today", "2025-06-04"),
        ("tonight please", "2025-06-04"),
        ("tomorrow evening", "2025-06-05"),
        ("tommorow", "2025-06-05"),
        ("the day after tomorrow", "2025-06-06"),
        ("on Friday", "2025-06-06"),
        ("Firday", "2025-06-06"),
        ("next Friday", "2025-06-13"),
        ("Friday next week", "2025-06-13"),
        ("Wednesday", "2025-06-11"),
        ("this weekend", "2025-06-07"),
        ("next weekend", "2025-06-14"),
        ("in two weeks", "2025-06-18"),
        ("in 3 days", "2025-06-07"),
        ("in a month", "2025-07-04"),
        ("in a year", "2026-06-04"),
        ("a week from Friday", "2025-06-13"),
        ("three days from now", "2025-06-07"),
        ("on the 3rd", "2025-07-03"),
        ("the 30th", "2025-06-30"),
        ("June 21st, 2026", "2026-06-21"),
        ("21 June", "2025-06-21"),
        ("the 14th of February", "2026-02-14"),
        ("2025-12-24", "2025-12-24"),
        ("12/24", "2025-12-24"),
        ("12/24/25", "2025-12-24"),
        ("24.12.2025", "2025-12-24"),
        ("on Christmas Eve", "2025-12-24"),
        ("not Friday, Saturday", "2025-06-07"),
        ("instead of Friday take Sunday", "2025-06-08"),
        ("yesterday", "2025-06-03"),
        ("last Monday", "2025-06-02"),
        ("2 days ago", "2025-06-02"),
        ("February 29", "2028-02-29"),
    ],
)
def test_dates(text, day):
    assert found(text).date == date.fromisoformat(day)


@pytest.mark.parametrize(("text", "meant"), DATES)
def test_the_table_of_dates(text, meant):
    read = found(text)
    unclear = "ask" if "date" in read.unclear else "none"
    assert (read.date.isoformat() if read.date else unclear) == meant


def test_what_an_ambiguous_date_may_mean():
    assert found("3/7").days == (date(2026, 3, 7), date(2025, 7, 3))
    assert found("Friday or Saturday").days == (date(2025, 6, 6), date(2025, 6, 7))
    assert found("Friday, June 12").days == (date(2025, 6, 12), date(2025, 6, 6))
    assert found("04/06/2025").date == WEDNESDAY  # April has gone by


def test_from_a_day_to_a_day_are_nights():
    read = found("a room from Friday to Sunday")
    assert (read.date, read.nights) == (date(2025, 6, 6), 2)
    assert found("for three nights").nights == 3


@pytest.mark.parametrize(
    ("text", "time", "sure"),
    [
        ("at 7pm", "19:00", True),
        ("7:30 p.m.", "19:30", True),
        ("12 am", "00:00", True),
        ("noon", "12:00", True),
        ("at midnight", "00:00", True),
        ("19:45", "19:45", True),
        ("19h30", "19:30", True),
        ("tomorrow evening", "evening", True),
        ("tonight at 8", "20:00", True),
        ("at 7 in the morning", "07:00", True),
        ("half past seven in the evening", "19:30", True),
        ("quarter to eight", "07:45", False),
        ("at 7", "07:00", False),
        ("7 o'clock", "07:00", False),
        ("any time", "any", True),
        ("25:00", None, True),
        ("a table at 5 Main Street", None, True),
    ],
)
def test_times(text, time, sure):
    assert (found(text).time, found(text).half_day) == (time, sure)


@pytest.mark.parametrize(
    ("text", "number", "figures"),
    [("2 or two", 2, ()), ("2 or 3", None, (2, 3)), ("two or 2", 2, ())],
)
def test_one_figure_or_another(text, number, figures):
    assert (found(text).number, found(text).figures) == (number, figures)


def test_what_is_turned_down_is_not_wanted():
    read = found("not roses, tulips")
    assert read.products == ("tulips-mixed",)
    assert read.refused == ("roses-red-dozen", "roses-white")
    assert found("why not roses?").refused == ()


@pytest.mark.parametrize(
    "text", ["February 30", "2025-13-01", "on the 32nd", "next week", "some time"]
)
def test_a_date_that_is_none_or_not_one_day_is_unclear(text):
    assert found(text).date is None
    assert "date" in found(text).unclear


def test_a_month_is_as_long_as_it_is():
    assert found("in a month", date(2025, 1, 31)).date == date(2025, 2, 28)


@pytest.mark.parametrize("text", ["may I have roses", "3 roses", "order number 5"])
def test_no_date_where_there_is_none(text):
    assert found(text).date is None
    assert found(text).unclear == ()


@pytest.mark.parametrize(
    ("text", "quantity"),
    [
        ("two orchids", 2),
        ("2 cakes", 2),
        ("3 sushi platters", 3),
        ("a couple of pizzas", 2),
        ("a pair of candles", 2),
        ("half a dozen lilies", 6),
        ("a dozen red roses", 12),
        ("two dozen roses", 24),
        ("twenty-five tulips", 25),
        ("a birthday cake", 1),
        ("a box of macarons", 1),
        ("x3", 3),
        ("5x", 5),
        ("quantity 7", 7),
        ("four boxes", 4),
        ("a hundred and twenty sunflowers", 120),
        ("-2 cakes", -2),
        ("minus two cakes", -2),
    ],
)
def test_quantities(text, quantity):
    assert found(text).quantity == quantity


@pytest.mark.parametrize(
    ("text", "number"), [("two", 2), ("make it 3", 3), ("0", 0), ("I meant two", 2)]
)
def test_a_figure_alone_is_a_number(text, number):
    assert found(text).number == number
    assert found(text).quantity is None


@pytest.mark.parametrize("text", ["2.5 cakes", "a few roses", "99999999999 cakes"])
def test_a_quantity_that_is_no_whole_number_is_unclear(text):
    assert found(text).quantity is None
    assert {"quantity", "number"} & set(found(text).unclear)


@pytest.mark.parametrize("text", ["this one", "the cheapest one", "that one please"])
def test_pointing_does_not_count(text):
    assert (found(text).quantity, found(text).number) == (None, None)


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("four people", 4),
        ("a table for two", 2),
        ("party of 8", 8),
        ("there will be six of us", 6),
        ("we are five", 5),
        ("me and my wife", 2),
        ("just me", 1),
        ("-3 people", -3),
        ("a party of minus three", -3),
        ("0 guests", 0),
        ("a table for 4 tomorrow", 4),
    ],
)
def test_party_sizes(text, people):
    assert found(text).party_size == people


def test_two_weeks_are_no_party():
    assert found("a table in two weeks").party_size is None


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("under 40 dollars", None, 4000),
        ("less than $25.50", None, 2550),
        ("below thirty bucks", None, 3000),
        ("between 20 and 50", 2000, 5000),
        ("from 50 to 20 dollars", 2000, 5000),
        ("$20-$50 dollars", 2000, 5000),
        ("over $100", 10000, None),
        ("at least 30 dollars", 3000, None),
        ("my budget is 60", None, 6000),
        ("around $40", 2000, 5000),
        ("around 40", 2000, 5000),
        ("at most 25 bucks", None, 2500),
        ("less than $30", None, 3000),
        ("40 dollars or less", None, 4000),
        ("20 dollars and up", 2000, None),
    ],
)
def test_money(text, low, high):
    assert (found(text).min_amount, found(text).max_amount) == (low, high)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("to 5 Main Street", "5 Main Street"),
        ("deliver 3 cakes to 221B Baker Street on Friday", "221B Baker Street"),
        ("12 Oak Avenue, Boston", "12 Oak Avenue, Boston"),
        ("350 5th Ave, New York, NY 10118", "350 5th Ave, New York, NY 10118"),
        ("1600 Broadway", "1600 Broadway"),
        ("5 Main Street, Friday please", "5 Main Street"),
        ("P.O. Box 12", "P.O. Box 12"),
    ],
)
def test_addresses(text, address):
    assert found(text).address == address


def test_the_number_of_a_house_counts_nothing():
    read = found("two dozen roses to 5 Main Street on Friday")
    assert (read.quantity, read.dozens, read.number) == (24, True, None)
    assert read.date == date(2025, 6, 6)


@pytest.mark.parametrize(
    ("text", "city"),
    [("in Boston", "Boston"), ("NYC", "New York"), ("san francisco", "San Francisco")],
)
def test_cities(text, city):
    assert found(text).city == city


def test_a_place_that_is_no_known_city():
    assert found("a table in Atlantis").place == "Atlantis"
    assert found("a table in March").place is None


@pytest.mark.parametrize(
    ("text", "products"),
    [
        ("a dozen red roses", ["roses-red-dozen"]),
        ("roses", ["roses-red-dozen", "roses-white"]),
        ("choclate trufles", ["truffles-chocolate"]),
        ("some tulps", ["tulips-mixed"]),
        ("sunflwers", ["sunflowers-bunch"]),
        ("a double room", ["room-double"]),
        ("single room", ["room-single"]),
        ("table at the sushi bar", ["table-sushi-bar"]),
        ("italian restaurant", ["table-trattoria"]),
        ("taxi to the airport", ["ride-airport"]),
        ("the opera", ["ticket-opera"]),
        ("flowers", []),
        ("deliver it there", []),
        ("I would like something", []),
    ],
)
def test_products(text, products):
    assert list(found(text).products) == products


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("flowers for my mother", "flowers"),
        ("flowrs", "flowers"),
        ("a bouquet", "flowers"),
        ("any presents?", "gifts"),
        ("book a table for two", "tables"),
        ("a hotel", "rooms"),
        ("show me everything", None),
        ("which shows are on", "tickets"),
    ],
)
def test_categories(text, category):
    assert found(text).category == category


def test_occasion_and_recipient():
    read = found("something for my wife's birthday")
    assert (read.occasion, read.recipient) == ("birthday", "wife")


@pytest.mark.parametrize(
    ("text", "ordinal"),
    [("the second one", 2), ("the last one", -1), ("number two", 2), ("the first", 1)],
)
def test_ordinals(text, ordinal):
    assert found(text).ordinal == ordinal


def test_time_and_email():
    read = found("at 7:30 pm, write to ann@example.com.")
    assert (read.time, read.email) == ("19:30", "ann@example.com")
    assert read.number is None


def test_what_was_found_can_be_written_as_json():
    assert found("roses tomorrow").to_dict() == {
        "products": ("roses-red-dozen", "roses-white"),
        "date": "2025-06-05",
    }


def test_a_long_row_of_digits_is_tried_once():
    figure, row = re.compile(FIGURE), "7" * 2000
    assert [at for at in range(len(row)) if figure.match(row, at)] == [0]


def test_a_number_word_is_read_with_the_few_words_before_it(monkeypatch):
    read = []

    class Pattern:
        def search(self, before):
            read.append(len(before))

    monkeypatch.setattr(numbers, "_POINTING", Pattern())
    numbers.in_figures("one " * 500)
    assert len(read) == 500
    assert max(read) < 100
