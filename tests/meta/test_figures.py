"""Figures of the bill and the limits in the pages are those that the models reckon."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from functools import cache

import pytest

from course import costs
from load_tests.costs import stages
from load_tests.costs.crossovers import crossovers
from load_tests.costs.serverless import NO_COGNITO
from load_tests.limits.resources import resources
from tests.meta import pages
from tests.meta.carried_over import REPOSITORY
from tests.meta.pages import DOCS, name_of

EVERY = [
    page for page in pages.tracked("*.md") if DOCS / "exercises" not in page.parents
]
HEADER = re.compile(r"^\| users a month \|.*1 monolith \| 2 services \|.*\n\|[-|]+\n")
README_ROW = re.compile(r"^\| (?:dollars a month|…) for ([\d,]+) users \|(.*)\|$", re.M)
# Round figures that say how many there shall be, and nothing of what was reckoned.
TOLD = re.compile(r"(?<![\d,])([\d,]{5,}) users")


@cache
def bills(users):
    like = replace(costs.LIKE, users=Decimal(users))
    return [
        f"{stages.bill(at, like, stages.Terms()).total:,.2f}" for at in stages.STAGES
    ]


@cache
def reckoned():
    """Return every number of users at which something is overtaken, or breaks."""
    terms = (stages.Terms(), stages.Terms(cognito=NO_COGNITO))
    users = [cross.users for each in terms for cross in crossovers(costs.LIKE, each)]
    for stage in stages.STAGES:
        for at in resources(stage, costs.BUSY, costs.STRIPE_MS):
            breaks = at.breaks_at(float(costs.BUSY.users))
            users += [] if breaks == float("inf") else [round(breaks)]
    return {f"{number:,}" for number in users}


def wrong(text):
    """Tell which figures of a page the models do not reckon."""
    for number in TOLD.findall(text):
        is_round = number.replace(",", "").strip("0") == "1"
        if not is_round and number not in reckoned():
            yield f"{number} users"
    for block in re.split(r"\n(?=\|[^\n]*\n\|[-|]+\n)", text):
        if HEADER.match(block):
            for row in block.splitlines()[2:]:
                cells = [cell.strip("* ") for cell in row.strip("| ").split("|")]
                if row.startswith("|") and cells[-4:] != bills(
                    cells[0].replace(",", "")
                ):
                    yield row
    for users, row in README_ROW.findall(text):
        cells = [cell.strip("* ") for cell in row.split("|")]
        if cells[:4] != bills(users.replace(",", "")):
            yield f"{users}: {row}"


@pytest.mark.parametrize("page", EVERY, ids=name_of)
def test_a_page_has_the_figures_that_the_models_reckon(page):
    found = list(wrong(page.read_text(encoding="utf-8")))
    assert found == [], "`make bill` and `make limits` say otherwise."


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("README.md", "127.94", "127.95"),
        ("load_tests/README.md", "| 101.22 |", "| 101.23 |"),
        ("docs/tutorial/5-not-a-panacea.md", " 332,626 users", " 332,627 users"),
    ],
)
def test_a_figure_that_drifted_is_found(name, good, bad):
    text = (REPOSITORY / name).read_text(encoding="utf-8")
    assert good in text
    assert list(wrong(text.replace(good, bad))) != []
