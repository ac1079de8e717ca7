"""Showing what there is: by category, price and occasion, advice, and one product."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from . import wording
from .conversation import Search, State
from .picking import pick
from .products import Product, price, search
from .replies import Card, Reply, Text, choices
from .turn import CLEAR, Answer, Heard, World

MOST_CARDS = 6
MOST_ADVICE = 3


def browse(heard: Heard, state: State, world: World) -> Answer:
    """Show the products that a text asks for."""
    wish = _wish(heard, state)
    named = [world.products[name] for name in heard.found.products]
    if named:
        wish = replace(wish, category=wish.category or named[0].category)
        state = replace(state, search=wish)
        return show_named(_affordable(named, wish) or named, state, world)
    state = replace(state, search=wish)
    if wish == Search():
        return state, [wording.categories("What kind of thing would you like to see?")]
    found = _matching(wish, world)
    if heard.found.cheapest:
        found = sorted(found, key=lambda product: product.unit_amount)[:1]
    if not found:
        return _nothing_found(wish, state, world)
    text = f"{_headline(wish)}{_for_whom(heard, wish)}. Which one would you like?"
    return show(text, found, state)


def recommend(heard: Heard, state: State, world: World) -> Answer:
    """Suggest a few products, of different kinds."""
    wish = _wish(heard, state)
    state = replace(state, search=wish)
    named = [world.products[name] for name in heard.found.products]
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
    return show(text, ranked[:MOST_ADVICE], state)


def more(heard: Heard, state: State, world: World) -> Answer:
    """Show other products than those on the cards, or cheaper ones."""
    wish = state.search or Search()
    shown = [world.products[name] for name in state.shown]
    limits = (heard.found.min_amount, heard.found.max_amount)
    if not shown or limits != (None, None):
        return browse(heard, state, world)
    words = heard.text.lower()
    cheaper = any(word in words for word in ("cheap", "expensive", "price", "less"))
    if cheaper:
        limit = min(product.unit_amount for product in shown) - 1
        wish = replace(wish, max_amount=limit, min_amount=None)
    kinds = {product.category for product in shown}
    if wish.category is None and len(kinds) == 1:
        wish = replace(wish, category=kinds.pop())
    others = [at for at in _matching(wish, world) if at not in shown]
    if others:
        text = "These cost less." if cheaper else "Here are some others."
        return show(text, others, replace(state, search=wish))
    text = "That is the cheapest I have." if cheaper else "That is all I have of those."
    return state, [wording.categories(f"{text} Shall we look at something else?")]


_TRAIT = re.compile(
    r"\b(?:includ\w+|comes? with|contain\w*|made (?:of|from)|ingredients?|gluten|nuts?|"
    r"vegan|vegetarian|allerg\w+|organic|fresh|smell|colou?rs?|sizes?|"
    r"how (?:big|large|long|heavy|tall|many (?:pieces|people|seats|beds))|"
    r"(?:breakfast|wi-?fi|parking|vase|card|drinks?) (?:with|come|included))\b",
    re.IGNORECASE,
)


_POINTS = re.compile(
    r"(?:and |so |but )?(?:is|are|does|do|can|has|have|will|would) "
    r"(?:it|this|that|they|these|those)\b(?! (?:all|ok|okay|it|right|correct)\b)",
    re.IGNORECASE,
)


def asks_trait(heard: Heard, state: State) -> bool:
    """Tell whether a text asks what the product in view is like."""
    in_view = (
        heard.found.products
        or (state.draft and state.draft.product_id)
        or len(state.shown) == 1
    )
    paying = re.search(r"\b(?:tax|vat|delivery|shipping|tip)\b", heard.text, re.I)
    if not in_view or not heard.is_question or paying:
        return False
    view = (state.draft.product_id if state.draft else None, *state.shown)
    if heard.found.category and not set(view) & set(heard.found.products):
        # "Do you have vegan food?" asks for others.
        return False
    reading = heard.reading
    asking = reading.confidence < CLEAR or reading.intent == "product_question"
    pointing = asking and _POINTS.match(heard.text)
    return bool(_TRAIT.search(heard.text) or pointing)


def product_question(heard: Heard, state: State, world: World) -> Answer:
    """Tell what is known about a product."""
    named = [world.products[name] for name in heard.found.products]
    draft = state.draft
    if draft and draft.product_id and asks_trait(heard, state):
        named = [world.products[draft.product_id]]
    if not named and draft and draft.product_id and not heard.found.ordinal:
        named = [world.products[draft.product_id]]
    if not named and len(state.shown) == 1 and not heard.found.category:
        named = [world.products[state.shown[0]]]
    if not named and (product := pick(heard, state, world)):
        named = [product]
    if not named:
        return browse(heard, state, world)
    rest = " That is all I know about it." * asks_trait(heard, state)
    if len(named) == 1 and named[0].stock == 0:
        text = f"{described(named[0])} Would one of these do instead?"
        return show_alternatives(named[0], state, world, text)
    if draft and draft.product_id:
        return state, [Text(described(at) + rest) for at in named[:MOST_CARDS]]
    if len(named) == 1:
        cards = [Card(named[0].name, named[0].product_id)]
        state = replace(state, shown=(named[0].product_id,))
        return state, [Text(described(named[0]) + rest), *cards]
    return show("This is what I know about them.", named, state)


def show(text: str, found: Sequence[Product], state: State) -> Answer:
    """Show products as cards, best first, and remember which."""
    cards = [Card(described(at), at.product_id) for at in found[:MOST_CARDS]]
    shown = tuple(card.product_id for card in cards)
    awaiting = state.awaiting
    if state.draft and state.draft.product_id is None:
        awaiting = "product"
    replies: list[Reply] = [Text(text), *cards]
    if len(found) > MOST_CARDS:
        replies.append(choices("There are more.", "Show me more"))
    return replace(state, shown=shown, awaiting=awaiting), replies


def show_category(
    category: str, state: State, world: World, without: Sequence[str] = ()
) -> Answer:
    """Show a category in place of the product being ordered."""
    draft = state.draft and replace(state.draft, product_id=None, quantity=None)
    found = search(world.products.values(), category=category)
    found = [at for at in _in_stock_first(found) if at.product_id not in without]
    state = replace(state, search=Search(category=category), draft=draft)
    return show("Which one would you like instead?", found, state)


def show_alternatives(
    product: Product, state: State, world: World, text: str = ""
) -> Answer:
    """Show what may take the place of a product that is sold out."""
    others = search(world.products.values(), category=product.category)
    near = [at for at in others if at.stock and at.product_id != product.product_id]
    near.sort(key=lambda at: abs(at.unit_amount - product.unit_amount))
    sorry = (
        f"{product.name}: sold out at the moment, I am sorry. Would one of these do?"
    )
    return show(text or sorry, near[:MOST_ADVICE], state)


def described(product: Product) -> str:
    """Return what a card says about a product."""
    cost = price(product.unit_amount, product.currency)
    left = "" if product.stock > 5 else f" Only {product.stock} left."
    if product.stock == 0:
        left = " Sold out at the moment."
    return f"{product.name}, {cost}. {product.description}{left}"


def show_named(
    named: Sequence[Product],
    state: State,
    world: World,
    text: str = "Here is what I found.",
) -> Answer:
    """Show the products that a text names, or others when they are sold out."""
    if any(product.stock for product in named):
        return show(text, _in_stock_first(named), state)
    return show_alternatives(named[0], state, world)


def _in_stock_first(products: Sequence[Product]) -> list[Product]:
    return sorted(products, key=lambda product: product.stock == 0)


def _wish(heard: Heard, state: State) -> Search:
    """Return what is looked for; a price alone narrows the search before."""
    found = heard.found
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
    return _in_stock_first(found)


def _affordable(products: list[Product], wish: Search) -> list[Product]:
    return search(products, min_amount=wish.min_amount, max_amount=wish.max_amount)


def _nothing_found(wish: Search, state: State, world: World) -> Answer:
    wider = _matching(replace(wish, min_amount=None, max_amount=None), world)
    text = "I have nothing at that price. Here is what comes closest."
    if not wider:
        return state, [wording.categories("I have nothing like that. What else?")]
    wanted = wish.max_amount if wish.max_amount is not None else wish.min_amount or 0
    wider = [at for at in wider if at.stock] or wider
    wider.sort(key=lambda product: abs(product.unit_amount - wanted))
    return show(text, wider[:MOST_ADVICE], state)


def _headline(wish: Search) -> str:
    what = wish.category or "some ideas"
    text = f"Here are {what}"
    if wish.category == "food":
        text = "Here is food"
    if wish.min_amount is not None and wish.max_amount is not None:
        text += f" from {price(wish.min_amount)} to {price(wish.max_amount)}"
    elif wish.max_amount is not None:
        text += f" up to {price(wish.max_amount)}"
    elif wish.min_amount is not None:
        text += f" from {price(wish.min_amount)}"
    return text


def _for_whom(heard: Heard, wish: Search) -> str:
    return wording.for_whom(heard.found.recipient, wish.occasion)
