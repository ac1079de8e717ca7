"""Prices, to the cent: what others published, and the laws of tiers."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from load_tests.costs.lines import rounded
from load_tests.costs.prices import FILE, PriceError, decimals, parsed, prices

MILLION = Decimal(1_000_000)
PRICES = prices()
NAMES = sorted(PRICES.prices)
quantities = st.decimals(0, Decimal("1e11"), places=3)


@pytest.mark.parametrize(
    ("name", "quantity", "dollars"),
    [
        ("lambda_gb_seconds", 6000 * MILLION, "100000.20"),
        ("lambda_gb_seconds", 15_000 * MILLION, "235000.20"),
        ("lambda_gb_seconds", 30_000 * MILLION, "435001.20"),
        ("lambda_gb_seconds_arm64", 7500 * MILLION, "100000.50"),
        ("api_rest_requests", 333 * MILLION, "1165.50"),
        ("api_rest_requests", 1000 * MILLION, "3033.10"),  # 1,165.50 and 1,867.60
        ("api_rest_requests", 21_000 * MILLION, "49763.10"),
        ("api_http_requests", 1000 * MILLION, "930.00"),
        ("dynamodb_writes", 3 * MILLION, "1.88"),
        ("dynamodb_reads", 8 * MILLION, "1.00"),
        ("data_out_gb", Decimal(10_240), "921.60"),
        ("data_out_gb", Decimal(51_200), "4403.20"),
        ("cognito_essentials_users", Decimal(100_000), "1350.00"),
        ("cognito_lite_users", Decimal(100_000), "495.00"),
        ("cognito_essentials_users", Decimal(10_000), "0.00"),
    ],
)
def test_published_amounts_come_out_to_the_cent(name, quantity, dollars):
    assert rounded(PRICES[name].of(quantity)) == Decimal(dollars)


def of_a_million(api, billed_ms):
    """The lecture's comparison: 512 MB, one write and one read a request."""
    seconds = MILLION * billed_ms / 1000 * 512 / 1024
    return sum(
        PRICES[name].of(count)
        for name, count in {
            "lambda_requests": MILLION,
            "lambda_gb_seconds": seconds,
            f"api_{api}_requests": MILLION,
            "dynamodb_writes": MILLION,
            "dynamodb_reads": MILLION,
        }.items()
    )


def two_instances_and_a_load_balancer():
    medium = next(each for each in PRICES.instances if each.name == "t3.medium")
    balancer = PRICES["load_balancer_hours"].of(PRICES.hours)
    return 2 * medium.hourly * PRICES.hours + balancer


@pytest.mark.parametrize(
    ("api", "billed_ms", "dollars", "break_even_millions"),
    [("rest", 100, "5.28", "14.6"), ("http", 100, "2.78", "27.7")],
)
def test_a_million_requests_and_where_two_instances_cost_the_same(
    api, billed_ms, dollars, break_even_millions
):
    million = of_a_million(api, billed_ms)
    assert rounded(million) == Decimal(dollars)
    assert rounded(two_instances_and_a_load_balancer()) == Decimal("77.16")
    millions = two_instances_and_a_load_balancer() / million
    assert round(millions, 1) == Decimal(break_even_millions)


def test_waiting_for_stripe_is_paid_for():
    assert rounded(of_a_million("rest", 400)) == Decimal("7.78")


@given(st.sampled_from(NAMES), quantities, quantities)
def test_more_costs_at_least_as_much(name, one, other):
    less, more = sorted([one, other])
    assert PRICES[name].of(less) <= PRICES[name].of(more)


@given(st.sampled_from(NAMES), quantities)
def test_the_free_tier_never_raises_a_price(name, quantity):
    price = PRICES[name]
    assert price.of(quantity, free_tier=True) <= price.of(quantity)


@pytest.mark.parametrize("name", NAMES)
def test_tiers_meet_without_a_jump(name):
    price = PRICES[name]
    highest = max(tier.price for tier in price.tiers) / price.per
    for tier in price.tiers[:-1]:
        before, after = price.of(tier.up_to), price.of(tier.up_to + 1)
        assert 0 <= after - before <= highest


@given(st.sampled_from(NAMES), quantities, quantities)
def test_no_step_costs_more_than_the_dearest_tier(name, quantity, step):
    price = PRICES[name]
    highest = max(tier.price for tier in price.tiers) / price.per
    assert price.of(quantity + step) - price.of(quantity) <= highest * step


@given(st.sampled_from(NAMES), quantities, quantities)
def test_what_is_not_cut_by_a_free_beginning_is_cheaper_in_bulk(name, one, other):
    price = PRICES[name]
    falling = [tier.price for tier in price.tiers]
    if falling == sorted(falling, reverse=True):
        assert price.of(one + other) <= price.of(one) + price.of(other)


def test_nothing_costs_nothing_and_less_than_nothing_is_refused():
    assert all(PRICES[name].of(Decimal(0)) == 0 for name in NAMES)
    with pytest.raises(ValueError, match="-1 requests"):
        PRICES["lambda_requests"].of(Decimal(-1))


def test_every_price_tells_its_source_and_a_secondary_one_is_not_verified():
    doubtful = ("secondary", "assumed", "twice")
    for name in NAMES:
        price = PRICES[name]
        assert price.source
        if any(word in price.source for word in doubtful):
            assert not price.verified, name


def test_figures_are_exact():
    assert decimals("{a: 0.0000166667, b: 7}") == {
        "a": Decimal("0.0000166667"),
        "b": Decimal(7),
    }


def test_a_price_that_is_not_there_is_asked_for():
    with pytest.raises(PriceError, match="no price 'moonlight'"):
        PRICES["moonlight"]


@pytest.mark.parametrize(
    "tiers",
    [
        [{"up_to": Decimal(2), "price": Decimal(1)}],
        [{"price": Decimal(1)}, {"price": Decimal(1)}],
        [
            {"up_to": Decimal(2), "price": Decimal(1)},
            {"up_to": Decimal(1), "price": Decimal(1)},
            {"price": Decimal(1)},
        ],
    ],
)
def test_tiers_out_of_order_are_refused(tiers):
    data = decimals(FILE.read_text(encoding="utf-8"))
    data["prices"]["letters"]["tiers"] = tiers
    with pytest.raises(PriceError, match="letters"):
        parsed(data)


def test_what_a_price_file_lacks_is_named():
    data = decimals(FILE.read_text(encoding="utf-8"))
    del data["hours_a_month"]
    with pytest.raises(PriceError, match="hours_a_month"):
        parsed(data)


def test_the_free_tier_is_a_switch():
    assert PRICES.with_free_tier() == replace(PRICES, free_tier=True)
