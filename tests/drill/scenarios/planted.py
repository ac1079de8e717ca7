"""Planting bugs in the stage, to see that the oracle catches them.

A harness that never fails proves nothing. Each probe is also run without any bug, where
the same oracle must find nothing.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from ..client import FINAL, Buyer, Purchase
from ..lines import LATE_SECONDS
from ..lives import DECLINED
from ..oracle import FORGOTTEN, NO_MAIL, Oracle, Verdict
from ..planted import OF_STAGE
from ..report import Figure
from ..sizes import Size
from ..world import World
from .scarce import buy_at_once

FEW = 3
CAUGHT_SECONDS = 5.0  # how long a stage with a bug in it has to settle
SETTLE_SECONDS = 60.0
SLOW_MAIL_SECONDS = 1.5
FIRE_SECONDS = 60.0
# Longer than a message is hidden from the others, shorter than a function may run.
ASLEEP_SECONDS = 16.0
LOSS = 3
LOSSES = (FORGOTTEN, NO_MAIL)
TABLE = "table-rooftop"
RESERVATIONS = ".*/internal/reservations/"

Probe = Callable[[World, list[Buyer]], object]


def run(world: World, size: Size) -> Figure:
    """Plant each bug of the stage in turn."""
    known = OF_STAGE[world.stage.stage]
    chosen = world.chance("bugs").sample(known, min(size.bugs, len(known)))
    bugs = {name: _bug(name) for name in chosen}
    details = []
    crowds: list[list[Buyer]] = []
    caught = 0
    try:
        for name, (probe, law) in bugs.items():
            world.under.plant(world.stage, name)
            patience = CAUGHT_SECONDS * world.under.pace
            # What is only slow must not look lost.
            patience *= LOSS if law in LOSSES else 1
            verdict = _judged(world, [probe], patience, crowds)
            caught += law in verdict.laws
            seen = ", ".join(f"{n} x {law}" for law, n in verdict.laws.items())
            details.append(f"{name}: {seen or 'nothing'} seen, {law} expected")
            print(details[-1], file=sys.stderr, flush=True)
    finally:
        world.under.plant(world.stage, "")
    settled = SETTLE_SECONDS * world.under.pace
    _wait_for(crowds, settled)
    probes = dict.fromkeys(probe for probe, _ in bugs.values())
    clean = _judged(world, [*probes], settled, crowds).violations
    details += [f"without any bug: {violation}" for violation in clean]
    return Figure(
        scenario="planted bugs",
        trials=len(bugs),
        looked_for="each caught by the law that it breaks; none seen without a bug",
        result=f"{caught} of {len(bugs)} caught; {len(clean)} false alarms",
        met=caught == len(bugs) and not clean,
        details=details,
    )


def lost_answers(world: World, crowd: list[Buyer]) -> None:
    """Stripe does what it is asked, and its answer is lost."""
    world.break_stripe(drop_after=True, times=3)
    for buyer in crowd[:3]:
        buyer.send(Purchase(world.products[0]))


def crash_after_paying(world: World, crowd: list[Buyer]) -> None:
    """The process dies when the card has been charged; the client never asks again."""
    with world.crash.armed("web.confirm.after"):
        crowd[0].send(Purchase(world.products[0]))


def slow_declines(world: World, crowd: list[Buyer]) -> None:
    """Stripe refuses cards so slowly that somebody else takes the orders up."""
    world.break_stripe(latency_ms={"fixed": 850})
    with ThreadPoolExecutor(8) as pool:
        for buyer in crowd[:8]:
            pool.submit(buyer.send, Purchase(world.products[0], card=DECLINED))


def own_price(world: World, crowd: list[Buyer]) -> None:
    """A client sends a price of its own along."""
    crowd[0].send(Purchase(world.products[0], more={"price": 0.5}))


def given_up_meanwhile(world: World, crowd: list[Buyer]) -> None:
    """An order is given up while a slow worker is still about to charge it."""
    world.break_stripe(latency_ms={"fixed": 850}, operations=["create"])
    _give_up(world, crowd[0])


def late_reservation(world: World, crowd: list[Buyer]) -> None:
    """What was to be reserved for an order comes when that was given up."""
    world.break_calls(kinds=("late",), only=f"PUT {RESERVATIONS}")
    _give_up(world, crowd[0])
    time.sleep(LATE_SECONDS)


def lost_reservations(world: World, crowd: list[Buyer]) -> None:
    """The catalogue reserves, and its answer is lost."""
    world.break_calls(kinds=("lost",), times=2, only=f"PUT {RESERVATIONS}")
    for buyer in crowd[:2]:
        buyer.send(Purchase(world.products[0]))


def catalog_away_at_the_end(world: World, crowd: list[Buyer]) -> None:
    """The catalogue is away when a declined order's stock is to be given back."""
    world.break_calls(kinds=("refuse",), times=3, only=f"DELETE {RESERVATIONS}")
    crowd[0].send(Purchase(world.products[0], card=DECLINED))


def lost_letters(world: World, crowd: list[Buyer]) -> None:
    """Notifications write down what to tell, and their answer is lost."""
    world.break_calls(kinds=("lost",), times=2, only="PUT /v1/internal/notifications/")
    for buyer in crowd[:2]:
        buyer.send(Purchase(world.products[0]))


def slow_mail(world: World, crowd: list[Buyer]) -> None:
    """The mail server takes its time, and whoever else would send does, too.

    With one letter: two would keep two senders busy, each with one of its own.
    """
    world.break_mail(latency_ms=int(1000 * SLOW_MAIL_SECONDS))
    crowd[0].send(Purchase(world.products[0]))
    time.sleep(2 * SLOW_MAIL_SECONDS)


def rush(world: World, crowd: list[Buyer]) -> None:
    """All buy the same at once, and again."""
    for _ in range(3):
        buy_at_once(crowd, world)


def one_purchase(world: World, crowd: list[Buyer]) -> None:
    """Somebody buys something."""
    _order(crowd[0], Purchase(world.products[0]))


def crash_after_accepting(world: World, crowd: list[Buyer]) -> None:
    """The worker dies when the order is written, and before it is sent."""
    with world.crash.armed("web.accept.after"):
        crowd[0].send(Purchase(world.products[0]))


def crash_while_telling(world: World, crowd: list[Buyer]) -> None:
    """The worker dies when it is about to send the letter."""
    with world.crash.armed("notify.send.before") as shot:
        _order(crowd[0], Purchase(world.products[0]))
        shot.wait(FIRE_SECONDS)


def event_told_twice(world: World, crowd: list[Buyer]) -> None:
    """The worker dies when the end of an order is told, so that it is told again."""
    with world.crash.armed("charge.publish.after") as shot:
        _order(crowd[0], Purchase(world.products[0]))
        shot.wait(FIRE_SECONDS)


def letters_fail(world: World, crowd: list[Buyer]) -> None:
    """Notifications do not reach their table, for longer than one call tries to.

    Thrice as long: an older message's tries may be among those that fail.
    """
    world.break_calls(kinds=("refuse",), times=9, only="POST /$")
    _order(crowd[0], Purchase(world.products[0]))


def given_up_while_asleep(world: World, crowd: list[Buyer]) -> None:
    """A worker sleeps with an intent in its hand, and another gives the order up."""
    purchase = Purchase(world.products[0])
    point, seconds = world.under.sleeper
    with ThreadPoolExecutor(1) as pool, world.crash.armed(point, seconds) as shot:
        pool.submit(crowd[0].send, purchase)
        if shot.wait(FIRE_SECONDS) and (order := crowd[0].order_of(purchase)):
            world.under.make_old(order["orderId"])
    time.sleep(seconds)


def held_too_late(world: World, crowd: list[Buyer]) -> None:
    """The catalogue's worker sleeps before it reserves, and the order is given up."""
    purchase = Purchase(world.products[0])
    with world.crash.armed("catalog.hold.before", sleep=ASLEEP_SECONDS) as shot:
        crowd[0].send(purchase)
        if shot.wait(FIRE_SECONDS) and (order := crowd[0].order_of(purchase)):
            world.break_calls(kinds=("refuse",), only=f"PUT {RESERVATIONS}")
            world.under.make_old(order["orderId"])
    time.sleep(ASLEEP_SECONDS)


def declined_table(world: World, crowd: list[Buyer]) -> None:
    """The card is declined for a table that is held."""
    _order(crowd[0], Purchase(TABLE, card=DECLINED))


def lapsed_table(world: World, crowd: list[Buyer]) -> None:
    """A table is not held any more when it is paid."""
    world.under.break_places(hold_seconds=0.001)
    _order(crowd[0], Purchase(TABLE))


PROBES: dict[str, Probe] = {
    probe.__name__: probe
    for probe in (
        lost_answers,
        crash_after_paying,
        slow_declines,
        own_price,
        slow_mail,
        rush,
        given_up_meanwhile,
        late_reservation,
        lost_reservations,
        catalog_away_at_the_end,
        lost_letters,
        one_purchase,
        crash_after_accepting,
        crash_while_telling,
        event_told_twice,
        letters_fail,
        given_up_while_asleep,
        held_too_late,
        declined_table,
        lapsed_table,
    )
}
# The others need a few buyers only.
CROWDS: dict[Probe, int] = {slow_declines: 8, rush: 12}


def _bug(name: str) -> tuple[Probe, str]:
    module = importlib.import_module(f"tests.drill.planted.{name}")
    return PROBES[module.PROBE], module.CAUGHT_AS


def _order(buyer: Buyer, purchase: Purchase) -> None:
    """Send a purchase until it is accepted: a worker that starts may be too slow."""
    deadline = time.monotonic() + FIRE_SECONDS
    while not buyer.send(purchase).order_id and time.monotonic() < deadline:
        time.sleep(1)


def _give_up(world: World, buyer: Buyer) -> None:
    """Let an order become too old as soon as it is there."""
    purchase = Purchase(world.products[0])
    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(buyer.send, purchase)
        while not sent.done():
            if order := buyer.order_of(purchase):
                world.under.make_old(order["orderId"])
                break


def _wait_for(crowds: Sequence[Sequence[Buyer]], seconds: float) -> None:
    """Let what the bugs have left behind come to its end."""
    deadline = time.monotonic() + seconds
    for buyer in (buyer for crowd in crowds for buyer in crowd):
        while any(order["status"] not in FINAL for order in buyer.orders()):
            if time.monotonic() > deadline:
                return
            time.sleep(1)


def _judged(
    world: World,
    probes: Sequence[Probe],
    patience: float,
    crowds: list[list[Buyer]],
) -> Verdict:
    crowd = world.fresh_buyers(max(CROWDS.get(probe, FEW) for probe in probes))
    crowds.append(crowd)
    oracle = Oracle(world, crowd)
    for probe in probes:
        probe(world, crowd)
        # Where it is done later, it must meet its faults as well.
        world.under.tidy_up(LOSS * CAUGHT_SECONDS * world.under.pace)
        world.heal()
    return oracle.judge(patience)
