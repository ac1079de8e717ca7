"""A payments that raises on every message is deployed, while guests go on buying."""

from __future__ import annotations

import time
from pathlib import Path

from load_tests import plots
from load_tests.answers import CONFIRMED
from load_tests.bench.statistics import percentile
from load_tests.open_loop import arrivals

from .backstage4 import CHARGE, DEAD, Operator, poisoned
from .experiment import Experiment, Results
from .lab import Lab
from .sales import answers, opened, timetable

RATE, SECONDS = 1.0, 60.0
BROKEN = 15.0
GUESTS = 3
WARM_UP = 6
# Six deliveries with their pauses are a minute at most.
GIVEN_UP_SECONDS = 90.0
SETTLE_SECONDS = 90.0


def run(lab: Lab) -> Results:
    """Deploy the bug, wait until all has been given up, mend it, redrive once."""
    with lab.stage(4) as stage, opened(stage, GUESTS, lab.say) as shop:
        shop.sell(arrivals.constant(1.0, WARM_UP))
        known = {order.order_id for order in shop.settled(SETTLE_SECONDS)}
        operator = Operator(stage)
        good = operator.package()
        bad = poisoned(good)
        lab.say(f"buying for {SECONDS:g} s; the bug comes after {BROKEN:g}")
        began = time.time()
        with operator.watching(CHARGE, DEAD) as rows:
            with timetable((BROKEN, lambda: operator.deploy(bad))) as done:
                sales = shop.sell(arrivals.constant(RATE, SECONDS))
            waiting = [order for order in shop.orders() if order.status != CONFIRMED]
            left = _given_up(operator, len(waiting))
            lab.say("mending it, and sending the dead letters again")
            operator.deploy(good)
            mended = time.time()
            said = operator.redrive()
            redriven = time.time()
            orders = [
                o for o in shop.settled(SETTLE_SECONDS) if o.order_id not in known
            ]
        charges = shop.charges()
        dead = operator.dead_letters()
    return {
        "rate": RATE,
        "seconds": SECONDS,
        "broken": done[0] - began,
        "mended": mended - began,
        "redriven": redriven - began,
        "answers": answers(sales),
        "purchases": len(sales),
        "accepted_p95": percentile([s.seconds for s in sales if s.accepted] or [0], 95),
        "waited": len(waiting),
        "redrive_said": said,
        "orders": len(orders),
        "confirmed": sum(order.status == CONFIRMED for order in orders),
        "charged_once": sum(charges.get(order.order_id) == 1 for order in orders),
        "settled_after": max(order.ended for order in orders) - redriven,
        "in_queue_still": left,
        "dead_letters_left": dead,
        "queues": [[round(row[0] - began, 1), *row[1:]] for row in rows],
        # When guests were told so: the order is written down before, or long after
        # they came.
        "orders_made": _by_second(
            [sale.at + sale.seconds - began for sale in sales if sale.accepted]
        ),
        "orders_confirmed": _by_second(
            [order.ended - began for order in orders if order.status == CONFIRMED]
        ),
    }


def _given_up(operator: Operator, orders: int) -> int:
    """Wait until at least as many messages were put aside as there are orders.

    The sweep sends some again meanwhile, so the queue need not be empty then.

    Returns:
        How many messages are in the queue still.

    Raises:
        TimeoutError: fewer were put aside.
    """
    until = time.monotonic() + GIVEN_UP_SECONDS
    while (left := operator.count(CHARGE)) and time.monotonic() < until:
        time.sleep(1)
    if operator.count(DEAD) < orders:
        raise TimeoutError(f"{left} messages are not put aside yet: try again.")
    return left


def _by_second(moments: list[float]) -> list[list[float]]:
    """Return a moment for each order, with how many there were by then."""
    return [
        [round(at, 1), number] for number, at in enumerate(sorted(moments), start=1)
    ]


def plot(results: Results, file: Path) -> None:
    """Draw orders made and confirmed, and where their messages lay meanwhile."""
    title = "A bug in payments, deployed and mended, while guests go on buying"
    with plots.drawing(file, columns=2, title=title, height=4.2) as (made, lay):
        for name, at, looks in (
            ("orders_made", "accepted", {"color": plots.PALETTE[0], "linestyle": "--"}),
            ("orders_confirmed", "confirmed", {"color": plots.PALETTE[2]}),
        ):
            seconds, many = zip(*results[name], strict=True)
            made.step(seconds, many, where="post", label=at, linewidth=2, **looks)
        plots.labelled(made, "Orders so far", "seconds", "orders")
        seconds, queue, dead = zip(*results["queues"], strict=True)
        lay.plot(seconds, queue, label="in the queue", color=plots.PALETTE[4])
        lay.plot(seconds, dead, "--", label="dead letters", color=plots.PALETTE[1])
        plots.labelled(lay, "Messages", "seconds", "messages")
        for axes in (made, lay):
            axes.axvspan(
                results["broken"], results["mended"], color="#dddddd", label="the bug"
            )
            axes.set_ylim(0)
            axes.legend()


def paragraph(results: Results) -> str:
    """Tell who noticed the bug, and what became of the orders after the redrive."""
    refused = results["purchases"] - results["answers"].get("accepted", 0)
    whole = results["orders"]
    right = results["confirmed"] == results["charged_once"] == whole
    words = [
        f"After {results['broken']:.0f} s a broken `payments` was deployed. Guests "
        f"went on buying, {_rate(results['rate'])} a second: {refused or 'none'} of "
        f"{results['purchases']} purchases {'was' if refused < 2 else 'were'} refused, "
        f"one in twenty waited {1000 * results['accepted_p95']:,.0f} ms or longer to "
        "be told that it is ordered, and "
        f"{results['waited']} orders stayed pending. Each message came six times and "
        "became a dead letter"
        + (
            f"; {results['in_queue_still']} that the sweep had sent again were still "
            "on their way."
            if results["in_queue_still"]
            else "."
        ),
        f"After {results['mended']:.0f} s the bug was mended, and {_later(results)} "
        "one redrive sent the dead letters to their queue again.",
    ]
    if right:
        after = results["settled_after"]
        when = f"{after:.0f} s later" if after > 0 else "By then"
        words.append(
            f"{when} all {whole} orders were confirmed, and each was charged once."
        )
    else:
        words.append(
            f"Of {whole} orders {results['confirmed']} were confirmed then, and "
            f"{results['charged_once']} charged exactly once, which is not what a "
            "redrive promises."
        )
    left = results["dead_letters_left"]
    words.append(
        f"{left or 'No'} dead letter{'s' if left > 1 else ''} "
        f"{'were' if left > 1 else 'was'} left"
        + (", of what was in the queue beside them." if left else ".")
    )
    return " ".join(words)


def _rate(a_second: float) -> str:
    return "one" if a_second == 1 else f"{a_second:g}"


def _later(results: Results) -> str:
    """Tell how long after the mending the redrive was."""
    seconds = results["redriven"] - results["mended"]
    return f"{seconds:.0f} s later" if round(seconds) else "at once"


EXPERIMENT = Experiment(
    name="poison",
    claim="A queue defends against our own bugs: what fails waits for its mending",
    page="docs/tutorial/4-asynchronous.md#a-bug-and-one-command-afterwards",
    seconds=240,
    stages=(4,),
    run=run,
    plot=plot,
    paragraph=paragraph,
)
