"""DynamoDB's reservations follow the rules of stage 2, in whatever order."""

from __future__ import annotations

from itertools import count

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.chalice_apps import application
from tests.conftest import FULL

RUNS = count()


@pytest.fixture(scope="module", autouse=True)
def running():
    global RUNNING
    with application("catalog") as RUNNING:
        yield


class Reservations(RuleBasedStateMachine):
    """The reservations beside the rules, written as two dictionaries."""

    orders = st.integers(0, 3)
    products = st.sampled_from(["candy-jar", "roses-white", "no-such-thing"])

    def __init__(self):
        super().__init__()
        services = RUNNING.part("services").assembled()
        self.reservations = services.reservations
        self.table = services.catalog._table
        self.problem = RUNNING.part("errors").Unprocessable
        self.wish = RUNNING.part("internal").ReservationRequest
        self.run = next(RUNS)
        self.stock = {"candy-jar": 3, "roses-white": 5}
        self.known = {}
        for product, left in self.stock.items():
            self.table.write({"pk": f"product#{self.named(product)}", "stock": left})

    def named(self, what):
        """Name something of this run alone: all runs share the table."""
        return f"{what}-{self.run}"

    @rule(order=orders, product=products, quantity=st.integers(1, 3))
    def hold(self, order, product, quantity):
        asked = (product, quantity)
        if order not in self.known:
            enough = self.stock.get(product, 0) >= quantity
            if enough:
                self.stock[product] -= quantity
            self.known[order] = ("held" if enough else "refused", *asked)
        state, *before = self.known[order]
        wish = self.wish(product_id=self.named(product), quantity=quantity)
        if before and tuple(before) != asked:
            with pytest.raises(self.problem):
                self.reservations.hold(self.named(order), wish)
        else:
            told = self.reservations.hold(self.named(order), wish).state
            assert told == ("held" if state == "held" else "refused")

    @rule(order=orders)
    def release(self, order):
        state, *before = self.known.get(order, ("none",))
        if state == "held":
            self.stock[before[0]] += before[1]
        if state != "refused":
            self.known[order] = ("released", *before)
        self.reservations.release(self.named(order))

    @invariant()
    def as_much_is_left_as_the_rules_say(self):
        for product, left in self.stock.items():
            assert self.table.read(f"product#{self.named(product)}")["stock"] == left


TestReservations = Reservations.TestCase
TestReservations.settings = settings(
    max_examples=100 if FULL else 8,
    stateful_step_count=20,
    deadline=None,
    derandomize=True,
)
