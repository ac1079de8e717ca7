"""What exercise 5 is graded by. Run it with `make grade EXERCISE=5`.

The concierge of stage 1 and of stage 2 with the student's files among the shipped ones.
At stage 2 it is the file of `catalog` that says what is sold, and `nlu` that talks.
"""

import importlib
import json
import sys
from dataclasses import asdict
from datetime import datetime, timezone
from itertools import product
from types import SimpleNamespace
from typing import get_args

import msgspec
import pytest
import yaml

from course import handed_in
from course.exercises import REPOSITORY

sys.dont_write_bytecode = True
NEW = "classes"
# What the page says of them: price in cents, and some words that guests use.
CLASSES = {"class-pasta": 6500, "class-pottery": 8900}
CONTRACT = "docs/reference/openapi.yaml"
STAGES = {1: "stage1_monolith", 2: "stage2_split_services"}
# Where the dialogue is, and where the list of what is sold.
TALKS = {1: "concierge", 2: "nlu"}
SELLS = {1: "concierge", 2: "catalog"}
# In the order in which they import each other.
MINE = {
    "concierge": ("wire", "products", "questions"),
    "catalog": ("wire", "products"),
    "nlu": ("wire", "products", "questions"),
}
NOON = datetime(2025, 6, 4, 12, 0, tzinfo=timezone.utc)  # a Wednesday


class Stage:
    """A stage with the student's files in it.

    Args:
        number: 1 or 2.
    """

    def __init__(self, number):
        self.number = number
        for package in dict.fromkeys((SELLS[number], TALKS[number])):
            importlib.import_module(package)
            for name in MINE[package]:
                file = f"{STAGES[number]}/{package}/{name}.py"
                handed_in.module(file, f"{package}.{name}")
        self._talks = TALKS[number]
        self.wires = {
            f"{STAGES[number]}/{package}/wire.py": _module(package, "wire")
            for package in dict.fromkeys((SELLS[number], TALKS[number]))
        }
        self.categories = _module(self._talks, "products").CATEGORIES
        self._products = self._engine = None

    def products(self):
        """Return what is sold, as the dialogue sees it."""
        if self._products is None:
            products = _module(SELLS[self.number], "products")
            shape = _module(self._talks, "products").Product
            try:
                sold = products.load_products()
            except ValueError as error:
                pytest.fail(f"Stage {self.number}: {error}", pytrace=False)
            self._products = [shape(**asdict(product)) for product in sold]
        return self._products

    def talk(self, *lines):
        """Say something; return the answers to the last line."""
        if self._engine is None:
            load = _module(self._talks, "understanding").load_engine
            self._engine = load("light")
        converse, state = _module(self._talks, "dialogue").converse, None
        for line in lines:
            said = {"type": "unstructured", "unstructured": {"text": line}}
            state, answers = converse(
                state, [said], NOON, self.products(), [], self._engine
            )
        return [SimpleNamespace(**_shown(answer)) for answer in answers]


def _module(package, name):
    return importlib.import_module(f"{package}.{name}")


def _shown(answer):
    said = answer[answer["type"]]
    payload = said.get("payload", {})
    return {"text": said["text"], "kind": said.get("type"), "payload": payload}


@pytest.fixture(scope="session")
def stages():
    return [Stage(number) for number in STAGES]


def check(holds, complaint):
    """Fail with a complaint, and without a traceback, unless something holds."""
    if not holds:
        pytest.fail(complaint, pytrace=False)


def shown(answers):
    """Return the products that were shown."""
    return [a.payload["productId"] for a in answers if a.kind == "product"]


def texts(answers):
    """Return all that was said, as text."""
    return " | ".join(answer.text for answer in answers)


@pytest.mark.row(1)
def test_the_contract_and_both_stages_name_the_category(stages):
    contract = yaml.safe_load(handed_in.path(CONTRACT).read_text(encoding="utf-8"))
    named = contract["components"]["schemas"]["Category"]["enum"]
    check(NEW in named, f"{CONTRACT}: schema Category has no {NEW}.")
    for stage in stages:
        for file, wire in stage.wires.items():
            known = list(get_args(wire.Category))
            check(
                sorted(known) == sorted(named),
                f"{file}: Category is {known}; the contract has {named}.",
            )
        known = list(stage.categories)
        where = f"{STAGES[stage.number]}/{TALKS[stage.number]}/products.py"
        check(sorted(known) == sorted(named), f"{where}: CATEGORIES are {known}.")


@pytest.mark.row(1)
def test_products_can_be_filtered_by_it(stages):
    for stage in stages:
        for file, wire in stage.wires.items():
            try:
                msgspec.convert({"category": NEW}, wire.ProductQuery)
            except msgspec.ValidationError as error:
                pytest.fail(
                    f"GET /products?category={NEW} of stage {stage.number} is refused: "
                    f"{error}. See {file}.",
                    pytrace=False,
                )


@pytest.mark.row(2)
def test_the_classes_are_sold_at_both_stages(stages):
    for stage in stages:
        sold = {at.product_id: at for at in stage.products() if at.category == NEW}
        for product_id, amount in CLASSES.items():
            where = f"{STAGES[stage.number]}/{SELLS[stage.number]}/data/products.json"
            check(product_id in sold, f"{where}: no {product_id} among {NEW}.")
            given = sold[product_id]
            check(
                (given.unit_amount, given.currency) == (amount, "usd"),
                f"{where}: {product_id} costs {given.unit_amount} {given.currency}; "
                f"amounts are in cents, and it should be {amount} usd.",
            )
            check(
                given.image_url == f"/images/{product_id}.svg",
                f"{where}: {product_id} has the picture {given.image_url}.",
            )


@pytest.mark.row(2)
def test_a_file_is_the_same_wherever_it_lies():
    for package in ("catalog", "nlu"):
        names = [f"{name}.py" for name in MINE[package]]
        for name in [*names, *(["data/products.json"] if package == "catalog" else ())]:
            mine = f"{STAGES[2]}/{package}/{name}"
            original = f"{STAGES[1]}/concierge/{name}"
            same = (
                handed_in.path(mine).read_bytes()
                == handed_in.path(original).read_bytes()
            )
            check(same, f"{mine} differs from {original}: copy it.")


@pytest.mark.row(2)
def test_what_was_sold_before_still_is(stages):
    file = REPOSITORY / STAGES[1] / "concierge/data/products.json"
    before = {at["productId"]: at for at in json.loads(file.read_text("utf-8"))}
    for stage in stages:
        now = {at.product_id: at for at in stage.products()}
        for name, known in before.items():
            check(name in now, f"Stage {stage.number}: {name} is not sold any more.")
            check(
                now[name].unit_amount == known["unitAmount"],
                f"Stage {stage.number}: {name} has another price.",
            )


@pytest.mark.row(3)
def test_guests_are_shown_classes(stages):
    for stage, words in product(stages, ("show me classes", "any workshops?")):
        answers = stage.talk(words)
        check(
            set(shown(answers)) >= set(CLASSES),
            f"Stage {stage.number}: to {words!r} it says {texts(answers)!r}. Whose "
            "words are those? See CATEGORIES in products.py.",
        )


BOOKING = ("I'd like to book the pasta class", "for three", "tomorrow")


@pytest.mark.row(3)
def test_a_class_is_for_people_at_a_time_in_a_city(stages):
    for stage in stages:
        answers = stage.talk(*BOOKING, "at 6 pm", "Boston")
        offers = [answer for answer in answers if answer.kind == "checkout"]
        check(
            offers,
            f"Stage {stage.number}: after {BOOKING}, a time and a city it says "
            f"{texts(answers)!r}, and offers nothing to pay.",
        )
        text = offers[0].text
        check(
            "$195.00" in text and "for 3" in text and "6:00 pm" in text,
            f"Stage {stage.number}: three people, 6 pm, and it offers {text!r}.",
        )


@pytest.mark.row(3)
def test_nobody_sends_a_driver_to_a_class(stages):
    for stage in stages:
        answers = stage.talk(*BOOKING, "Boston")
        check(
            "time" in texts(answers) and "driver" not in texts(answers),
            f"Stage {stage.number}: it has to ask for the time, and asks "
            f"{texts(answers)!r}. See questions.py.",
        )


@pytest.mark.row(4)
def test_other_things_are_understood_as_before(stages):
    for stage in stages:
        for words, one in (
            ("show me flowers", "tulips-mixed"),
            ("a table for two tonight", "table-trattoria"),
            ("a dinner with five courses tonight", "table-rooftop"),
        ):
            answers = stage.talk(words)
            check(
                one in shown(answers),
                f"Stage {stage.number}: to {words!r} it says {texts(answers)!r}.",
            )


@pytest.mark.row(4)
def test_of_course_is_still_a_yes(stages):
    for stage in stages:
        answers = stage.talk("book the trattoria", "for two", "of course")
        check(
            len(answers) == 1 and "city" in answers[0].text,
            f"Stage {stage.number}: a guest who books a table says 'of course', and is "
            f"told {texts(answers)!r}. Which of your category's words is that?",
        )


@pytest.mark.row(4)
def test_a_driver_still_comes_for_rides(stages):
    for stage in stages:
        answers = stage.talk(
            "a ride to the airport", "for two", "tomorrow", "5 Main Street, Boston"
        )
        check(
            "driver" in texts(answers),
            f"Stage {stage.number}: a guest who wants a ride is asked "
            f"{texts(answers)!r}, and not when the driver shall come.",
        )
