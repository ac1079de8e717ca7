"""The page of all commands, made from the Makefile."""

from __future__ import annotations

import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
TARGET = re.compile(r"^([a-z-]+):[^\n]*?## ([^\n]*)\n((?:\t[^\n]*\n)*)", re.MULTILINE)
ASSIGNED = re.compile(r"^([A-Z_]+) (\??:?=) ((?:.*\\\n)*.*)$", re.MULTILINE)
# What one may write after a target: `make diff FROM=1 TO=2`.
VARIABLES = {
    "AGAINST": "the `result.json` of an earlier comparison",
    "ALL": "`yes`: show everything in full",
    "ARRIVALS": "when purchases come: `constant` or `poisson`",
    "CHATS": "messages to the concierge in a visit",
    "CHECKOUTS": "purchases that are tried in a visit",
    "COGNITO": "the plan of the user pool: `lite`, `essentials`, `plus` or `none`",
    "CONNECTIONS": "how many purchases may be under way at a time",
    "DATA": "a folder with `train.csv` and `test.csv`",
    "ENV": "the name of a deployment; told on the command line only",
    "EXERCISE": "the number of an exercise",
    "FILE": "where to draw a picture",
    "FREE": "`yes`: take Lambda's free tier off",
    "FROM": "a stage to compare from",
    "ID": "an order's id",
    "METRICS": "`yes`: with API Gateway's metrics of each operation",
    "NAME": "an experiment of `make experiments`",
    "NLU_ENGINE": "`light`, `strong` or `rules`",
    "OFFSET": "of an experiment's ports from a stage's own (500)",
    "ONLY": "a service or a module to keep to",
    "ORDERS": "looks at one's orders in a visit",
    "PEAK": "how many times the mean the busiest moments ask for",
    "PRODUCTS": "lists of products in a visit",
    "QUEUE": "a queue of the stage",
    "PROCESSES": "how many processes the guests are shared among",
    "QUICK": "`1`: fewer and shorter rounds",
    "RATE": "purchases a second",
    "REDRAW": "`yes`: measure nothing, draw and tell the saved results again",
    "REQUESTS": "how many calls a month to reckon with",
    "ROUNDS": "how often each has its turn",
    "RUN": "the name of a run, where it is not the stage's own",
    "SAVE": "`yes`: keep the results in `load_tests/results/`, too",
    "SECONDS": "how long guests come, or each turn takes",
    "SEED": "of what is drawn at random",
    "SERVICE": "a service of the stage: `nlu`",
    "SHAPE": "`steady`, `steps`, `spike` or `soak`",
    "SIGN_UP": "`yes`: let guests sign up while it is measured",
    "SIZE": "`small` or `full`, of the tests",
    "STAGE": "the number of a stage",
    "STRIPE_MS": "how long Stripe takes for a call, in milliseconds",
    "THINK": "how many seconds a guest thinks between two requests",
    "TO": "a stage to compare with",
    "USERS": "guests a month, or at a time",
    "VISITS": "visits of a guest a month",
}
# Read by what they start, not in their own lines.
PASSED_ON = {"test": {"SIZE"}, "estimate": {"REQUESTS"}}
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
    variables = [
        f"| `{name}` | {VARIABLES[name]} | "
        + (f"`{values[name]}`" if name in values else "")
        + " |\n"
        for name in sorted(used)
    ]
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
