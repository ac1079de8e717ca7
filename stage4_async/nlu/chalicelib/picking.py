"""Which product a text picks, by its name or from the cards shown."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .conversation import State
from .lexicon import lexicon_of
from .products import Product
from .turn import CLEAR, Heard, World

# These may interrupt at any time.
COMMANDS = {"cancel", "start_over", "repeat", "help", "human"}
LOOKING = {"browse", "recommend", "more_options", "product_question", "order_status"}
_WANTS = re.compile(
    r"(?:please |hi,? |hello,? |ok(?:ay)?,? |yes,? |then |and |also )*"
    r"(?:i (?:want|need|would like|would love|will take|am taking)|"
    r"i'?(?:d like|ll take|ll have|d love)|we (?:want|need|'d like|would like)|"
    r"give me|get me|let me (?:have|get)|send|order|buy|book|reserve)\b"
    r"(?! (?:to )?(?:see|know|look|browse|hear|find|more|advice|information|an idea|"
    r"some (?:ideas?|advice|info)))",
    re.IGNORECASE,
)


def wants(heard: Heard) -> bool:
    """Tell whether a text asks for something outright: "I want the music box"."""
    return not heard.is_question and _WANTS.match(heard.text) is not None


_SWAPS = re.compile(
    r"(?:no|not|nope|actually|rather|instead|sorry|i (?:meant|mean)|make (?:it|that)|"
    r"change (?:it|that) to|better|hm+|wait)\b|.*\b(?:instead|rather)\b",
    re.IGNORECASE,
)


def swaps(heard: Heard) -> bool:
    """Tell whether a text puts something else in place: "not roses, tulips"."""
    return not heard.is_question and _SWAPS.match(heard.text) is not None


def names_several(heard: Heard, world: World) -> bool:
    """Tell whether a text wants different things at once: "roses and a cake"."""
    kinds = {world.products[name].category for name in heard.found.products}
    joined = re.search(r"\band\b|&|,|\bplus\b", heard.text)
    return len(kinds) > 1 and joined is not None


def chosen(
    heard: Heard, state: State, product: Product | None, world: World
) -> Product | None:
    """Return the product that a text picks in place of `product`, or None."""
    found = heard.found
    if product is None and (card := picked(heard, state, world)):
        return card
    asks = heard.intent in LOOKING or (heard.intent is None and heard.is_question)
    named_only = state.awaiting == "product" and len(heard.text.split()) <= 3
    outright = wants(heard) or swaps(heard)
    if asks and (heard.is_question or not named_only) and not outright:
        return None
    if len(found.products) == 1:
        named = world.products[found.products[0]]
        return None if named == product else named
    if product and swaps(heard) and not (found.products or found.address):
        return alike(heard, product, world)
    if product is None and not names_several(heard, world):
        return pick(heard, state, world)
    return None


# Who says this of a card is still looking, or does not want it.
_LOOKS = re.compile(
    r"\b(?:show|see|look|looking|tell|about|more|other|others|cheap\w*|expensive|"
    r"different|else|not|don'?t|without|hate|dislike|compare|instead of|ordered)\b",
    re.IGNORECASE,
)


def names_one(heard: Heard) -> bool:
    """Tell whether a text is no more than one product, perhaps with details."""
    found = heard.found
    if heard.is_question or found.refused or _LOOKS.search(heard.text):
        return False
    return found.bare and len(found.products) == 1


def picked(heard: Heard, state: State, world: World) -> Product | None:
    """Return the product that a text picks where cards wait for a choice.

    A product that only one card has is the choice, however it is put; else a few words
    are one.
    """
    if heard.is_question:
        return None
    if heard.intent in COMMANDS and heard.reading.confidence >= CLEAR:
        return None
    if len(state.shown) == 1 and heard.gives:
        # Who gives the details of what is shown, takes it.
        return world.products[state.shown[0]]
    named = set(heard.found.products) & set(state.shown)
    if len(named) == 1 and not _LOOKS.search(heard.text):
        return world.products[named.pop()]
    return pick(heard, state, world) if len(heard.text.split()) <= 3 else None


def pick(heard: Heard, state: State, world: World) -> Product | None:
    """Return the product that a text picks from the cards shown."""
    found = heard.found
    shown = [world.products[name] for name in state.shown]
    if not shown:
        return None
    near = _near(heard, state.shown, world)
    if near and near.product_id in found.products:
        return near
    at = found.ordinal or (None if heard.counts else found.number)
    if at is not None and (at == -1 or 1 <= at <= len(shown)):
        return shown[at - 1 if at > 0 else -1]
    if found.cheapest:
        return min(shown, key=lambda product: product.unit_amount)
    if len(shown) == 1 and found.number is not None:
        return shown[0]
    pointing = {"it", "that", "this"} & set(heard.text.lower().split())
    if len(shown) == 1 and (pointing or heard.intent == "affirm"):
        return shown[0]
    return near


def alike(heard: Heard, product: Product, world: World) -> Product | None:
    """Return another of a product's kind that a text names: "no, the red ones"."""
    kind = (at for at in world.products.values() if at.category == product.category)
    near = _near(heard, [at.product_id for at in kind], world)
    return None if near == product else near


def _near(heard: Heard, names: Sequence[str], world: World) -> Product | None:
    near = lexicon_of(world.products.values()).among(heard.text, names)
    near = tuple(name for name in near if name not in heard.found.refused)
    return world.products[near[0]] if len(near) == 1 else None
