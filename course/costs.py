"""The pages of prices, bills and limits, made from the models and their files."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import yaml

from load_tests.costs import prices, stages, table
from load_tests.costs.crossovers import crossovers
from load_tests.costs.serverless import NO_COGNITO
from load_tests.costs.usage import Usage
from load_tests.limits import settings
from load_tests.limits.resource import Resource
from load_tests.limits.resources import resources

LIKE = Usage(Decimal(10_000))
BUSY = replace(LIKE, users=Decimal(100_000), peak=Decimal(50))
STRIPE_MS = 300.0
COSTS = """\
# Costs

<!-- Made by `make reference` from load_tests/costs: change the files there. -->

What a month of each stage would cost at AWS, and the prices behind it. All of it is
reckoned, in {region}, from prices read on {read}. **None of it was ever paid.**
[Cost and latency](../explanation/cost-and-latency.md) explains what decides it.

## Reckon it for guests of your own

```sh
make bill USERS=10000
make bill USERS=5000 VISITS=4 CHATS=3 CHECKOUTS=0.1
make bill COGNITO=lite
make bill FREE=yes
```

The second describes other guests; [commands](commands.md#variables) has all names. The
third takes a cheaper plan of Cognito's; `none` says that somebody else keeps the
accounts. The last subtracts Lambda's free tier, and nobody else's: what AWS gives away
of other services is paid for here, but for Cognito's first 10,000 users, which are a
tier of the prices of its plans Lite and Essentials; Plus has none free.

| to change | edit |
|---|---|
| a price | [prices.yaml](../../load_tests/costs/prices.yaml): each has its source |
| what nobody measured | [assumptions.yaml](../../load_tests/costs/assumptions.yaml) |

## A month, by users

US dollars, for a guest who comes {visits} times a month: {each} in a visit.

{growth}
## Where one stage overtakes another

{crossings}
## Prices

A price that is not verified was found in a secondary source only, or is an assumption.
Look it up before you rely on it.

| price | US dollars | for | free a month, with `FREE=yes` | verified | source |
|---|---|---|---|---|---|
{prices}
## Machines

| machine | of | US dollars an hour | vCPUs, and their share for all day | GiB \
| verified | source |
|---|---|---|---|---|---|---|
{machines}"""
LIMITS = """\
# Limits

<!-- Made by `make reference` from load_tests/limits: change the files there. -->

Which quota or resource is not enough first, as guests grow in number. It is reckoned
from documented quotas, our own settings and what was measured on a laptop. **No quota
was ever met on AWS.**

## Reckon it for guests of your own

```sh
make limits USERS=100000 PEAK=50
make limits USERS=100000 PEAK=50 STRIPE_MS=2000
```

`PEAK` is how many times the mean the busiest moments ask for. `STRIPE_MS` is how long
Stripe takes for a checkout, its two calls together. The output lists every resource of
each stage.

## What breaks first

For guests like those of the [bill](costs.md), whose busiest moments ask for
{peak} times the mean:

| stage | breaks first | from users a month | then | next | from users a month |
|---|---|---|---|---|---|
{first}
## The quotas

From [limits.yaml](../../load_tests/limits/limits.yaml), read {read}. Our own limits
(threads, pools, memory, the API's throttle) are read from the stages' files.

A quota that is not verified was found in a secondary source only.

| of | quota | value | of what | source |
|---|---|---|---|---|
{quotas}"""


def costs() -> str:
    """Write the page of costs."""
    file: dict[str, Any] = yaml.safe_load(prices.FILE.read_text(encoding="utf-8"))
    return COSTS.format(
        read=file["read"],
        region=file["region"],
        visits=f"{LIKE.visits:f}",
        each=_visit(),
        growth=_growth(),
        crossings=_crossings(),
        prices="".join(_price(name, file) for name in file["prices"]),
        machines="".join(
            _machines(group, told, file["sources"]) for group, told in file.items()
        ),
    )


def limits() -> str:
    """Write the page of limits."""
    file: dict[str, Any] = yaml.safe_load(settings.QUOTAS.read_text(encoding="utf-8"))
    return LIMITS.format(
        read=file["read"],
        peak=f"{BUSY.peak:f}",
        first="".join(map(_first, table.NAMES)),
        quotas="".join(_quotas(name, told) for name, told in file.items()),
    )


def _visit() -> str:
    names = {
        "products": "lists of products",
        "chats": "messages",
        "checkouts": "purchases",
        "orders": "looks at an order",
    }
    return ", ".join(f"{getattr(LIKE, name):f} {told}" for name, told in names.items())


def _growth() -> str:
    names = " | ".join(f"{stage} {name}" for stage, name in table.NAMES.items())
    rows = [f"| users a month | {names} |\n|---|---|---|---|---|\n"]
    for users in table.USERS:
        like = replace(LIKE, users=Decimal(users))
        bills = [stages.bill(at, like, stages.Terms()).total for at in stages.STAGES]
        rows.append(f"| {users:,} | {' | '.join(f'{at:,.2f}' for at in bills)} |\n")
    return "".join(rows)


def _crossings() -> str:
    rows = ["| from users a month | costs more | than | who keeps the accounts |\n"]
    rows.append("|---|---|---|---|\n")
    for keeper, terms in (
        ("Cognito", stages.Terms()),
        ("somebody else", stages.Terms(cognito=NO_COGNITO)),
    ):
        rows += [
            f"| {at.users:,} | stage {at.dearer} | stage {at.cheaper} | {keeper} |\n"
            for at in crossovers(LIKE, terms)
        ]
    return "".join(rows)


def _price(name: str, file: dict[str, Any]) -> str:
    told = file["prices"][name]
    tiers = told.get("tiers") or [{"price": told["price"]}]
    dollars = [f"{_plain(tier['price'])}" for tier in tiers]
    for at, tier in enumerate(tiers[:-1]):
        dollars[at] += f" up to {tier['up_to']:,}"
    per = told.get("per", 1)
    unit = f"{per:,} {told['unit']}" if per != 1 else f"1 ({told['unit']})"
    return (
        f"| `{name}` | {', then '.join(dollars)} | {unit} | {told.get('free', 0):,} "
        f"| {'yes' if told.get('verified', True) else '**no**'} "
        f"| {file['sources'][told['source']]} |\n"
    )


def _machines(group: str, told: object, sources: dict[str, str]) -> str:
    """Return the rows of a group of machines; another part of the file has none."""
    if not isinstance(told, dict):
        return ""
    return "".join(
        f"| `{name}` | {group.replace('_', ' ')} | {_plain(at['price'])} "
        f"| {at['vcpus']}, {100 * at['baseline']:g} % | {at['gib']} "
        f"| {'yes' if at.get('verified', True) else '**no**'} "
        f"| {sources[at['source']]} |\n"
        for name, at in told.items()
        if isinstance(at, dict) and "baseline" in at
    )


def _plain(number: float) -> str:
    """Write a price without an exponent."""
    return f"{Decimal(str(number)):f}"


def _first(stage: int) -> str:
    users = float(BUSY.users)

    def told(resource: Resource) -> str:
        return f"{resource.name} | {resource.breaks_at(users):,.0f}"

    found = resources(stage, BUSY, STRIPE_MS)
    first, *others = sorted(found, key=lambda resource: resource.breaks_at(users))
    part = first.name.partition(":")[0]
    second = next(at for at in others if at.name.partition(":")[0] != part)
    return (
        f"| {stage} {table.NAMES[stage]} | {told(first)} | {first.then} "
        f"| {told(second)} |\n"
    )


def _quotas(name: str, told: object) -> str:
    """Return the rows of a part of the file; what is no quota has no source."""
    if not isinstance(told, dict) or "source" not in told:
        return ""
    mark = "" if told.get("verified", True) else "; **not verified**"
    return "".join(
        f"| {name.replace('_', ' ')} | {key.replace('_', ' ')} | {told[key]:,} "
        f"| {unit} | {told['source']}{mark} |\n"
        for key, unit in told["units"].items()
    )
