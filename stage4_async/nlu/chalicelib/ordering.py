"""Hearing what a text means for an order: a new one, a detail, a change, the end."""

from __future__ import annotations

from dataclasses import replace

from . import browsing, drafts, slots, wording
from .conversation import Draft, State
from .expecting import answers, may_be_place, speaks_of_others
from .picking import COMMANDS, LOOKING, chosen, names_several, pick, swaps
from .products import CATEGORIES, Place, Product
from .replies import Text
from .turn import CLEAR, Answer, Heard, World

# What may interrupt an order, if it is said clearly and does not answer the question
# that is open.
_INTERRUPTIONS = {
    *("order_status", "reorder", "payment_question", "delivery_question"),
    *("refund_question", "product_question"),
}


def go_on(heard: Heard, state: State, draft: Draft, world: World) -> Answer | None:
    """Go on with an order; None when the text is about something else."""
    expected = answers(heard, state, world)
    sure = heard.reading.confidence >= CLEAR
    goes_on = expected or swaps(heard) or _asks_for_detail(heard)
    interrupts = heard.intent in _INTERRUPTIONS and not goes_on
    if sure and (heard.intent in COMMANDS or interrupts):
        return None
    if browsing.asks_trait(heard, state):
        return None
    product = world.products.get(draft.product_id or "")
    if wanted := chosen(heard, state, product, world):
        return drafts.choose(wanted, state, world, heard)
    if product is None:
        return _go_on_choosing(heard, state, draft, world)
    if swaps(heard) and set(heard.found.products) - {product.product_id}:
        return order(heard, state, world)
    if heard.found.ordinal and (shown := pick(heard, state, world)):
        return drafts.choose(shown, state, world, heard)
    if not expected and heard.intent in LOOKING and not _gives_detail(heard):
        return None
    is_place = expected and state.awaiting == "address"
    if not is_place and speaks_of_others(heard, product, world):
        return None
    return _take_details(heard, state, draft, product, world, expected)


def _asks_for_detail(heard: Heard) -> bool:
    """Tell whether a text asks for a detail politely: "can you bring it on Friday?"."""
    about = heard.intent in ("delivery_question", "product_question")
    return about and _gives_detail(heard)


def _gives_detail(heard: Heard) -> bool:
    """Tell whether a text gives a detail outright, whatever its intent seems to be."""
    found = heard.found
    details = (found.date, found.address, found.time, found.party_size, found.nights)
    counted = found.quantity is not None and found.quantity > 1
    given = counted or any(at is not None for at in details)
    return given and not heard.is_question


def _take_details(
    heard: Heard,
    state: State,
    draft: Draft,
    product: Product,
    world: World,
    expected: bool,
) -> Answer | None:
    found, awaiting = heard.found, state.awaiting
    if heard.gives:
        corrects = swaps(heard)
        awaiting = slots.open_slot(found, draft, product, awaiting, corrects)
    if awaiting == "address" and not (expected or may_be_place(heard)):
        awaiting = None
    changed = slots.collect(draft, product, found, heard.text, awaiting)
    if changed != draft or found.unclear:
        return drafts.advance(changed, product, state, world, heard)
    if heard.intent == "affirm" and state.awaiting == "confirm":
        return drafts.advance(draft, product, state, world, heard)
    if heard.intent in ("correct", "deny") or found.mentions or found.refused:
        reopened = drafts.reopen(heard, draft, product, state, world)
        if reopened:
            return reopened
    if heard.intent in ("affirm", "deny") and state.awaiting:
        reason = 'If you want none of it, say "cancel".' * (heard.intent == "deny")
        if state.awaiting == "confirm":
            return drafts.advance(draft, product, state, world, heard)
        return state, [drafts.ask(state.awaiting, product, draft, world, reason)]
    if state.awaiting and _says_again(heard, product):
        return drafts.advance(draft, product, state, world, heard)
    if expected or heard.intent in ("order", "inform", "correct"):
        # About this order, no doubt, but without anything new that could be read.
        return _not_understood(state, draft, product, world, expected)
    return None


def _says_again(heard: Heard, product: Product) -> bool:
    """Tell whether a text says what is known, or for whom it is: that was heard."""
    found = heard.found
    again = product.product_id in found.products or found.recipient is not None
    takes = found.bare and heard.intent == "order"  # "I'll take it"
    return (again or takes or heard.gives) and not heard.is_question


def _not_understood(
    state: State, draft: Draft, product: Product, world: World, expected: bool
) -> Answer:
    if expected:
        return drafts.advance(draft, product, state, world)
    if state.awaiting in (None, "confirm", "product"):
        text = "I did not catch what to change. Tell me the new detail, please."
        return state, [Text(text)]
    reason = "I am sorry, I did not catch that."
    return state, [drafts.ask(state.awaiting, product, draft, world, reason)]


def _go_on_choosing(
    heard: Heard, state: State, draft: Draft, world: World
) -> Answer | None:
    """Keep details said before a product is chosen, and ask for the product again."""
    found = heard.found
    if found.products or found.category or heard.intent in LOOKING:
        return None
    if heard.counts and found.quantity is None:
        found = replace(found, quantity=found.number)
    changed = slots.collect(draft, None, found, heard.text, None)
    if changed != draft:
        noted = replace(state, draft=changed, awaiting="product")
        if state.shown:
            return noted, [Text("I have noted that. Which of the above shall it be?")]
        return noted, [wording.categories("I have noted that. What shall it be?")]
    return None


def order(heard: Heard, state: State, world: World) -> Answer:
    """Start an order, of a product or of something still to be chosen."""
    found = heard.found
    if product := _chosen_now(heard, state, world):
        return drafts.choose(product, state, world, heard)
    draft = state.draft or Draft()
    before = world.products.get(draft.product_id or "")
    if before:
        draft = replace(draft, product_id=None, quantity=None, pieces=False)
    if before and before.kind.place not in _places_of(heard, world):
        draft = replace(draft, address=None, city=None)
    several = names_several(heard, world)
    counted = replace(found, quantity=None) if several else found
    draft = slots.collect(draft, None, counted, heard.text, None)
    state = replace(state, draft=draft, awaiting="product")
    if several:
        named = [world.products[name] for name in found.products]
        return browsing.show_named(named, state, world, wording.ONE_AT_A_TIME)
    if found.products or found.category or found.occasion:
        return browsing.browse(heard, state, world)
    return state, [wording.categories("With pleasure. What would you like?")]


def _places_of(heard: Heard, world: World) -> set[Place]:
    """Return what kinds of place the things need that a text asks for."""
    found = heard.found
    kinds = [world.products[name].kind for name in found.products]
    if not kinds and found.category:
        kinds = [CATEGORIES[found.category]]
    return {kind.place for kind in kinds}


def _chosen_now(heard: Heard, state: State, world: World) -> Product | None:
    """Return the product picked; cards from before the last choice do not count."""
    if state.draft and state.draft.product_id:
        state = replace(state, shown=())
    return chosen(heard, state, None, world)


def inform(heard: Heard, state: State, world: World) -> Answer:
    """Take a detail out of the blue: a card picked, a wish, or an order's start."""
    found = heard.found
    if product := _chosen_now(heard, state, world):
        return drafts.choose(product, state, world, heard)
    if found.email:
        return state, [Text(wording.EMAIL)]
    wish = (found.products, found.category, found.occasion, found.recipient)
    if any(wish) or found.min_amount is not None or found.max_amount is not None:
        return browsing.browse(heard, state, world)
    return order(heard, state, world)


def correct(heard: Heard, state: State, world: World) -> Answer:
    """Change a detail, when there is an order to change."""
    if state.draft is None and not (heard.found.products or heard.found.category):
        text = "There is no order in the making that I could change."
        return state, [wording.categories(f"{text} What would you like?")]
    return inform(heard, state, world)


def affirm(heard: Heard, state: State, world: World) -> Answer:
    """Take a yes for the one product shown."""
    if product := pick(heard, state, world):
        return drafts.choose(product, state, world, None)
    if state.shown:
        return state, [Text("Gladly. Which of the above would you like?")]
    return state, [wording.categories("Gladly. What would you like?")]


def cancel(heard: Heard, state: State, world: World) -> Answer:
    """Drop the order in the making."""
    if state.draft is None:
        return state, [Text(wording.NOTHING_TO_CANCEL)]
    return State(), [wording.categories(wording.CANCELLED)]
