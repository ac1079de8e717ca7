"""A minute without Stripe, at all four stages at the same time.

Each has its own Stripe, and all of them go at the same moment: what is compared is what
becomes of orders and of guests, not how fast.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from load_tests import plots
from load_tests.answers import CONFIRMED, PENDING
from load_tests.open_loop import arrivals

from .backstage4 import Operator
from .experiment import Experiment, Results
from .lab import Lab
from .sales import Order, Sale, Shop, answers, at_once, opened, timetable
from .workers import kill_one

STAGES = (1, 2, 3, 4)
DECLINED = "declined"
TIMES = ("before", "without", "after")
RATE, SECONDS = 0.7, 180.0
GONE, BACK, KILLED = 60.0, 120.0, 100.0
# One delivery in a hundred comes again: as many moments, spread over the run.
REPEATED = 0.01
GUESTS = 3
WARM_UP = 6
SETTLE_SECONDS = 120.0
STEP_SECONDS = 3.0


def run(lab: Lab) -> Results:
    """Take Stripe away from all stages, and give it back."""
    with ExitStack() as up:
        shops = []
        for number in STAGES:
            stage = up.enter_context(lab.stage(number))
            shops.append(up.enter_context(opened(stage, GUESTS, lab.say)))
        at_once(_warmed, shops)
        lab.say(f"buying for {SECONDS:g} s, of which {BACK - GONE:g} without Stripe")
        found = at_once(_survived, shops)
    return {
        "rate": RATE,
        "seconds": SECONDS,
        "gone": GONE,
        "back": BACK,
        "killed": KILLED,
        "settle_seconds": SETTLE_SECONDS,
        "stages": {str(n): each for n, each in zip(STAGES, found, strict=True)},
    }


def _warmed(shop: Shop) -> None:
    """Have workers started: on AWS they start side by side, here on few cores."""
    shop.sell(arrivals.constant(1.0, WARM_UP))
    shop.settled(SETTLE_SECONDS)


def _survived(shop: Shop) -> dict[str, Any]:
    known = {order.order_id for order in shop.orders()}
    stage, began = shop.stage, time.time()
    plan = [
        (GONE, lambda: shop.stripe("faults", refuse=True)),
        (KILLED, lambda: kill_one(stage)),
        (BACK, lambda: shop.stripe("faults")),
    ]
    repeats = round(REPEATED * RATE * SECONDS) + 1 if stage.stage == 4 else 0
    for number in range(repeats):
        at = SECONDS * (number + 0.5) / repeats
        plan.append((at, Operator(stage).repeat_newest))
    with timetable(*sorted(plan, key=lambda row: row[0])):
        sales = shop.sell(arrivals.constant(RATE, SECONDS))
    patience = max(0.0, began + BACK + SETTLE_SECONDS - time.time()) + 10
    orders = [o for o in shop.settled(patience) if o.order_id not in known]
    return {
        "purchases": len(sales),
        "accepted": sum(sale.accepted for sale in sales),
        "answers": {
            "before": answers(_between(sales, began, 0, GONE)),
            "without": answers(_between(sales, began, GONE, BACK)),
            "after": answers(_between(sales, began, BACK, SECONDS)),
        },
        **_became(sales, orders, shop.charges(), known),
        "settled_after": _settled_after(orders, began + BACK),
        "dead_letters": Operator(stage).dead_letters() if stage.stage == 4 else None,
        "repeated": repeats,
        "lines": _lines(sales, orders, began),
    }


def _became(
    sales: list[Sale], orders: list[Order], charges: dict[str, int], known: set[str]
) -> dict[str, int]:
    """Compare what guests were told, the orders, and Stripe's books, order by order.

    Args:
        sales: what guests were told.
        orders: that came of it.
        charges: how often each order was paid, those of before included.
        known: the orders of before.
    """
    status = {order.order_id: order.status for order in orders}
    confirmed = {order for order, at in status.items() if at == CONFIRMED}
    promised = {sale.order_id for sale in sales if sale.order_id}
    accepted = {sale.order_id for sale in sales if sale.accepted}
    kept = (CONFIRMED, DECLINED, PENDING)  # who is pending is counted below
    paid = {order for order, times in charges.items() if times > 0}
    return {
        "orders": len(orders),
        "confirmed": len(confirmed),
        "lost": sum(status.get(order) not in kept for order in promised),
        "told_kept": len(promised - accepted),
        "confirmed_after_all": len(confirmed - accepted),
        "pending": sum(at == PENDING for at in status.values()),
        "charged_twice": sum(charges.get(order, 0) > 1 for order in status),
        "confirmed_uncharged": len(confirmed - paid),
        "charged_unconfirmed": len(paid - known - confirmed),
    }


def _between(sales: list[Sale], began: float, first: float, last: float) -> list[Sale]:
    return [sale for sale in sales if first <= sale.at - began < last]


def _settled_after(orders: list[Order], back: float) -> float:
    """Return how long after Stripe was back the last order of before had ended."""
    return max((o.ended - back for o in orders if o.began < back), default=0.0)


def _lines(
    sales: list[Sale], orders: list[Order], began: float
) -> dict[str, list[float]]:
    """Return how many there had been by each moment: asked, told yes, ended."""
    told = [sale.at + sale.seconds for sale in sales if sale.accepted]
    ended = [order.ended for order in orders if order.status == CONFIRMED]
    last = max([*told, *ended, began + SECONDS]) - began
    times = [STEP_SECONDS * step for step in range(int(last / STEP_SECONDS) + 2)]

    def by(moments: list[float]) -> list[float]:
        return [sum(moment - began <= at for moment in moments) for at in times]

    return {
        "seconds": times,
        "asked": by([sale.at for sale in sales]),
        "accepted": by(told),
        "confirmed": by(ended),
    }


def plot(results: Results, file: Path) -> None:
    """Draw for each stage what guests asked, were told, and got, over time."""
    title = (
        f"{results['rate']:g} purchases a second for {results['seconds']:g} s; Stripe "
        f"is away for {results['back'] - results['gone']:g} s, and a worker is killed"
    )
    with plots.drawing(file, rows=2, columns=2, title=title, height=3.3) as axes:
        for at, (name, found) in zip(axes.flat, results["stages"].items(), strict=True):
            lines = found["lines"]
            seconds = lines["seconds"]
            at.axvspan(
                results["gone"], results["back"], color="#dddddd", label="no Stripe"
            )
            at.plot(seconds, lines["asked"], label="asked", **plots.MODEL_LOOKS)
            looks = plots.STAGE_LOOKS[int(name)] | {"marker": "", "linestyle": ":"}
            at.plot(
                seconds, lines["accepted"], label="told yes", linewidth=2.2, **looks
            )
            looks["linestyle"] = "-"
            at.plot(seconds, lines["confirmed"], label="confirmed", **looks)
            at.axvline(
                results["killed"],
                color="black",
                linewidth=1,
                linestyle="-.",
                label="worker killed",
            )
            plots.labelled(
                at, plots.stage_name(int(name)), "seconds", "purchases so far"
            )
            at.set_ylim(0)
        axes.flat[0].legend(fontsize=9)


def paragraph(results: Results) -> str:
    """Tell at each stage who was refused, and what became of the orders."""
    stages = {int(name): found for name, found in results["stages"].items()}
    four = stages[4]
    words = [
        f"{results['rate']:g} purchases a second at each stage for "
        f"{results['seconds']:g} s, of which Stripe was away for "
        f"{results['back'] - results['gone']:g}; one worker was killed meanwhile, and "
        f"{four['repeated']} of stage 4's messages were delivered twice."
    ]
    asked = sum(four["answers"]["without"].values())
    refused = {stage: _refused(found, "without") for stage, found in stages.items()}
    words.append(
        f"Of {asked} guests in that minute were refused, or had no answer: "
        f"{_by_stage(refused)}."
    )
    refused = {
        stage: many
        for stage, found in stages.items()
        if (many := _refused(found, "before", "after"))
    }
    if refused:
        words.append(f"Before and after it there were more: {_by_stage(refused)}.")
    words.append(_told_later(stages))
    words.append(_told_wrong(stages))
    within = four["settled_after"] <= results["settle_seconds"]
    words.append(
        f"At stage 4 the last order of that time ended {four['settled_after']:.0f} s "
        "after Stripe was back"
        + ("" if within and not four["pending"] else ", which is too late")
        + (
            ", and no message was given up."
            if not four["dead_letters"]
            else f", and {four['dead_letters']} messages were given up."
        )
    )
    return " ".join(words)


def _refused(found: dict[str, Any], *times: str) -> int:
    """Return how many were refused, or had no answer, at these times."""
    told = [found["answers"][each] for each in times]
    return sum(sum(each.values()) - each.get("accepted", 0) for each in told)


def _by_stage(figures: dict[int, int]) -> str:
    return ", ".join(f"{many} at stage {stage}" for stage, many in figures.items())


def _told_later(stages: dict[int, dict[str, Any]]) -> str:
    """Tell what became of orders that nobody said yes to."""
    told = "; ".join(
        f"at stage {stage} {_after_all(found, refused)}"
        for stage, found in stages.items()
        if (refused := _refused(found, *TIMES))
    )
    if not told:
        return "Nobody saw an error."
    words = f"Of those who saw an error, {told}."
    if _all_is_known(stages):
        return words
    return f"{words} How many of them were told that it is kept was not noted."


def _after_all(found: dict[str, Any], refused: int) -> str:
    later = found["confirmed_after_all"]
    if "told_kept" not in found:
        return f"{later} of {refused} got their order after all"
    return (
        f"{found['told_kept']} of {refused} were told that their order is kept, and "
        f"{later} got it after all"
    )


def _all_is_known(stages: dict[int, dict[str, Any]]) -> bool:
    """Tell whether it was noted who was told that their order is kept, as it is now."""
    return all("told_kept" in found for found in stages.values())


def _told_wrong(stages: dict[int, dict[str, Any]]) -> str:
    faults = {
        "promised and lost": "lost",
        "charged twice": "charged_twice",
        "confirmed and not charged": "confirmed_uncharged",
        "charged and not confirmed": "charged_unconfirmed",
        "still pending": "pending",
    }
    found = [
        f"{each[key]} {words} at stage {stage}"
        for stage, each in stages.items()
        for words, key in faults.items()
        if each[key]
    ]
    if found:
        return f"Of all orders there were {', '.join(found)}."
    every = sum(each["confirmed"] for each in stages.values())
    promised = "ordered or kept" if _all_is_known(stages) else "ordered"
    return (
        f"Of {every} confirmed orders each was charged once, and of those that guests "
        f"were told are {promised} none was lost or left over."
    )


EXPERIMENT = Experiment(
    name="stripe-outage",
    claim="A queue defends against third-party downtime: guests do not notice it",
    page="docs/tutorial/4-asynchronous.md#stripe-is-away",
    seconds=480,
    stages=STAGES,
    run=run,
    plot=plot,
    paragraph=paragraph,
)
