"""The dialogue: a state and what the guest says in, a new state and the answers out.

Everything here is a pure function. Nothing is charged, priced or stored: a complete
order becomes a `Checkout` reply, and the checkout form takes it from there.

`respond` decides which skill answers. The skills are in `ordering`, `browsing`,
`past_orders` and `small_talk`; each takes what was heard, the state and the world, and
returns the new state with its replies.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from . import (
    browsing,
    drafts,
    ordering,
    past_orders,
    slots,
    small_talk,
    well_known_days,
    wording,
)
from .conversation import Draft, State, StateError, dump, load
from .picking import names_one, picked, wants
from .products import Product, by_id
from .replies import LONGEST_TEXT, Card, Message, Reply, Text, render
from .turn import Answer, Heard, Orders, World
from .understanding import Engine, Reading, read

_CARD_NUMBER = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")


def converse(
    state_json: str | None,
    messages: Sequence[Message],
    now: datetime,
    products: Sequence[Product],
    orders: Orders | None,
    engine: Engine,
) -> tuple[str, list[Message]]:
    """Answer messages of the wire format and return the state to keep, as JSON.

    now is in UTC and gives the day that "tomorrow" follows and the timestamps. orders
    are the guest's own as the API shows them, newest first; None while they cannot be
    seen. An unreadable state starts afresh, and the guest is told. Never raises for
    anything a guest sends.
    """
    world = World(now, by_id(products), orders, engine)
    replies: list[Reply] = []
    state = State()
    if state_json is not None:
        try:
            state = load(state_json)
        except StateError:
            replies.append(Text(wording.FRESH_START))
    for message in messages or [{}]:
        after, answers = respond(state, message, world)
        replies = [*_still_open(replies, state, after), *answers]
        state = after
    rendered = [render(reply, world.products, now) for reply in replies]
    return dump(state), rendered


def _still_open(replies: list[Reply], before: State, after: State) -> list[Reply]:
    """Return the replies without a question that the next message has answered.

    This is for guests who send several messages at once.
    """
    answered = before.draft and before.awaiting and after.draft != before.draft
    asked = before.last[-1:] == tuple(replies[-1:])
    if replies and answered and asked and not isinstance(replies[-1], Card):
        return replies[:-1]
    return replies


def respond(state: State, message: Message, world: World) -> Answer:
    """Return the state after one message, and the answers to it; at least one."""
    product_id, text = _content(message)
    state = _forget_vanished(state, world)
    state, news = past_orders.settle(state, world)
    if product_id is not None:
        after, replies = _pressed(product_id, state, world)
    elif not any(map(str.isalnum, text)):
        silence = wording.PUZZLED if text else wording.SILENCE
        question = drafts.reminder(state, state, world)
        after, replies = state, [question or wording.categories(silence)]
    elif _CARD_NUMBER.search(text):
        after, replies = state, [Text(wording.NO_CARD_NUMBERS)]
    else:
        text = _as_date(text, state)
        reading = read(text, world.today, world.products.values(), world.engine)
        heard = Heard(text, _put_right(text, reading))
        after, replies = _heard(heard, state, world)
        # The status tells the news anyway.
        news = [] if heard.intent == "order_status" else news
    replies = [*news, *replies]
    return replace(after, last=tuple(replies)), replies


def _as_date(text: str, state: State) -> str:
    """Return a text that is the name of a day as a date, if that was asked for.

    "Christmas" is an occasion otherwise.
    """
    day = well_known_days.alone(text) if state.awaiting == "date" else None
    return f"on {day}" if day else text


_WISHED = re.compile(r"\b(?:want|take|have|like|need|instead)\b", re.IGNORECASE)
_ASKED = re.compile(r"(?:what|when|where|how|which|who|why)\b", re.IGNORECASE)


def _put_right(text: str, reading: Reading) -> Reading:
    """Return the reading with the intent that the text itself makes plain.

    What is no more than details informs, what is no more than one product orders it,
    and not all that sounds like a wish to drop everything is one.
    """
    heard = Heard(text, reading)
    if heard.gives and reading.intent != "correct":
        return replace(reading, intent="inform", confidence=1.0)
    if names_one(heard):
        return replace(reading, intent="order", confidence=1.0)
    if reading.intent not in ("cancel", "start_over"):
        return reading
    if reading.entities.products and _WISHED.search(text):
        return replace(reading, intent="correct")  # "forget it, I want a cake"
    if _ASKED.match(text):
        return replace(reading, intent="product_question")  # "when does it start?"
    return reading


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
    return drafts.choose(product, state, world, None)


def _heard(heard: Heard, state: State, world: World) -> Answer:
    if state.draft and (answer := ordering.go_on(heard, state, state.draft, world)):
        return answer
    if state.draft is None and (product := picked(heard, state, world)):
        return drafts.choose(product, state, world, heard)
    after, replies = _begin(heard, state, world)
    # A repeated answer has the open question in it, and a farewell wants none.
    quiet = tuple(replies) == state.last or heard.intent in ("goodbye", "thank")
    if not quiet and (reminder := drafts.reminder(after, state, world)):
        replies = [*replies, reminder]
    return after, replies


_WISHES = {"browse", "recommend", "more_options", "product_question", "inform"}


def _begin(heard: Heard, state: State, world: World) -> Answer:
    """Answer a text that does not go on with an order."""
    intent = _intent(heard, state)
    if intent in _WISHES:
        state = _with_details(heard, state)
    skill = SKILLS.get(intent or "", small_talk.refuse)
    return skill(heard, state, world)


def _intent(heard: Heard, state: State) -> str | None:
    """Return the intent, put right where the rest of the text says otherwise."""
    found = heard.found
    if browsing.asks_trait(heard, state):
        return "product_question"
    if found.email and (heard.intent is None or heard.intent in _WISHES):
        return "inform"
    ours = found.products or found.category
    if ours and heard.intent in ("greet", "goodbye"):
        return "browse" if heard.is_question else "order"  # "hi, two pizzas"
    if ours and wants(heard) and (heard.intent in _WISHES or heard.intent is None):
        return "order"
    if heard.intent is None and found.products and heard.is_question:
        return "product_question"
    brief = len(heard.text.split()) <= 4
    budget = found.min_amount is not None or found.max_amount is not None
    if heard.intent is None and budget and brief:
        return "browse"
    if heard.intent is None and ours and brief:
        # A word or two of ours, as in "tulips?", is a request all the same.
        return "browse"
    return heard.intent


def _with_details(heard: Heard, state: State) -> State:
    """Keep what a wish says about the order to come: "a table for two tomorrow"."""
    if state.draft and state.draft.product_id:
        return state
    draft = state.draft or Draft()
    noted = slots.collect(draft, None, heard.found, heard.text, None)
    if noted == draft:
        return state
    return replace(state, draft=noted, awaiting="product")


SKILLS: dict[str, Callable[[Heard, State, World], Answer]] = {
    "greet": small_talk.greet,
    "help": small_talk.explain,
    "thank": small_talk.say,
    "goodbye": small_talk.goodbye,
    "payment_question": small_talk.say,
    "delivery_question": small_talk.say,
    "refund_question": small_talk.say,
    "human": small_talk.say,
    "small_talk": small_talk.say,
    "deny": small_talk.say,
    "repeat": small_talk.repeat,
    "start_over": small_talk.start_over,
    "affirm": ordering.affirm,
    "cancel": ordering.cancel,
    "order": ordering.order,
    "inform": ordering.inform,
    "correct": ordering.correct,
    "browse": browsing.browse,
    "recommend": browsing.recommend,
    "more_options": browsing.more,
    "product_question": browsing.product_question,
    "order_status": past_orders.status,
    "reorder": past_orders.reorder,
}
