"""Whether a text answers the question that is open, or speaks of something else."""

from __future__ import annotations

from . import slots
from .conversation import State
from .picking import LOOKING, picked
from .products import Product
from .turn import CLEAR, Heard, World


def answers(heard: Heard, state: State, world: World) -> bool:
    """Tell whether a text has the detail that was asked for, and asks nothing."""
    found = heard.found
    unclear = set(found.unclear)
    if heard.text.endswith("?"):
        return False
    if state.awaiting == "confirm":
        details = (found.date, found.address, found.city, found.number, found.nights)
        given = any(detail is not None for detail in details) or bool(found.time)
        return given and not found.category
    if state.awaiting == "date":
        return found.date is not None or "date" in unclear
    if state.awaiting == "time":
        figures = (found.time, found.number, found.date)
        return any(at is not None for at in figures) or "time" in unclear
    if state.awaiting == "nights":
        return found.nights is not None or found.number is not None
    if state.awaiting in ("quantity", "party"):
        counted = (found.quantity, found.number, found.party_size)
        return any(figure is not None for figure in counted) or bool(
            {"number", "quantity", "party"} & unclear
        )
    if state.awaiting == "product":
        return picked(heard, state, world) is not None
    return state.awaiting == "address" and (
        bool(found.address or found.city) or _is_place(heard)
    )


def _is_place(heard: Heard) -> bool:
    """Tell whether a text is no more than the name of a place, as "Gotham" is."""
    said = slots.said_place(heard.text)
    words = said.split()
    found = heard.found
    if slots.is_somewhere(said):
        return True
    if slots.is_address(said) and heard.intent != "delivery_question":
        return may_be_place(heard)
    return (
        0 < len(words) <= 3
        and all(word[0].isupper() for word in words)
        and heard.intent in (*LOOKING, "inform", "order", "correct", None)
        and not (found.products or found.category or found.date)
    )


def may_be_place(heard: Heard) -> bool:
    """Tell whether a text may answer "where?", as no question or chat would."""
    found = heard.found
    other = (found.party_size, found.date, found.quantity, found.time, found.email)
    if any(detail is not None for detail in other):
        return False
    if slots.is_somewhere(slots.said_place(heard.text)):
        return True
    if heard.intent in (None, "inform", "correct", "order", "delivery_question"):
        words = heard.text.split()
        brief = len(words) <= 5 or any(map(str.isdigit, heard.text))
        return brief and not heard.is_question
    # Names of places are like nothing in the training phrases.
    return heard.reading.confidence < CLEAR


def speaks_of_others(heard: Heard, product: Product, world: World) -> bool:
    """Tell whether a text speaks of other products than the one being ordered."""
    found = heard.found
    named = [world.products[name].category for name in found.products]
    kinds = set(named) or ({found.category} if found.category else set())
    if product.product_id in found.products:
        return False
    if heard.intent == "order":
        return bool(kinds)
    return bool(kinds) and product.category not in kinds
