"""The order in the making: choosing, asking for one detail at a time, checking out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timezone

from . import browsing, checks, questions, slots
from .conversation import Draft, State
from .entities import Entities
from .products import Product, price
from .replies import Choices, Reply, Text
from .turn import Answer, Heard, World


def choose(product: Product, state: State, world: World, heard: Heard | None) -> Answer:
    """Start to order a product, or put it in place of the one being ordered."""
    draft = state.draft or Draft()
    before = world.products.get(draft.product_id or "")
    if before and before.product_id != product.product_id:
        draft = replace(draft, quantity=None, pieces=False)
        if before.kind.place != product.kind.place:
            draft = replace(draft, address=None, city=None)
    draft = replace(draft, product_id=product.product_id)
    if heard:
        # With several cards, "2" has picked one; with one card, it counts.
        counts = len(state.shown) == 1
        awaiting = slots.counting_slot(product) if counts else None
        draft = slots.collect(draft, product, heard.found, heard.text, awaiting)
    return begin(draft, product, state, world, heard)


def begin(
    draft: Draft, product: Product, state: State, world: World, heard: Heard | None
) -> Answer:
    """Take up the order of a product, naming it and its price."""
    opening = f"{product.name}, {price(product.unit_amount, product.currency)}."
    return advance(draft, product, _marked(state, world), world, heard, opening)


def _marked(state: State, world: World) -> State:
    """Remember when this was, to know the order that the guest may place next."""
    since = world.now.astimezone(timezone.utc).isoformat(timespec="seconds")
    return replace(state, since=since, newest=world.newest)


def advance(
    draft: Draft,
    product: Product,
    state: State,
    world: World,
    heard: Heard | None = None,
    opening: str = "",
) -> Answer:
    """Ask for what was wrong, else for what is missing, else show the checkout."""
    if product.stock == 0:
        return _sold_out(product, draft, state, world)
    found = heard.found if heard else Entities()
    checked = checks.check(draft, product, found, world.today)
    state = replace(state, draft=checked.draft)
    slot = next(iter(checked.problems), None)
    if slot:
        reason = " ".join([opening, *checked.problems.values()]).strip()
        options = checked.options.get(slot, ())
        question = ask(slot, product, checked.draft, world, reason, options)
        return replace(state, awaiting=slot), [question]
    slot = questions.missing(checked.draft, product)
    if slot is None:
        order = questions.checkout(checked.draft, product, world.today)
        return replace(_marked(state, world), awaiting="confirm"), [order]
    # The question stays, but something else was said: tell that it was heard.
    noted = "Noted." if slot == state.awaiting and checked.draft != draft else ""
    noted = noted or "Noted." * (slot == state.awaiting and heard is not None)
    question = ask(slot, product, checked.draft, world, opening or noted)
    return replace(state, awaiting=slot), [question]


def ask(
    slot: str,
    product: Product,
    draft: Draft,
    world: World,
    reason: str = "",
    options: questions.Options = (),
) -> Reply:
    """Return the question for one detail, after the reason for asking again."""
    return questions.question(slot, product, draft, world.today, reason, options)


def _sold_out(product: Product, draft: Draft, state: State, world: World) -> Answer:
    draft = replace(draft, product_id=None)
    return browsing.show_alternatives(product, replace(state, draft=draft), world)


def reopen(
    heard: Heard, draft: Draft, product: Product, state: State, world: World
) -> Answer | None:
    """Ask again for a detail that the guest wants to change without saying how."""
    if product.product_id in heard.found.refused:
        without = heard.found.refused
        return browsing.show_category(product.category, state, world, without)
    for slot in heard.found.mentions:
        if slot == "product":
            return browsing.show_category(product.category, state, world)
        if slot in ("quantity", "party"):
            slot = slots.counting_slot(product)
            draft = replace(draft, quantity=None, party_size=None)
        elif slot == "address":
            draft = replace(draft, address=None, city=None)
        elif slot == "date":
            draft = replace(draft, date=None)
        elif slot == "time" and product.kind.timed:
            draft = replace(draft, time=None)
        elif slot == "nights" and product.kind.nightly:
            draft = replace(draft, nights=None)
        else:
            continue
        question = ask(slot, product, draft, world)
        return replace(state, draft=draft, awaiting=slot), [question]
    if state.awaiting == "confirm" and heard.intent in ("correct", "deny"):
        return state, [_ask_what_to_change(product)]
    return None


def _ask_what_to_change(product: Product) -> Reply:
    count = "number of people" if product.kind.party else "quantity"
    place = "city" if product.kind.place == "city" else "address"
    names = [count, place, "date"]
    names += ["time"] if product.kind.timed else []
    names += ["nights"] if product.kind.nightly else []
    options = [(f"The {name}", f"change the {name}") for name in (*names, "product")]
    return Choices("What shall I change?", (*options, ("Drop the order", "cancel")))


def reminder(after: State, before: State, world: World) -> Reply | None:
    """Return the question that was open before an interruption, to come back to it."""
    draft = after.draft
    if draft is None or draft != before.draft or after.awaiting != before.awaiting:
        return None
    product = world.products.get(draft.product_id or "")
    if product is None or after.awaiting in (None, "product"):
        return None
    if after.awaiting == "confirm":
        return Text("Your order above is ready to be paid, or to be changed.")
    reason = f"Back to your order ({product.name})."
    return ask(after.awaiting, product, draft, world, reason)
