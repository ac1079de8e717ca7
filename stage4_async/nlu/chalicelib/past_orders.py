"""Orders that the guest has placed: their status, the same again, and the last one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, timezone
from typing import Any

from . import drafts, slots, wording
from .conversation import Draft, State
from .dates import in_words
from .places import cities
from .products import Product
from .replies import Reply, Text
from .times import written
from .turn import Answer, Heard, Orders, World

MOST_ORDERS = 3

_STATUSES = {
    "pending": "being processed",
    "confirmed": "confirmed and paid",
    "declined": "the card was declined, and nothing was charged",
    "failed": "it did not work out, and nothing was charged",
}


def settle(state: State, world: World) -> Answer:
    """Notice that the order in the making has been placed, and tell what became of it.

    The checkout form places orders without a word to the dialogue. A declined or failed
    one leaves the draft, so that the guest may try again.
    """
    if world.orders is None and state.awaiting == "confirm":
        return state, [Text(wording.MAYBE_PAID)]
    placed = _placed(state, world)
    if placed is None:
        return state, []
    status = str(placed.get("status"))
    number, told = placed.get("orderId"), _told(placed, world.today)
    if status in ("declined", "failed"):
        state = replace(state, newest=world.newest)
        kept = "Your order is still here: you may pay again, or change it."
        why = "Your card was declined" if status == "declined" else "That did not work"
        return state, [Text(f"{why}, and nothing was charged. {kept}")]
    if status == "confirmed":
        return State(), [Text(f"Your order {number} is confirmed: {told}. Thank you!")]
    return State(), [Text(f"Your order {number} is being processed: {told}.")]


def _placed(state: State, world: World) -> Mapping[str, Any] | None:
    """Return the newest order of the draft's product since it was begun or offered."""
    if state.draft is None or state.draft.product_id is None or state.since is None:
        return None
    for order in world.orders or ():
        if str(order.get("orderId")) == state.newest:
            return None
        wanted = order.get("productId") == state.draft.product_id
        if wanted and _is_since(order, state.since):
            return order
    return None


def _is_since(order: Mapping[str, Any], since: str) -> bool:
    try:
        made = _moment(str(order.get("createdAt")))
        return made.replace(microsecond=0) >= _moment(since)
    except ValueError:
        return False


def _moment(text: str) -> datetime:
    # Python 3.10 does not read the "Z".
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def status(heard: Heard, state: State, world: World) -> Answer:
    """Tell how the guest's orders stand."""
    if world.orders is None:
        return state, [Text(wording.ORDERS_UNSEEN)]
    if not world.orders:
        return state, [Text("You have not ordered anything yet.")]
    lines: list[Reply] = []
    for order in world.orders[:MOST_ORDERS]:
        stands = _STATUSES.get(str(order.get("status")), str(order.get("status")))
        told = _told(order, world.today)
        lines.append(Text(f"{told}: {stands} (order {order.get('orderId')})."))
    if len(world.orders) > MOST_ORDERS:
        lines.append(Text("The older ones are under My orders."))
    return state, lines


def _told(order: Mapping[str, Any], today: date) -> str:
    when = str(order.get("deliveryDate", ""))
    with suppress(ValueError):
        when = in_words(date.fromisoformat(when), today)
    what = f"{order.get('quantity', 1)} × {order.get('name', order.get('productId'))}"
    return f"{what} for {when}"


def reorder(heard: Heard, state: State, world: World) -> Answer:
    """Order the same as last time; only the day is asked for."""
    if world.orders is None:
        return state, [Text(wording.ORDERS_UNSEEN)]
    named = set(heard.found.products)
    known = [at for at in world.orders if at.get("productId") in world.products]
    known = [at for at in known if at["productId"] in named] or known
    if not known:
        return state, [
            wording.categories("I know of no earlier order. What would you like?")
        ]
    product = world.products[str(known[0]["productId"])]
    draft = state.draft
    if draft and draft.product_id and "address" in heard.found.mentions:
        return _same_address(draft, known, state, world)
    quantity, address = known[0].get("quantity"), known[0].get("deliveryAddress")
    draft = Draft(product_id=product.product_id)
    if type(quantity) is int and not product.kind.party:
        draft = replace(draft, quantity=quantity)
    elif type(quantity) is int and product.serves == 1 and product.kind.timed:
        draft = replace(draft, party_size=quantity)
    if isinstance(address, str):
        draft = _with_place(draft, address, product)
    draft = slots.collect(draft, product, heard.found, heard.text, None)
    return drafts.begin(draft, product, state, world, heard)


def _same_address(draft: Draft, known: Orders, state: State, world: World) -> Answer:
    """Send the order in the making to where the last one of its kind went."""
    product = world.products[draft.product_id or ""]
    for order in known:
        if world.products[str(order["productId"])].kind.place == product.kind.place:
            address = str(order.get("deliveryAddress"))
            draft = _with_place(draft, address, product)
            return drafts.advance(draft, product, state, world)
    return state, [Text("I know of no earlier address. Please tell it to me.")]


_TIME = re.compile(r", (\d{1,2}):(\d\d) ([ap]m)$")
_NIGHTS = re.compile(r", (\d{1,2}) nights?$")


def _with_place(draft: Draft, address: str, product: Product) -> Draft:
    """Take the place, and the time or nights beside it, from an order's address."""
    if product.kind.timed and (match := _TIME.search(address)):
        hour = int(match[1]) % 12 + 12 * (match[3] == "pm")
        draft = replace(draft, time=written(hour, int(match[2])))
        address = address[: match.start()]
    if product.kind.nightly and (match := _NIGHTS.search(address)):
        draft = replace(draft, nights=int(match[1]))
        address = address[: match.start()]
    if product.kind.place == "city":
        return replace(draft, city=cities().get(address.lower()))
    return replace(draft, address=address)
