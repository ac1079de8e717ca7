"""The page of all commands, made from the Makefile."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

from load_tests.costs.usage import Usage

REPOSITORY = Path(__file__).resolve().parents[1]
TARGET = re.compile(r"^([a-z-]+):[^\n]*?## ([^\n]*)\n((?:\t[^\n]*\n)*)", re.MULTILINE)
ASSIGNED = re.compile(r"^([A-Z_]+) (\??:?=) ((?:.*\\\n)*.*)$", re.MULTILINE)
# What one may write after a target, as in `make diff FROM=1 TO=2`: what it means, and
# what holds unless it is given. The Makefile itself says that of some (`?=`).
BY_MAKEFILE = ""
MUST = "must be given"
NO = "no"
LIKE = Usage(Decimal(10_000))
VARIABLES = {
    "AGAINST": ("the `result.json` of an earlier comparison", "nothing is compared"),
    "ALL": ("`yes`: show everything in full", NO),
    "ARRIVALS": ("when purchases come: `constant` or `poisson`", "`constant`"),
    "CHATS": ("messages to the concierge in a visit", f"`{LIKE.chats:f}`"),
    "CHECKOUTS": ("purchases that are tried in a visit", f"`{LIKE.checkouts:f}`"),
    "COGNITO": (
        "the plan of the user pool: `lite`, `essentials`, `plus` or `none`",
        "`essentials`",
    ),
    "CONNECTIONS": (
        "how many purchases may be under way at a time",
        "as many as it takes",
    ),
    "DATA": ("a folder with `train.csv` and `test.csv`", MUST),
    "ENV": (
        "the name of a deployment; told on the command line only",
        "`dev` for `deploy`, `destroy`, `estimate`; else the stage that runs here",
    ),
    "EXERCISE": ("the number of an exercise", MUST),
    "FILE": ("where to draw a picture", "`.run/bill.png`"),
    "FREE": ("`yes`: subtract Lambda's free tier", NO),
    "FROM": ("a stage to compare from", BY_MAKEFILE),
    "ID": ("an order's id", MUST),
    "METRICS": ("`yes`: with API Gateway's metrics of each operation", NO),
    "NAME": ("an experiment of `make experiments`", MUST),
    "NLU_ENGINE": ("`light`, `strong` or `rules`", BY_MAKEFILE),
    "OFFSET": ("of an experiment's ports from a stage's own", "`500`"),
    "ONLY": ("a service or a module to keep to", "all of them"),
    "ORDERS": ("looks at one's orders in a visit", f"`{LIKE.orders:f}`"),
    "PEAK": (
        "how many times the mean the busiest moments ask for",
        f"`{LIKE.peak:f}`",
    ),
    "PRODUCTS": ("lists of products in a visit", f"`{LIKE.products:f}`"),
    "QUEUE": ("a queue of the stage", MUST),
    "PROCESSES": ("how many processes the guests are shared among", "`1`"),
    "QUICK": ("`1`: fewer and shorter rounds", NO),
    "RATE": ("purchases a second", "`20`"),
    "REDRAW": ("`yes`: measure nothing, draw and tell the saved results again", NO),
    "REPLICAS": (
        "how many copies of which services of stage 2: `nlu=2,checkout=3`",
        "one of each",
    ),
    "REQUESTS": ("how many calls a month to reckon with", "`100000`"),
    "ROUNDS": (
        "how often each has its turn",
        "`compare`: `10`, quick `5`; `model`: `7`, quick `4`",
    ),
    "RUN": ("the name of a run, where it is not the stage's own", "`stage1` and so on"),
    "SAVE": ("`yes`: keep the results in `load_tests/results/`, too", NO),
    "SECONDS": (
        "how long guests come, or each turn takes",
        "`load`: `60`, as a soak `1800`; `load-ui`: until Ctrl-C; `spike`: `10`; "
        "`compare`: `20`, quick `6`; `model`: `8`, quick `4`",
    ),
    "SEED": ("of what is drawn at random", "`20261123`"),
    "SERVICE": (
        "a service of the stage: `nlu`",
        "`logs`, `deploy`: all of them; else must be given",
    ),
    "SHAPE": ("`steady`, `steps`, `spike` or `soak`", "`steady`"),
    "SIGN_UP": ("`yes`: let guests sign up while it is measured", "`no`"),
    "SIZE": ("`small` or `full`, of the tests", BY_MAKEFILE),
    "STAGE": ("the number of a stage", "`1`; `failures`: `2`; `sdk`: `3`"),
    "STRIPE_MS": (
        "how long Stripe takes for a checkout (two calls), in milliseconds",
        "`300`",
    ),
    "THINK": ("how many seconds a guest thinks between two requests", "`2`"),
    "TO": ("a stage to compare with", BY_MAKEFILE),
    "USERS": (
        "guests a month, or at a time",
        f"`load`, `load-ui`: `20`; `compare`: `4`; else `{LIKE.users:f}` a month",
    ),
    "VISITS": ("visits of a guest a month", f"`{LIKE.visits:f}`"),
}
# Read by what they start, not in their own lines.
PASSED_ON = {
    "run-stage": {"REPLICAS"},
    "test": {"SIZE"},
    "estimate": {"REQUESTS"},
}
HEAD = """\
# Commands

<!-- Made by `make reference` from the Makefile: change it there. -->

Each is `make`, the command, and the variables that it reads, as in
`make diff FROM=1 TO=2`. `make help` prints the same in short. Each installs what it
needs into `.venv`, from PyPI, at its first use.

| command | does | reads |
|---|---|---|
"""
MIDDLE = """
## Variables

| variable | meaning | unless it is given |
|---|---|---|
"""
FOOT = """
The product's own settings, which are variables of the environment, are in
[configuration](configuration.md).
"""


def targets(makefile: str) -> dict[str, tuple[str, set[str]]]:
    """Return each described target, with its description and the variables it reads.

    Args:
        makefile: its text.
    """
    known = {name: value for name, _, value in ASSIGNED.findall(makefile)}
    found = {}
    for match in TARGET.finditer(makefile):
        head = match[0].split("##")[0]
        reads = _read(head + match[3], known, set())
        found[match[1]] = (match[2], reads | PASSED_ON.get(match[1], set()))
    return found


def defaults(makefile: str) -> dict[str, str]:
    """Return the variables with a value that one may change, and that value."""
    return {
        name: value for name, sign, value in ASSIGNED.findall(makefile) if sign == "?="
    }


def page(makefile: str) -> str:
    """Write the page.

    Args:
        makefile: the text of the Makefile.
    """
    described = targets(makefile)
    rows = [
        f"| `make {name}` | {told} | {', '.join(f'`{at}`' for at in sorted(reads))} |\n"
        for name, (told, reads) in described.items()
    ]
    values = defaults(makefile)
    used = set().union(*(reads for _, reads in described.values()))
    variables = []
    for name in sorted(used):
        meaning, otherwise = VARIABLES[name]
        otherwise = otherwise or f"`{values[name]}`"
        variables.append(f"| `{name}` | {meaning} | {otherwise} |\n")
    return HEAD + "".join(rows) + MIDDLE + "".join(variables) + FOOT


def _read(text: str, known: dict[str, str], seen: set[str]) -> set[str]:
    """Return the variables of a user that a text reads, also by way of others."""
    found = set()
    for name in set(re.findall(r"\b[A-Z][A-Z_]+\b", text)) - seen:
        if name in VARIABLES:
            found.add(name)
        elif name in known:
            found |= _read(known[name], known, seen | {name})
    return found
