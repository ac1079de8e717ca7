"""Greetings, help, thanks, and all that needs no more than a kind word."""

from __future__ import annotations

from . import wording
from .conversation import State
from .replies import Text
from .turn import Answer, Heard, World


def greet(heard: Heard, state: State, world: World) -> Answer:
    """Say hello."""
    if state.draft:
        return state, [Text("Hello again!")]
    return state, [wording.categories(wording.GREETING)]


def explain(heard: Heard, state: State, world: World) -> Answer:
    """Tell what the guest can do."""
    return state, [wording.categories(wording.HELP)]


def say(heard: Heard, state: State, world: World) -> Answer:
    """Give the fixed answer to an intent that needs no more."""
    return state, [Text(wording.ANSWERS[heard.intent or ""])]


def goodbye(heard: Heard, state: State, world: World) -> Answer:
    """Take leave; an order in the making is kept."""
    if state.draft and state.draft.product_id:
        return state, [Text(wording.GOODBYE_WITH_ORDER)]
    return state, [Text(wording.ANSWERS["goodbye"])]


def repeat(heard: Heard, state: State, world: World) -> Answer:
    """Say the last answer again."""
    if not state.last:
        return greet(heard, state, world)
    return state, list(state.last)


def start_over(heard: Heard, state: State, world: World) -> Answer:
    """Forget the conversation."""
    return State(), [wording.categories(wording.RESTARTED)]


def refuse(heard: Heard, state: State, world: World) -> Answer:
    """Refuse politely what is out of scope."""
    return state, [wording.categories(wording.REFUSAL)]
