"""Ten times the usual purchases for half a minute, at each stage.

Two cores do not carry what a spike on AWS is. So the rates are small, and so is what
the Stripe sandbox lets through: the same share of its 25 requests a second. What is
seen is who waits, and where; not how many guests a stage bears.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from load_tests import intervals, plots
from load_tests.answers import CONFIRMED, PENDING
from load_tests.bench.lambdas import Lambda
from load_tests.bench.load import LoadError
from load_tests.bench.statistics import percentile
from load_tests.open_loop import arrivals

from .backstage4 import CHARGE, Operator
from .experiment import Experiment, Results
from .lab import Lab
from .sales import Order, Sale, Shop, answers, opened

USUAL, TIMES = 0.6, 10.0  # purchases a second, and how many times that the spike is
BEFORE_SECONDS, SPIKE_SECONDS = 8.0, 30.0
# At most; when the queue has been empty at so many purchases in a row it is enough.
AFTER_SECONDS = 120.0
EMPTY_LOOKS = 3
# Nobody looks while answers to the spike itself are still awaited.
LOOKS_AFTER_SECONDS = 5.0
# Through both of these goes an order before it has ended.
ORDERS = (CHARGE, "order-outcomes")
# Of synchronous stages it is enough to see whom they refuse. What they kept for later
# would take minutes more.
SHORT_AFTER_SECONDS = 4.0
SHORT_PATIENCE_SECONDS = 8.0
STRIPE_LIMIT, STRIPE_LIMIT_ON_AWS = 6.0, 25.0
# The local AWS has fewer workers for a queue than the twelve among whom payments shares
# its rate (sandbox/aws/server.py). Together they are to keep to 24/25 of that limit. A
# test holds these figures to their sources.
WORKERS_HERE, WORKERS = 4, 12
STRIPE_RATE = STRIPE_LIMIT * 24 / 25 * WORKERS / WORKERS_HERE
STRIPE_MS = 300.0
GUESTS = 4
# Of the spike's first seconds, in which workers start.
STARTING_SECONDS = 8.0
WARM_SECONDS = 8.0
WARM_UP, ROUNDS, A_ROUND = 3, 6, 5
PATIENCE_SECONDS = 120.0
IDLE_PAUSE_SECONDS = 0.2
LATE = 0.1  # how far the reckoned time to drain may be off
SMALL = 0.1  # the part of stage 3's answer that stage 4's should take at most
ACCEPTING = "checkout-api"


def run(lab: Lab) -> Results:
    """Compare accepting with the whole checkout, then send the spike at each stage."""
    found: dict[str, Any] = {}
    env = {"STRIPE_RATE": f"{STRIPE_RATE:g}"}
    with lab.stage(4, env) as stage4, opened(stage4, GUESTS, lab.say) as four:
        _scaled(four)
        with lab.stage(3) as stage3, opened(stage3, GUESTS, lab.say) as three:
            _scaled(three)
            _warmed(three, lab)
            waiting = _in_turns(lab, three, four)
            found["3"] = _spiked(three, lab)
        # Stage 3 is gone, with what it kept for later: it would be charged meanwhile.
        _warmed(four, lab)
        found["4"] = _spiked(four, lab)
    for number in (1, 2):
        with lab.stage(number) as stage, opened(stage, GUESTS, lab.say) as shop:
            _scaled(shop)
            found[str(number)] = _spiked(shop, lab)
    return {
        "usual": USUAL,
        "times": TIMES,
        "before_seconds": BEFORE_SECONDS,
        "spike_seconds": SPIKE_SECONDS,
        "stripe_limit": STRIPE_LIMIT,
        "stripe_limit_on_aws": STRIPE_LIMIT_ON_AWS,
        "stripe_ms": STRIPE_MS,
        "waiting": waiting,
        "stages": dict(sorted(found.items())),
    }


def _scaled(shop: Shop) -> None:
    shop.stripe("rate-limit", per_second=STRIPE_LIMIT)
    shop.stripe("faults", latency_ms={"fixed": STRIPE_MS})


def _warmed(shop: Shop, lab: Lab) -> None:
    """Have workers started: on AWS they start side by side, here on two cores."""
    lab.say(f"stage {shop.stage.stage}: workers start ...")
    for rate in (1.0, USUAL * TIMES / 2):
        shop.sell(arrivals.constant(rate, WARM_SECONDS))
        shop.settled(PATIENCE_SECONDS)


def _in_turns(lab: Lab, three: Shop, four: Shop) -> dict[str, Any]:
    """Buy in turns at stages 3 and 4, one purchase after the other.

    Each is the first in every other turn, and what stage 4 leaves for later has been
    done before the next purchase is timed.
    """
    lab.say("stages 3 and 4 in turns ...")
    shops, operator = (three, four), Operator(four.stage)
    functions = [Lambda(shop.stage) for shop in shops]
    seconds: list[list[float]] = [[], []]
    seen: list[set[str]] = [set(), set()]
    for turn in range(WARM_UP + ROUNDS * A_ROUND):
        if turn == WARM_UP:
            time.sleep(1)  # the last lines of the logs
            for known, function in zip(seen, functions, strict=True):
                function.reports(ACCEPTING, known, 0)
            seconds = [[], []]
        for at in _first_in_turn(turn):
            (sale,) = shops[at].sell([0.0])
            if not sale.accepted:
                raise LoadError(f"stage {shops[at].stage.stage}: {sale.label}")
            seconds[at].append(sale.seconds)
            if shops[at] is four:
                _idle(operator, four.stage.queues)
    billed = [
        [report.billed for report in function.reports(ACCEPTING, known, len(times))]
        for function, known, times in zip(functions, seen, seconds, strict=True)
    ]
    waiting = {
        "purchases": len(seconds[0]),
        "answer": _compared(seconds[1], seconds[0]),
        "billed": _compared(
            [ms / 1000 for ms in billed[1]], [ms / 1000 for ms in billed[0]]
        ),
    }
    lab.say(_told_waiting(waiting))
    return waiting


def _first_in_turn(turn: int) -> tuple[int, int]:
    return (1, 0) if turn % 2 else (0, 1)


def _idle(operator: Operator, queues: Iterable[str]) -> None:
    """Wait until nothing is in any queue, twice in a row: one fills another.

    Raises:
        LoadError: something stays there.
    """
    until, empty = time.monotonic() + PATIENCE_SECONDS, 0
    names = [name for name in queues if not name.endswith("-dead-letters")]
    while empty < 2:
        if time.monotonic() > until:
            raise LoadError(f"Stage 4 is not done after {PATIENCE_SECONDS:g} s.")
        empty = 0 if any(map(operator.count, names)) else empty + 1
        time.sleep(IDLE_PAUSE_SECONDS)


def _compared(four: list[float], three: list[float]) -> dict[str, Any]:
    """Compare the medians of rounds, each of a few purchases in turns."""
    rounds = [
        [
            statistics.median(times[at : at + A_ROUND])
            for at in range(0, len(times), A_ROUND)
        ]
        for times in (four, three)
    ]
    found = intervals.ratio(*rounds)
    return {
        "p50_4": statistics.median(four),
        "p50_3": statistics.median(three),
        "ratio": [found.estimate, found.low, found.high],
    }


def _spiked(shop: Shop, lab: Lab) -> dict[str, Any]:
    number = shop.stage.stage
    lab.say(f"stage {number}: {USUAL:g} a second, then {USUAL * TIMES:g} ...")
    known = {order.order_id for order in shop.settled(PATIENCE_SECONDS)}
    after, patience = (
        (AFTER_SECONDS, PATIENCE_SECONDS)
        if number == 4
        else (SHORT_AFTER_SECONDS, SHORT_PATIENCE_SECONDS)
    )
    when: Iterable[float] = _when(after)
    if number == 4:
        operator = Operator(shop.stage)
        when = _until_empty(when, lambda: sum(map(operator.count, ORDERS)))
    began = time.time()
    sales = shop.sell(when)
    orders = [o for o in shop.settled(patience) if o.order_id not in known]
    spike = [sale for sale in sales if _in_spike(sale.at - began)]
    accepted = [sale.seconds for sale in spike if sale.accepted]
    lab.say(f"stage {number}: {answers(spike)}")
    return {
        "purchases": len(sales),
        "spike": len(spike),
        "answers": answers(spike),
        "answers_else": answers([s for s in sales if not _in_spike(s.at - began)]),
        "accepted_p50": percentile(accepted, 50) if accepted else None,
        "accepted_p95": percentile(accepted, 95) if accepted else None,
        **_became(sales, orders, shop.charges()),
        "drain": _told(lab, _drain(sales, orders, began)) if number == 4 else None,
    }


def _became(
    sales: list[Sale], orders: list[Order], charges: dict[str, int]
) -> dict[str, Any]:
    """Look up every order that a guest was told of, and every other that there is.

    The last of them to be confirmed is as late as its guest finds: since they asked.
    """
    asked = {sale.order_id: sale.at for sale in sales if sale.accepted}
    there = {order.order_id: order for order in orders}
    ended = {name: o.ended for name, o in there.items() if o.status == CONFIRMED}
    return {
        "confirmed": len(ended),
        "not_confirmed": len(there) - len(ended),
        "missing": len(asked.keys() - there.keys()),
        "uncharged": sum(
            charges.get(name, 0) < 1 for name in asked.keys() | ended.keys()
        ),
        "charged_twice": sum(
            charges.get(n, 0) > 1 for n in asked.keys() | there.keys()
        ),
        "late_seconds": max(
            (ended[name] - at for name, at in asked.items() if name in ended),
            default=None,
        ),
    }


def _told(lab: Lab, drain: dict[str, Any]) -> dict[str, Any]:
    lab.say(_told_drain(drain))
    return drain


def _when(after: float) -> list[float]:
    times, start = [], 0.0
    for rate, seconds in (
        (USUAL, BEFORE_SECONDS),
        (USUAL * TIMES, SPIKE_SECONDS),
        (USUAL, after),
    ):
        times += [start + at for at in arrivals.constant(rate, seconds)]
        start += seconds
    return times


def _until_empty(when: Iterable[float], left: Callable[[], int]) -> Iterator[float]:
    """Go on with the usual purchases after the spike until the queue stays empty."""
    empty = 0
    for at in when:
        if at >= BEFORE_SECONDS + SPIKE_SECONDS + LOOKS_AFTER_SECONDS:
            empty = 0 if left() else empty + 1
        if empty >= EMPTY_LOOKS:
            return
        yield at


def _in_spike(at: float) -> bool:
    return BEFORE_SECONDS <= at < BEFORE_SECONDS + SPIKE_SECONDS


def _drain(sales: list[Sale], orders: list[Order], began: float) -> dict[str, Any]:
    """Measure how the queue drains, and reckon it from what was seen in the spike.

    Orders in the making are those that wait and those that somebody works on. There are
    some of the latter at any time: it is drained when no more are left than before.
    No time is given unless it was drained while purchases went on.
    """
    came = [order.began - began for order in orders]
    went = [order.ended - began for order in orders if order.status != PENDING]
    end = BEFORE_SECONDS + SPIKE_SECONDS
    usual = max(
        _left(came, went, at) for at in _every(BEFORE_SECONDS / 2, BEFORE_SECONDS)
    )
    backlog = _left(came, went, end) - usual
    full = BEFORE_SECONDS + STARTING_SECONDS
    mu = sum(full <= at < end for at in went) / (end - full)
    after = [sale.at - began for sale in sales if sale.at - began >= end]
    lasts = max(after, default=end) + 1 / USUAL
    lam = len(after) / (lasts - end)
    drained = next(
        (at - end for at in _every(end, lasts) if _left(came, went, at) <= usual), None
    )
    pending = sum(order.status == PENDING for order in orders)
    return {
        "pending": pending,
        "usual": usual,
        "backlog": backlog,
        "mu": mu,
        "lambda": lam,
        "reckoned_seconds": backlog / (mu - lam) if mu > lam else None,
        "drained_seconds": None if pending else drained,
        "usual_for_seconds": lasts - end,
        "left": [
            [at, _left(came, went, at)] for at in _every(0.0, max([lasts, *went]), 1.0)
        ],
    }


def _left(came: list[float], went: list[float], at: float) -> int:
    return sum(time <= at for time in came) - sum(time <= at for time in went)


def _every(first: float, last: float, step: float = 0.25) -> list[float]:
    return [first + step * number for number in range(int((last - first) / step) + 2)]


def plot(results: Results, file: Path) -> None:
    """Draw what guests were told in the spike, and how many waited at stage 4."""
    title = (
        f"{results['times']:g} times the usual {results['usual']:g} purchases a second "
        f"for {results['spike_seconds']:g} s; Stripe takes "
        f"{results['stripe_limit']:g} requests a second"
    )
    with plots.drawing(file, columns=2, title=title, height=4.4) as (told, waits):
        stages = {int(name): found for name, found in results["stages"].items()}
        kinds = sorted(
            {kind for found in stages.values() for kind in found["answers"]},
            key=lambda kind: (kind != "accepted", kind),
        )
        layers = {
            _named(kind): [
                100 * f["answers"].get(kind, 0) / f["spike"] for f in stages.values()
            ]
            for kind in kinds
        }
        names = [plots.stage_name(stage).replace(" ", "\n") for stage in stages]
        plots.stacked(told, names, layers, "")
        plots.labelled(told, "What guests were told in the spike", "", "% of purchases")
        told.set_ylim(0, 125)
        told.legend(ncols=2, loc="upper center")
        drain = stages[4]["drain"]
        seconds, left = zip(*drain["left"], strict=True)
        looks = plots.STAGE_LOOKS[4] | {"marker": ""}
        waits.plot(seconds, left, label="seen", **looks)
        end = results["before_seconds"] + results["spike_seconds"]
        if drain["reckoned_seconds"] is not None:
            waits.plot(
                [end, end + drain["reckoned_seconds"]],
                [drain["backlog"] + drain["usual"], drain["usual"]],
                label="reckoned: backlog / (μ − λ)",
                **plots.MODEL_LOOKS,
            )
        waits.axvspan(results["before_seconds"], end, color="#dddddd", label="spike")
        plots.labelled(
            waits, "Stage 4: accepted and not ended yet", "seconds", "orders"
        )
        waits.set_ylim(0, 1.35 * max(left) + 1)
        waits.legend(loc="upper right", fontsize=9)


def _named(kind: str) -> str:
    return f"{kind} refused" if kind.isdigit() else kind


def paragraph(results: Results) -> str:
    """Tell who was refused, how the queue drained, and how long guests waited."""
    stages = {int(name): found for name, found in results["stages"].items()}
    four, drain = stages[4], stages[4]["drain"]
    share = results["stripe_limit"] / results["stripe_limit_on_aws"]
    words = [
        f"{results['usual']:g} purchases a second and {results['times']:g} times that "
        f"for {results['spike_seconds']:g} s, with Stripe at "
        f"{results['stripe_ms']:g} ms and {results['stripe_limit']:g} requests a "
        f"second: {100 * share:.0f} % of its 25, so small that two cores carry it."
    ]
    refused = {
        stage: found["spike"] - found["answers"].get("accepted", 0)
        for stage, found in stages.items()
    }
    words.append(
        "In the spike "
        + ", ".join(
            f"stage {stage} accepted {100 * taken / found['spike']:.0f} %"
            for stage, found in stages.items()
            for taken in [found["answers"].get("accepted", 0)]
        )
        + f" of {four['spike']} purchases"
        + (
            "; stage 4 refused nobody, with 429 or otherwise."
            if not refused[4]
            else f"; stage 4 too refused {refused[4]}, which it should not."
        )
    )
    words.append(_told_drain(drain))
    words.append(_told_wrong(four))
    words.append(_told_answers(stages))
    words.append(_told_waiting(results["waiting"]))
    return " ".join(words)


def _told_wrong(four: dict[str, Any]) -> str:
    faults = {
        "not confirmed": four["not_confirmed"],
        "accepted and not to be found": four["missing"],
        "accepted or confirmed and not charged": four["uncharged"],
        "charged twice": four["charged_twice"],
    }
    found = [f"{many} {words}" for words, many in faults.items() if many]
    if found:
        return f"Of stage 4's orders there were {', '.join(found)}."
    return "Every order of stage 4 was confirmed, and charged once."


def _told_answers(stages: dict[int, dict[str, Any]]) -> str:
    """Tell how long those waited in the spike who were not refused."""
    words = ", ".join(
        f"{found['accepted_p50']:.2g} s at stage {stage} "
        f"(95 % of them within {found['accepted_p95']:.2g} s)"
        for stage, found in stages.items()
        if found["accepted_p50"] is not None
    )
    late = stages[4]["late_seconds"]
    return (
        f"Who was accepted in the spike waited for that answer at the median {words}"
        if words
        else "Nobody was accepted in the spike"
    ) + (
        f"; at stage 4 the last confirmation came {late:.0f} s after its guest."
        if late is not None
        else "; at stage 4 nothing was confirmed."
    )


def _told_drain(drain: dict[str, Any]) -> str:
    if drain["pending"]:
        return (
            f"{drain['pending']} orders of stage 4 had not ended when we stopped "
            "waiting, so that no time to drain can be told."
        )
    if drain["backlog"] <= 0:
        return "When it ended no more orders were in the making than before."
    if drain["reckoned_seconds"] is None:
        return (
            f"The queue did not shrink while the usual purchases went on: "
            f"{drain['mu']:.2f} a second left it and {drain['lambda']:.2f} came."
        )
    if drain["drained_seconds"] is None:
        return (
            f"The queue was not empty {drain['usual_for_seconds']:.0f} s after the "
            f"spike, though backlog / (μ − λ) is {drain['reckoned_seconds']:.0f} s."
        )
    off = drain["drained_seconds"] / drain["reckoned_seconds"] - 1
    return (
        f"When it ended {drain['backlog']} orders more than before were in the making "
        f"there. While it lasted {drain['mu']:.2f} a second were finished (μ), and "
        f"{drain['lambda']:.2f} a second came afterwards (λ): backlog / (μ − λ) is "
        f"{drain['reckoned_seconds']:.0f} s, and it took "
        f"{drain['drained_seconds']:.0f} s, {abs(100 * off):.0f} % "
        + ("more" if off > 0 else "less")
        + ("." if abs(off) <= LATE else ", so the reckoning was not good to a tenth.")
    )


def _told_waiting(waiting: dict[str, Any]) -> str:
    answer, billed = waiting["answer"], waiting["billed"]

    def compared(found: dict[str, Any]) -> str:
        middle, low, high = found["ratio"]
        return (
            f"{1000 * found['p50_4']:.0f} ms against {1000 * found['p50_3']:.0f} ms, "
            f"{middle:.2f} of it (95 % interval {low:.2f} to {high:.2f})"
        )

    words = (
        f"Without a crowd, {waiting['purchases']} purchases in turns with stage 3's: "
        f"the answer took {compared(answer)} at the median"
    )
    if answer["ratio"][0] <= SMALL:
        return f"{words}; the function alone {compared(billed)}."
    return (
        f"{words}. That is more than a tenth, for the local gateway and the start of a "
        f"call are in both; the function alone took {compared(billed)}."
    )


EXPERIMENT = Experiment(
    name="spike",
    claim="A queue defends against spikes: nobody is refused, some wait",
    page="docs/tutorial/4-asynchronous.md#a-crowd",
    seconds=570,
    stages=(1, 2, 3, 4),
    run=run,
    plot=plot,
    paragraph=paragraph,
)
