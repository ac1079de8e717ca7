"""Bills as tables of plain text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from .crossovers import FEWEST, MOST, Crossover, crossovers
from .instances import TooLarge
from .lines import Bill
from .serverless import NO_COGNITO
from .stages import STAGES, Terms, bill
from .usage import Usage

NAMES = {1: "monolith", 2: "services", 3: "serverless", 4: "asynchronous"}
USERS = (100, 1_000, 10_000, 100_000)
BURSTY = Decimal(50)


def report(usage: Usage, terms: Terms) -> str:
    """Return everything about a month: the bills, how they grow, where they cross."""
    bills = [bill(stage, usage, terms) for stage in STAGES]
    return "\n\n".join(
        [
            _head(usage, terms),
            lines(bills),
            _notes(bills),
            growth(usage, terms),
            crossings(usage, terms),
        ]
    )


def lines(bills: Sequence[Bill]) -> str:
    """Return the bills side by side, line by line."""
    names = list(dict.fromkeys(line.name for bill in bills for line in bill.lines))
    doubtful = {line.name for bill in bills for line in bill.lines if not line.verified}
    rows = [["US dollars a month", *(f"{b.stage} {NAMES[b.stage]}" for b in bills)]]
    for name in names:
        mark = " *" if name in doubtful else ""
        rows.append([name + mark, *(_money(bill.dollars(name)) for bill in bills)])
    rows.append(["total", *(_money(bill.total) for bill in bills)])
    return columns(rows)


def growth(usage: Usage, terms: Terms) -> str:
    """Return the totals from 100 to 100,000 users, of flat and of bursty traffic."""
    rows = [["users a month", "peak", *(f"{at} {NAMES[at]}" for at in STAGES)]]
    for users in USERS:
        for peak in dict.fromkeys((Decimal(1), BURSTY, usage.peak)):
            like = replace(usage, users=Decimal(users), peak=peak)
            totals = [_total(stage, like, terms) for stage in STAGES]
            rows.append([f"{users:,}", f"x {peak:f}", *totals])
    return columns(rows)


def crossings(usage: Usage, terms: Terms) -> str:
    """Return a sentence for each crossover, with Cognito's line and without."""
    parts = [_crossings(usage, terms)]
    if terms.cognito != NO_COGNITO:
        parts.append("If somebody else kept the accounts, without Cognito's line:")
        parts.append(_crossings(usage, replace(terms, cognito=NO_COGNITO)))
    return "\n".join(parts)


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Return rows with aligned columns, the first one to the left."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _crossings(usage: Usage, terms: Terms) -> str:
    found = crossovers(usage, terms)
    if not found:
        return f"No bill overtakes another from {FEWEST} to {MOST:,} users."
    return "\n".join(_sentence(each) for each in found)


def _sentence(each: Crossover) -> str:
    return (
        f"From {each.users:,} users ({each.requests:,.0f} requests a month) on, "
        f"stage {each.dearer} costs more than stage {each.cheaper} "
        f"({each.dollars:,.2f} a month)."
    )


def _head(usage: Usage, terms: Terms) -> str:
    each = "  ".join(f"{name} {count:f}" for name, count in usage.a_visit.items())
    requests = sum(usage.a_month().values(), Decimal(0))
    free = "with" if terms.prices.free_tier else "without"
    return (
        f"{usage.users:,.0f} users a month, {usage.visits:f} visits each; a visit: "
        f"{each}\n{requests:,.0f} requests a month, the peak {usage.peak:f} times "
        f"the mean; {terms.prices.region}, prices read {terms.prices.read}, {free} "
        "Lambda's free tier"
    )


def _notes(bills: Iterable[Bill]) -> str:
    told = ["* a price in this line is unverified: see load_tests/costs/prices.yaml"]
    for each in bills:
        told += [f"Stage {each.stage}, {fact}" for fact in each.basis]
        machines = [
            line.detail
            for line in each.lines
            if line.name.startswith(("Instances", "PostgreSQL"))
        ]
        if machines:
            told.append(f"Stage {each.stage}, machines: {'; '.join(machines)}")
    return "\n".join(told)


def _total(stage: int, usage: Usage, terms: Terms) -> str:
    try:
        return _money(bill(stage, usage, terms).total)
    except TooLarge:
        return "too large"


def _money(dollars: Decimal | None) -> str:
    return "" if dollars is None else f"{dollars:,.2f}"
