"""What exercise 7 is graded by. Run it with `make grade EXERCISE=7`.

Of the log that one begins with, and of others that are made up here: a figure that was
copied is right for one of them only.
"""

import random
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from course import handed_in
from load_tests.costs import crossovers
from load_tests.costs.prices import FILE, decimals, prices
from load_tests.costs.stages import STAGES, bill
from load_tests.costs.usage import Usage

sys.dont_write_bytecode = True
CENT = Decimal("0.01")
REQUESTS = ("products", "chats", "checkouts", "orders", "sign_ins")
# Mean visits an hour, visits a guest, and what is done in a visit.
MADE = {
    "a village": (2, 3, {"products": 2, "chats": 5, "checkouts": 0.5}, 1),
    "a city": (4000, 9, {"products": 4, "chats": 12, "checkouts": 0.2}, 30),
    "a talk show": (900, 1.2, {"products": 6, "chats": 2, "checkouts": 0.02}, 300),
}


@pytest.fixture(scope="session")
def student():
    """Load the student's module."""
    return handed_in.module("bill.py", "student_bill")


@pytest.fixture(scope="session")
def logs(student):
    """Return each log by its name, with the usage that is right for it."""
    given = student.read(Path(__file__).parent / "start" / "traffic.csv")
    hours = {"traffic.csv": given} | {name: made(name) for name in MADE}
    return {name: (log, usage(log)) for name, log in hours.items()}


def made(name):
    """Make a log of 30 days up."""
    visits, each, does, burst = MADE[name]
    chance = random.Random(name)  # noqa: S311
    found = []
    for hour in range(30 * 24):
        count = round(chance.uniform(0.2, 1.8) * visits * (burst if hour == 500 else 1))
        done = {key: round(count * does.get(key, 0.3)) for key in REQUESTS}
        guests = {"guests": round(count * 0.9), "first_time": round(count / each)}
        found.append({**guests, "visits": count, **done})
    return found


def usage(hours):
    """Return the usage of a log."""
    total = {name: Decimal(sum(hour[name] for hour in hours)) for name in hours[0]}
    each = [sum(hour[name] for name in REQUESTS) for hour in hours]
    return Usage(
        users=total["first_time"],
        visits=total["visits"] / total["first_time"],
        peak=Decimal(max(each)) * len(each) / sum(each),
        **{name: total[name] / total["visits"] for name in REQUESTS},
    )


def close(mine, figure, within):
    """Whether two figures are the same, as far as rounding goes."""
    return abs(Decimal(mine) - figure) <= within


def check(holds, complaint):
    """Fail with a complaint, and without a traceback, unless something holds."""
    if not holds:
        pytest.fail(complaint, pytrace=False)


def check_figures(student, logs, names, hint):
    """Compare figures of the usage of each log, to a thousandth."""
    for log, (hours, right) in logs.items():
        mine = student.usage(hours)
        for name in names:
            figure, given = getattr(right, name), getattr(mine, name)
            check(
                close(given, figure, figure / 1000),
                f"{log}: {name} is {given:.3f}, and should be {figure:.3f}. {hint}",
            )


@pytest.mark.row(1)
def test_people_are_counted_once_a_month(student, logs):
    hint = "Who comes in two hours is one user. Which column counts each of them once?"
    check_figures(student, logs, ["users"], hint)


@pytest.mark.row(1)
def test_visits_are_of_each_user(student, logs):
    check_figures(student, logs, ["visits"], "It is visits a user, of the whole month.")


@pytest.mark.row(1)
def test_what_is_done_is_of_each_visit(student, logs):
    check_figures(student, logs, REQUESTS, "It is so many a visit, and not a user.")


@pytest.mark.row(2)
def test_the_peak_is_the_busiest_hour_over_the_mean_one(student, logs):
    hint = "Of requests, and not of visits; an hour without any counts for the mean."
    check_figures(student, logs, ["peak"], hint)


@pytest.mark.row(3)
def test_a_price_is_charged_as_aws_does(student):
    for name, price in decimals(FILE.read_text(encoding="utf-8"))["prices"].items():
        ends = [tier["up_to"] for tier in price.get("tiers", ()) if "up_to" in tier]
        for quantity in (0, 1, 12_345, 10**6, *ends, *(2 * end for end in ends)):
            figure = prices()[name].of(Decimal(quantity))
            given = student.charged(Decimal(quantity), price)
            check(
                close(given, figure, Decimal("0.000001")),
                f"{name}: {quantity:,} {price['unit']} cost {figure:f} dollars, and "
                f"not {given:f}. See `per` and `tiers` in prices.yaml.",
            )


@pytest.mark.row(4)
def test_each_stage_has_a_bill(student, logs):
    for log, (_, right) in logs.items():
        figures = {stage: bill(stage, right).total for stage in STAGES}
        check(student.totals(right) == figures, f"{log}: the bills are {figures}")


@pytest.mark.row(4)
def test_the_bills_are_right_to_the_cent(student, logs):
    for log, (hours, right) in logs.items():
        given = student.totals(student.usage(hours))
        for stage in STAGES:
            figure = bill(stage, right).total
            check(
                close(given[stage], figure, CENT),
                f"{log}: stage {stage} costs {figure} dollars, and not {given[stage]}. "
                "See what is said of the usage first.",
            )


@pytest.mark.row(4)
def test_the_cheapest_stage_is_known(student, logs):
    for log, (_, right) in logs.items():
        cost = {stage: bill(stage, right).total for stage in STAGES}
        told = ", ".join(f"stage {stage} {dollars}" for stage, dollars in cost.items())
        given = student.cheapest(right)
        check(given == min(cost, key=cost.get), f"{log}: not stage {given}: {told}")


@pytest.mark.row(5)
def test_the_crossover_is_found(student, logs):
    for log, (_, right) in logs.items():
        first = {}
        for each in crossovers.crossovers(right):
            first.setdefault((each.dearer, each.cheaper), each.users)
        for stage, other in ((3, 1), (4, 2), (1, 3), (2, 1)):
            figure = first.get((stage, other))
            given = student.crossover(right, stage, other)
            near = figure and given and abs(given - figure) <= max(2, figure // 1000)
            where = f"from {figure:,} users on" if figure else "nowhere"
            check(
                near or given == figure,
                f"{log}: stage {stage} becomes dearer than stage {other} {where}; "
                f"yours says {given}. These guests do what those of the log do.",
            )


@pytest.mark.row(5)
def test_it_is_known_what_makes_a_bill_grow(student, logs):
    for log, (_, right) in logs.items():
        for stage in STAGES:
            more = growth(right, stage)
            said, most = student.growing(right, stage), max(more.values())
            lines = ", ".join(sorted(more))
            check(said in more, f"{said!r} is no line of stage {stage}: {lines}")
            check(
                more[said] >= most - CENT,
                f"{log}: with twice the users {said!r} of stage {stage} grows by "
                f"{more[said]:.2f} dollars, and another line by {most:.2f}.",
            )


def growth(used, stage):
    """Return by how much each line of a bill grows with twice the users."""
    now, then = (
        {line.name: line.exact for line in bill(stage, like).lines}
        for like in (used, replace(used, users=used.users * 2))
    )
    return {name: dollars - now.get(name, 0) for name, dollars in then.items()}
