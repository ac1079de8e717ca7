"""The dialogue: a state and what the guest says in, a new state and the answers out.

Everything here is a pure function. Nothing is charged, priced or stored: a complete
order becomes a `Checkout` reply, and the checkout form takes it from there.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, TypeAlias

from . import slots, wording
from .conversation import Draft, Search, State, StateError, dump, load
from .dates import in_words
from .entities import Entities
from .lexicon import lexicon_of
from .products import Product, by_id, price, search
from .replies import Card, Choices, Message, Reply, Text, choices, render
from .understanding import Engine, Reading, read

LONGEST_TEXT = 2000
MOST_CARDS = 6
MOST_ORDERS = 3

Orders: TypeAlias = Sequence[Mapping[str, Any]]
Answer: TypeAlias = tuple[State, list[Reply]]


@dataclass(frozen=True)
class World:
    """What the dialogue knows besides the conversation.

    orders are the guest's own as the API shows them, newest first.
    """

    today: date
    products: Mapping[str, Product]
    orders: Orders
    engine: Engine


@dataclass(frozen=True)
class Heard:
    """A text of the guest and what was understood of it."""

    text: str
    reading: Reading


def converse(
    state_json: str | None,
    messages: Sequence[Message],
    now: datetime,
    products: Sequence[Product],
    orders: Orders,
    engine: Engine,
) -> tuple[str, list[Message]]:
    """Answer messages of the wire format and return the state to keep, as JSON.

    now is in UTC and gives the day that "tomorrow" follows and the timestamps. orders
    are the guest's own as the API shows them, newest first. An unreadable state starts
    afresh, and the guest is told. Never raises for anything a guest sends.
    """
    world = World(now.date(), by_id(products), orders, engine)
    replies: list[Reply] = []
    state = State()
    if state_json is not None:
        try:
            state = load(state_json)
        except StateError:
            replies.append(Text(wording.FRESH_START))
    for message in messages or [{}]:
        state, answers = respond(state, message, world)
        replies += answers
    rendered = [render(reply, world.products, now) for reply in replies]
    return dump(state), rendered


def respond(state: State, message: Message, world: World) -> Answer:
    """Return the state after one message, and the answers to it; at least one."""
    product_id, text = _content(message)
    state = _forget_vanished(state, world)
    if product_id is not None:
        after, replies = _pressed(product_id, state, world)
    elif not text:
        after, replies = state, [wording.categories(wording.SILENCE)]
    else:
        reading = read(text, world.today, world.products.values(), world.engine)
        after, replies = _heard(Heard(text, reading), state, world)
    return replace(after, last=tuple(replies)), replies


def _content(message: Any) -> tuple[str | None, str]:
    """Return the product of a pressed button, or else the text of a message."""
    kind = message.get("type") if isinstance(message, Mapping) else None
    body = message.get(kind) if isinstance(kind, str) else None
    if not isinstance(body, Mapping):
        return None, ""
    payload = body.get("payload")
    text = body.get("text")
    if kind == "structured" and isinstance(payload, Mapping):
        if isinstance(payload.get("productId"), str):
            return payload["productId"], ""
        text = payload.get("value", text)
    return None, clean(text) if isinstance(text, str) else ""


def clean(text: str) -> str:
    """Return a text with no control characters, single spaces, and a bounded length."""
    shown = text[:LONGEST_TEXT].encode("utf-8", "replace").decode()
    plain = "".join(
        " " if unicodedata.category(char) in ("Cc", "Zl", "Zp", "Cs") else char
        for char in shown
    )
    return " ".join(plain.split())


def _forget_vanished(state: State, world: World) -> State:
    draft = state.draft
    if draft and draft.product_id and draft.product_id not in world.products:
        draft = replace(draft, product_id=None)
        state = replace(state, draft=draft, awaiting="product")
    shown = tuple(name for name in state.shown if name in world.products)
    return replace(state, shown=shown)


def _pressed(product_id: str, state: State, world: World) -> Answer:
    product = world.products.get(product_id)
    if product is None:
        return state, [wording.categories("I no longer have that. What else?")]
    return _choose(product, state, world, None)


def _heard(heard: Heard, state: State, world: World) -> Answer:
    if state.draft and (answer := _continue(heard, state, state.draft, world)):
        return answer
    if state.draft is None and (product := _brief_pick(heard, state, world)):
        return _choose(product, state, world, heard)
    after, replies = _begin(heard, state, world)
    # A repeated answer has the open question in it.
    repeated = tuple(replies) == state.last
    if not repeated and (reminder := _reminder(after, state, world)):
        replies = [*replies, reminder]
    return after, replies


# --- an order in the making ---------------------------------------------------------

# What may interrupt an order, if it is said clearly; the commands may always, the
# others unless the text answers the question that is open.
_COMMANDS = {"cancel", "start_over", "repeat", "help", "human"}
_INTERRUPTIONS = {
    "order_status",
    "reorder",
    "payment_question",
    "delivery_question",
    "refund_question",
    "product_question",
}
_LOOKING = {"browse", "recommend", "more_options", "product_question", "order_status"}
_WISHES = {"browse", "recommend", "more_options", "product_question", "inform"}
_CLEAR = 0.5


def _continue(heard: Heard, state: State, draft: Draft, world: World) -> Answer | None:
    """Go on with an order; None when the text is about something else."""
    reading = heard.reading
    expected = _answers(heard, state, world)
    if reading.confidence >= _CLEAR and (
        reading.intent in _COMMANDS
        or (reading.intent in _INTERRUPTIONS and not expected)
    ):
        return None
    product = world.products.get(draft.product_id or "")
    chosen = _chosen(heard, state, product, world)
    if chosen:
        return _choose(chosen, state, world, heard)
    if product is None:
        return _continue_choosing(heard, state, draft, world)
    found = reading.entities
    if found.ordinal and (product_shown := _pick(heard, state, world)):
        return _choose(product_shown, state, world, heard)
    if not expected and reading.intent in _LOOKING:
        return None
    is_place = expected and state.awaiting == "address"
    if not is_place and _elsewhere(heard, product, world):
        return None
    awaiting = state.awaiting
    if awaiting == "address" and not (expected or _may_be_place(heard)):
        awaiting = None
    changed = slots.collect(draft, product, found, heard.text, awaiting)
    if changed != draft or found.unclear:
        return _advance(changed, product, state, world, heard)
    if reading.intent == "affirm" and state.awaiting == "confirm":
        return _advance(draft, product, state, world, heard)
    if reading.intent in ("correct", "deny") or found.mentions:
        reopened = _reopen(heard, draft, product, state, world)
        if reopened:
            return reopened
    if reading.intent in ("affirm", "deny") and state.awaiting:
        reason = 'If you want none of it, say "cancel".' * (reading.intent == "deny")
        question = slots.question(state.awaiting, product, world.today, reason)
        return state, [question]
    if reading.intent in ("order", "inform", "correct"):
        # About this order, no doubt, but without a detail that could be read.
        return state, [Text("I did not understand which detail you mean.")] + [
            reminder for reminder in [_reminder(state, state, world)] if reminder
        ]
    return None


def _answers(heard: Heard, state: State, world: World) -> bool:
    """Tell whether a text has the detail that was asked for, and asks nothing."""
    found = heard.reading.entities
    if heard.text.endswith("?"):
        return False
    if state.awaiting == "confirm":
        details = (found.date, found.address, found.city, found.number)
        return any(detail is not None for detail in details) and not found.category
    if state.awaiting == "date":
        return found.date is not None or "date" in found.unclear
    if state.awaiting in ("quantity", "party"):
        figures = (found.quantity, found.number, found.party_size)
        return any(figure is not None for figure in figures) or bool(
            {"number", "quantity", "party"} & set(found.unclear)
        )
    if state.awaiting == "product":
        return _brief_pick(heard, state, world) is not None
    return state.awaiting == "address" and (
        bool(found.address or found.city) or _is_place(heard)
    )


def _is_place(heard: Heard) -> bool:
    """Tell whether a text is no more than the name of a place, as "Gotham" is."""
    said = slots.said_place(heard.text)
    words = said.split()
    found = heard.reading.entities
    if slots.is_address(said) and heard.reading.intent != "delivery_question":
        return _may_be_place(heard)
    return (
        0 < len(words) <= 3
        and all(word[0].isupper() for word in words)
        and heard.reading.intent in (*_LOOKING, "inform", "order", "correct", None)
        and not (found.products or found.category or found.date)
    )


def _elsewhere(heard: Heard, product: Product, world: World) -> bool:
    """Tell whether a text speaks of other products than the one being ordered."""
    found = heard.reading.entities
    named = [world.products[name].category for name in found.products]
    kinds = set(named) or ({found.category} if found.category else set())
    if product.product_id in found.products:
        return False
    if heard.reading.intent == "order":
        return bool(kinds)
    return bool(kinds) and product.category not in kinds


def _may_be_place(heard: Heard) -> bool:
    """Tell whether a text may answer "where?", as no question or chat would."""
    found = heard.reading.entities
    other = (found.party_size, found.date, found.quantity)
    if any(detail is not None for detail in other):
        return False
    if heard.reading.intent in (
        None,
        "inform",
        "correct",
        "order",
        "delivery_question",
    ):
        words = heard.text.split()
        asks = heard.text.endswith("?") or words[0].lower() in _QUESTION_WORDS
        return not asks and (len(words) <= 5 or any(map(str.isdigit, heard.text)))
    # Names of places are like nothing in the training phrases.
    return heard.reading.confidence < _CLEAR


_QUESTION_WORDS = {
    "what",
    "who",
    "why",
    "how",
    "when",
    "where",
    "which",
    "is",
    "are",
    "do",
    "does",
    "can",
    "could",
    "will",
    "tell",
    "play",
    "what's",
}


def _chosen(
    heard: Heard, state: State, product: Product | None, world: World
) -> Product | None:
    """Return the product that a text picks, by name or from the cards shown."""
    reading = heard.reading
    found = reading.entities
    looking = ("browse", "recommend", "more_options", "product_question")
    # Where cards wait for a choice, a few words are one.
    brief = product is None and _brief_pick(heard, state, world)
    if reading.intent in looking and not brief:
        return None
    if len(found.products) == 1:
        named = world.products[found.products[0]]
        return None if named == product else named
    if product is None:
        return _pick(heard, state, world)
    return None


def _brief_pick(heard: Heard, state: State, world: World) -> Product | None:
    """Return the product that a few words pick from the cards shown."""
    if heard.text.endswith("?") or len(heard.text.split()) > 3:
        return None
    if heard.reading.intent in _COMMANDS and heard.reading.confidence >= _CLEAR:
        return None
    return _pick(heard, state, world)


def _pick(heard: Heard, state: State, world: World) -> Product | None:
    """Return the product that a text picks from the cards shown."""
    found = heard.reading.entities
    shown = [world.products[name] for name in state.shown]
    if not shown:
        return None
    at = found.ordinal or found.number
    if at is not None and (at == -1 or 1 <= at <= len(shown)):
        return shown[at - 1 if at > 0 else -1]
    if found.cheapest:
        return min(shown, key=lambda product: product.unit_amount)
    if len(shown) == 1 and found.number is not None:
        return shown[0]
    pointing = {"it", "that", "this"} & set(heard.text.lower().split())
    if len(shown) == 1 and (pointing or heard.reading.intent == "affirm"):
        return shown[0]
    near = lexicon_of(world.products.values()).among(heard.text, state.shown)
    return world.products[near[0]] if len(near) == 1 else None


def _continue_choosing(
    heard: Heard, state: State, draft: Draft, world: World
) -> Answer | None:
    """Keep details said before a product is chosen, and ask for the product again."""
    found = heard.reading.entities
    if found.products or found.category or heard.reading.intent in _LOOKING:
        return None
    changed = slots.collect(draft, None, found, heard.text, None)
    if changed != draft:
        noted = replace(state, draft=changed, awaiting="product")
        if state.shown:
            return noted, [Text("I have noted that. Which of the above shall it be?")]
        return noted, [wording.categories("I have noted that. What shall it be?")]
    return None


def _choose(
    product: Product, state: State, world: World, heard: Heard | None
) -> Answer:
    """Start to order a product, or put it in place of the one being ordered."""
    draft = state.draft or Draft()
    before = world.products.get(draft.product_id or "")
    if before and before.product_id != product.product_id:
        draft = replace(draft, quantity=None, pieces=False)
        if before.kind.place != product.kind.place:
            draft = replace(draft, address=None, city=None)
    draft = replace(draft, product_id=product.product_id)
    if heard:
        found = heard.reading.entities
        # With several cards, "2" has picked one; with one card, it counts.
        counts = len(state.shown) == 1
        awaiting = slots.counting_slot(product) if counts else None
        draft = slots.collect(draft, product, found, heard.text, awaiting)
    state = replace(state, shown=())
    return _advance(draft, product, state, world, heard, opening=True)


def _advance(
    draft: Draft,
    product: Product,
    state: State,
    world: World,
    heard: Heard | None,
    opening: bool = False,
) -> Answer:
    """Ask for what was wrong, else for what is missing, else show the checkout."""
    if product.stock == 0:
        return _sold_out(product, draft, state, world)
    found = heard.reading.entities if heard else Entities()
    checked = slots.check(draft, product, found, world.today)
    state = replace(state, draft=checked.draft)
    slot = next(iter(checked.problems), None)
    if slot:
        reason = " ".join(checked.problems.values())
    else:
        slot = slots.missing(checked.draft, product)
        reason = "Noted." if slot and slot == state.awaiting else ""
        if opening:
            reason = f"{product.name}, {price(product.unit_amount, product.currency)}."
    if slot is None:
        order = slots.checkout(checked.draft, product, world.today)
        return replace(state, awaiting="confirm"), [order]
    question = slots.question(slot, product, world.today, reason)
    return replace(state, awaiting=slot), [question]


def _sold_out(product: Product, draft: Draft, state: State, world: World) -> Answer:
    draft = replace(draft, product_id=None)
    others = [
        other
        for other in search(world.products.values(), category=product.category)
        if other.stock
    ]
    text = f"I am sorry, {product.name} is sold out. Would one of these do?"
    return _show(text, others, replace(state, draft=draft))


def _reopen(
    heard: Heard, draft: Draft, product: Product, state: State, world: World
) -> Answer | None:
    """Ask again for a detail that the guest wants to change without saying how."""
    for slot in heard.reading.entities.mentions:
        if slot == "product":
            return _show_category(product.category, state, world)
        if slot in ("quantity", "party"):
            slot = slots.counting_slot(product)
            draft = replace(draft, quantity=None, party_size=None)
        elif slot == "address":
            draft = replace(draft, address=None, city=None)
        else:
            draft = replace(draft, date=None)
        question = slots.question(slot, product, world.today)
        return replace(state, draft=draft, awaiting=slot), [question]
    if state.awaiting == "confirm":
        count = "number of people" if product.kind.party else "quantity"
        options = [
            (f"The {name}", f"change the {name}")
            for name in (count, "address", "date", "product")
        ]
        text = "What shall I change?"
        return state, [Choices(text, (*options, ("Drop the order", "cancel")))]
    return None


def _show_category(category: str, state: State, world: World) -> Answer:
    draft = state.draft and replace(state.draft, product_id=None, quantity=None)
    found = search(world.products.values(), category=category)
    state = replace(state, search=Search(category=category), draft=draft)
    return _show("Which one would you like instead?", found, state)


def _reminder(after: State, before: State, world: World) -> Reply | None:
    """Return the question that was open before an interruption, to come back to it."""
    draft = after.draft
    if draft is None or draft != before.draft or after.awaiting != before.awaiting:
        return None
    product = world.products.get(draft.product_id or "")
    if product is None or after.awaiting in (None, "product"):
        return None
    if after.awaiting == "confirm":
        return Text("Your order is ready above: press Checkout, or change a detail.")
    reason = f"Now, back to your order ({product.name})."
    return slots.question(after.awaiting, product, world.today, reason)


# --- everything else ----------------------------------------------------------------


def _begin(heard: Heard, state: State, world: World) -> Answer:
    """Answer a text that does not go on with an order."""
    intent = heard.reading.intent
    found = heard.reading.entities
    if intent is None and (found.products or found.category):
        # A word or two of ours, as in "tulips?", is a request all the same.
        intent = "browse" if len(heard.text.split()) <= 4 else None
    if intent in _WISHES:
        state = _with_details(heard, state)
    skill = _SKILLS.get(intent or "", _refuse)
    return skill(heard, state, world)


def _with_details(heard: Heard, state: State) -> State:
    """Keep what a wish says about the order to come: "a table for two tomorrow"."""
    if state.draft and state.draft.product_id:
        return state
    draft = state.draft or Draft()
    found = heard.reading.entities
    noted = slots.collect(draft, None, found, heard.text, None)
    if noted == draft:
        return state
    return replace(state, draft=noted, awaiting="product")


def _greet(heard: Heard, state: State, world: World) -> Answer:
    return state, [wording.categories(wording.GREETING)]


def _help(heard: Heard, state: State, world: World) -> Answer:
    return state, [wording.categories(wording.HELP)]


def _say(heard: Heard, state: State, world: World) -> Answer:
    return state, [wording.said(heard.reading.intent or "")]


def _refuse(heard: Heard, state: State, world: World) -> Answer:
    return state, [wording.refusal()]


def _affirm(heard: Heard, state: State, world: World) -> Answer:
    if product := _pick(heard, state, world):
        return _choose(product, state, world, None)
    return state, [wording.categories("Gladly. What would you like?")]


def _cancel(heard: Heard, state: State, world: World) -> Answer:
    if state.draft is None:
        return state, [Text(wording.NOTHING_TO_CANCEL)]
    return State(), [wording.categories(wording.CANCELLED)]


def _start_over(heard: Heard, state: State, world: World) -> Answer:
    return State(), [wording.categories(wording.RESTARTED)]


def _repeat(heard: Heard, state: State, world: World) -> Answer:
    if not state.last:
        return _greet(heard, state, world)
    return state, list(state.last)


def _order(heard: Heard, state: State, world: World) -> Answer:
    found = heard.reading.entities
    if product := _chosen(heard, state, None, world):
        return _choose(product, state, world, heard)
    draft = state.draft or Draft()
    before = world.products.get(draft.product_id or "")
    draft = replace(draft, product_id=None)
    if before and before.category != found.category:
        draft = Draft(date=draft.date, party_size=draft.party_size)
    draft = slots.collect(draft, None, found, heard.text, None)
    state = replace(state, draft=draft, awaiting="product")
    if found.products or found.category or found.occasion:
        return _browse(heard, state, world)
    return state, [wording.categories("With pleasure. What would you like?")]


def _inform(heard: Heard, state: State, world: World) -> Answer:
    """Take a detail out of the blue: a card picked, a wish, or an order's start."""
    found = heard.reading.entities
    if product := _chosen(heard, state, None, world):
        return _choose(product, state, world, heard)
    if found.products or found.category or found.occasion or found.recipient:
        return _browse(heard, state, world)
    if found.min_amount is not None or found.max_amount is not None:
        return _browse(heard, state, world)
    return _order(heard, state, world)


def _browse(heard: Heard, state: State, world: World) -> Answer:
    wish = _wish(heard, state)
    state = replace(state, search=wish)
    named = [world.products[name] for name in heard.reading.entities.products]
    if named:
        wish = replace(wish, category=wish.category or named[0].category)
        state = replace(state, search=wish)
        return _show("Here is what I found.", _affordable(named, wish) or named, state)
    if wish == Search():
        return state, [wording.categories("What kind of thing would you like to see?")]
    found = _matching(wish, world)
    if heard.reading.entities.cheapest:
        found = sorted(found, key=lambda product: product.unit_amount)[:1]
    if not found:
        return _nothing_found(wish, state, world)
    text = f"{_headline(wish)}{_for_whom(heard, wish)}. Which one would you like?"
    return _show(text, found, state)


def _wish(heard: Heard, state: State) -> Search:
    """Return what is looked for; a price alone narrows the search before."""
    found = heard.reading.entities
    new = Search(found.category, found.occasion, found.min_amount, found.max_amount)
    before = state.search
    if before and not (new.category or new.occasion or found.products):
        new = replace(new, category=before.category, occasion=before.occasion)
    return new


def _matching(wish: Search, world: World) -> list[Product]:
    found = search(
        world.products.values(),
        category=wish.category,
        min_amount=wish.min_amount,
        max_amount=wish.max_amount,
    )
    if wish.occasion:
        fitting = [at for at in found if wish.occasion in at.occasions]
        found = fitting or (found if wish.category else [])
    return sorted(found, key=lambda product: product.stock == 0)


def _affordable(products: list[Product], wish: Search) -> list[Product]:
    return search(products, min_amount=wish.min_amount, max_amount=wish.max_amount)


def _nothing_found(wish: Search, state: State, world: World) -> Answer:
    wider = _matching(replace(wish, min_amount=None, max_amount=None), world)
    text = "I have nothing at that price. Here is what comes closest."
    if not wider:
        return state, [wording.categories("I have nothing like that. What else?")]
    wanted = wish.max_amount if wish.max_amount is not None else wish.min_amount or 0
    wider.sort(key=lambda product: abs(product.unit_amount - wanted))
    return _show(text, wider[:3], state)


def _headline(wish: Search) -> str:
    what = wish.category or "some ideas"
    text = f"Here are {what}"
    if wish.min_amount is not None and wish.max_amount is not None:
        text += f" from {price(wish.min_amount)} to {price(wish.max_amount)}"
    elif wish.max_amount is not None:
        text += f" up to {price(wish.max_amount)}"
    elif wish.min_amount is not None:
        text += f" from {price(wish.min_amount)}"
    return text


def _for_whom(heard: Heard, wish: Search) -> str:
    recipient = heard.reading.entities.recipient
    return wording.for_whom(recipient, wish.occasion)


def _recommend(heard: Heard, state: State, world: World) -> Answer:
    wish = _wish(heard, state)
    state = replace(state, search=wish)
    named = [world.products[name] for name in heard.reading.entities.products]
    found = [at for at in named or _matching(wish, world) if at.stock]
    if not found:
        return _nothing_found(wish, state, world)
    # One of each category first: advice should offer a real choice.
    ranked: list[Product] = []
    for product in found:
        if product.category not in {other.category for other in ranked}:
            ranked.append(product)
    ranked += [product for product in found if product not in ranked]
    text = f"I would suggest one of these{_for_whom(heard, wish)}."
    return _show(text, ranked[:3], state)


def _more(heard: Heard, state: State, world: World) -> Answer:
    """Show other products than those on the cards, or cheaper ones."""
    wish = state.search or Search()
    shown = [world.products[name] for name in state.shown]
    if not shown:
        return _browse(heard, state, world)
    cheaper = any(
        word in heard.text.lower() for word in ("cheap", "expensive", "price")
    )
    if cheaper:
        limit = min(product.unit_amount for product in shown) - 1
        wish = replace(wish, max_amount=limit, min_amount=None)
    others = [at for at in _matching(wish, world) if at not in shown]
    if others:
        text = "These cost less." if cheaper else "Here are some others."
        return _show(text, others, replace(state, search=wish))
    text = "That is the cheapest I have." if cheaper else "That is all I have of those."
    return state, [wording.categories(f"{text} Shall we look at something else?")]


def _product_question(heard: Heard, state: State, world: World) -> Answer:
    named = [world.products[name] for name in heard.reading.entities.products]
    if not named and (product := _pick(heard, state, world)):
        named = [product]
    draft = state.draft
    if not named and draft and draft.product_id:
        named = [world.products[draft.product_id]]
    if not named:
        return _browse(heard, state, world)
    told = [_described(product) for product in named[:MOST_CARDS]]
    if draft and draft.product_id:
        return state, [Text(text) for text in told]
    cards: list[Reply] = [
        Card(text, product.product_id)
        for text, product in zip(told, named, strict=False)
    ]
    shown = tuple(product.product_id for product in named[:MOST_CARDS])
    return replace(state, shown=shown), cards


def _order_status(heard: Heard, state: State, world: World) -> Answer:
    if not world.orders:
        return state, [Text("You have not ordered anything yet.")]
    lines: list[Reply] = [
        Text(_order_line(order, world.today)) for order in world.orders[:MOST_ORDERS]
    ]
    if len(world.orders) > MOST_ORDERS:
        lines.append(Text("The older ones are under My orders."))
    return state, lines


def _order_line(order: Mapping[str, Any], today: date) -> str:
    when = str(order.get("deliveryDate", ""))
    with suppress(ValueError):
        when = in_words(date.fromisoformat(when), today)
    status = _STATUSES.get(str(order.get("status")), str(order.get("status")))
    what = f"{order.get('quantity', 1)} × {order.get('name', order.get('productId'))}"
    return f"{what} for {when}: {status} (order {order.get('orderId')})."


_STATUSES = {
    "pending": "being processed",
    "confirmed": "confirmed and paid",
    "declined": "the card was declined, and nothing was charged",
    "failed": "it did not work out, and nothing was charged",
}


def _reorder(heard: Heard, state: State, world: World) -> Answer:
    known = [at for at in world.orders if at.get("productId") in world.products]
    if not known:
        return state, [
            wording.categories("I know of no earlier order. What would you like?")
        ]
    product = world.products[str(known[0]["productId"])]
    quantity, address = known[0].get("quantity"), known[0].get("deliveryAddress")
    draft = Draft(
        product_id=product.product_id,
        quantity=quantity if type(quantity) is int else None,
        address=address if isinstance(address, str) else None,
    )
    found = heard.reading.entities
    draft = slots.collect(draft, product, found, heard.text, None)
    return _advance(draft, product, state, world, heard, opening=True)


def _correct(heard: Heard, state: State, world: World) -> Answer:
    if state.draft is None:
        text = "There is no order in the making that I could change."
        return state, [wording.categories(f"{text} What would you like?")]
    return _inform(heard, state, world)


def _show(text: str, found: Sequence[Product], state: State) -> Answer:
    """Show products as cards, best first, and remember which."""
    cards = [Card(_described(at), at.product_id) for at in found[:MOST_CARDS]]
    shown = tuple(card.product_id for card in cards)
    awaiting = state.awaiting
    if state.draft and state.draft.product_id is None:
        awaiting = "product"
    replies: list[Reply] = [Text(text), *cards]
    if len(found) > MOST_CARDS:
        replies.append(choices("There are more.", "Show me more"))
    return replace(state, shown=shown, awaiting=awaiting), replies


def _described(product: Product) -> str:
    cost = price(product.unit_amount, product.currency)
    left = "" if product.stock > 5 else f" Only {product.stock} left."
    if product.stock == 0:
        left = " Sold out at the moment."
    return f"{product.name}, {cost}. {product.description}{left}"


_SKILLS: dict[str, Callable[[Heard, State, World], Answer]] = {
    "greet": _greet,
    "help": _help,
    "thank": _say,
    "goodbye": _say,
    "payment_question": _say,
    "delivery_question": _say,
    "refund_question": _say,
    "human": _say,
    "small_talk": _say,
    "deny": _say,
    "affirm": _affirm,
    "cancel": _cancel,
    "start_over": _start_over,
    "repeat": _repeat,
    "order": _order,
    "inform": _inform,
    "correct": _correct,
    "browse": _browse,
    "recommend": _recommend,
    "more_options": _more,
    "product_question": _product_question,
    "order_status": _order_status,
    "reorder": _reorder,
}
