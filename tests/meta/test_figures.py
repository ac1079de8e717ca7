"""Figures of the bill and the limits in the pages are those that the models reckon."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from decimal import Decimal
from functools import cache
from statistics import median

import pytest

from course import costs
from load_tests.compare import agreement as compare
from load_tests.compare.summary import summaries
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
COMPARED = REPOSITORY / "load_tests/results/compare/result.json"
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


def result(name):
    return json.loads((REPOSITORY / "load_tests/results" / name).read_text())


def load_tests_page():
    page = REPOSITORY / "load_tests/README.md"
    return " ".join(page.read_text(encoding="utf-8").split())


def test_how_a_queue_drained_is_told_as_it_was_measured():
    of = result("experiments/spike.json")
    drain, date = of["results"]["stages"]["4"]["drain"], of["machine"]["measured"][:10]
    assert (
        f"the {drain['backlog']} orders that ten times the usual purchases had left "
        f"were done after {drain['drained_seconds']:.0f} s, where backlog / (μ − λ) "
        f"says {drain['reckoned_seconds']:.0f} ({date};"
    ) in load_tests_page()


def test_what_stands_beside_published_results_is_what_was_measured():
    page, saved = load_tests_page(), compare.read(COMPARED)
    ratios = summaries(saved)[2].ratios
    visits = ratios["visits"].estimate
    assert f"on one core stage 2 makes {visits:.2f} times the visits" in page
    assert f"stage 2 {100 * (1 - visits):.0f} % below" in page
    p95 = ratios["p95 checkout"].estimate
    assert f"p95 of a checkout {p95:.2f} times" in page
    turns = saved.stages[1].turns
    asked = sum(turn.requests for turn in turns)
    rate = asked / sum(turn.generator_seconds for turn in turns)
    assert f"has {rate:,.0f} for a second of its CPU at stage 1" in page
    rates = result("experiments/scale-out.json")["results"]["rates"]
    two, six = (median(rates["products"][copies - 1]) for copies in (2, 6))
    assert (
        f"{two:.0f} reads of products a second with two copies of the monolith, "
        f"{six:.0f} with six; purchases"
    ) in page
    assert two > six
    assert median(rates["purchases"][5]) > median(rates["purchases"][4])


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
