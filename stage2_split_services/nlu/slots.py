"""The details of an order: taking them from a text, checking them, asking for them.

`collect` writes down what the guest said, `check` takes out again what cannot be and
says why, `missing` and `question` ask for the next one. So a wrong detail is asked
again, and only that one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, timedelta
from math import ceil

from .conversation import Draft
from .dates import in_words
from .entities import Entities, cities
from .products import Product, price
from .replies import Checkout, Choices, Reply, Text, choices

MOST_UNITS = 100
LONGEST_ADDRESS = 200
FURTHEST = timedelta(days=365)


@dataclass(frozen=True)
class Checked:
    """A draft without what cannot be, and why that cannot be, by slot."""

    draft: Draft
    problems: dict[str, str]


def counting_slot(product: Product) -> str:
    """Return which figure the product needs: the "quantity" or the "party"."""
    return "party" if product.kind.party else "quantity"


def collect(
    draft: Draft,
    product: Product | None,
    entities: Entities,
    text: str,
    awaiting: str | None,
) -> Draft:
    """Return the draft with the details that a text gives or changes.

    text itself is read as a place when that was asked for.
    """
    if entities.date:
        draft = replace(draft, date=entities.date.isoformat())
    draft = _collect_place(draft, product, entities, text, awaiting)
    return _collect_count(draft, product, entities, awaiting)


def _collect_count(
    draft: Draft, product: Product | None, entities: Entities, awaiting: str | None
) -> Draft:
    slot = counting_slot(product) if product else None
    number = entities.number
    asked = awaiting in (slot, "confirm") or slot in entities.mentions
    if slot == "party":
        party = entities.party_size
        if party is None and asked:
            party = number if number is not None else entities.quantity
        if party is not None:
            draft = replace(draft, party_size=party)
        elif entities.quantity is not None:
            draft = replace(draft, quantity=entities.quantity)
        return draft
    if entities.party_size is not None:
        draft = replace(draft, party_size=entities.party_size)
        if product and product.category == "tickets":
            draft = replace(draft, quantity=entities.party_size, pieces=False)
    if entities.quantity is not None:
        return replace(draft, quantity=entities.quantity, pieces=True)
    if number is not None and asked:
        return replace(draft, quantity=number, pieces=False)
    return draft


def _collect_place(
    draft: Draft,
    product: Product | None,
    entities: Entities,
    text: str,
    awaiting: str | None,
) -> Draft:
    if entities.address:
        # "5 Main Street" completes a city said before; "8 Elm St, Chicago" does not.
        kept = None if "," in entities.address else draft.city
        city = entities.city or kept
        return replace(draft, address=entities.address, city=city, place=None)
    said = said_place(text) if awaiting == "address" and product else ""
    if product and product.kind.place != "city" and is_address(said):
        return replace(draft, address=said, city=None, place=None)
    if entities.city:
        # A new city makes an old street wrong.
        return replace(draft, city=entities.city, address=None, place=None)
    if entities.place and (product is None or product.kind.place == "city"):
        return replace(draft, place=entities.place, city=None, address=None)
    if said and product and product.kind.place == "city":
        return replace(draft, place=said[:60], city=None, address=None)
    return replace(draft, place=said[:60]) if said else draft


_LEADING = re.compile(
    r"^(?:please |it'?s |it is |my address is |the address is |"
    r"(?:send|deliver|bring|ship) (?:it|them)? ?|it goes |to |at |in )+",
    re.IGNORECASE,
)
_NAMED_PLACE = re.compile(
    r"\b(?:hotel|hospital|university|college|school|office|airport|station|church|"
    r"restaurant|building|tower|museum|theat(?:re|er)|library|hall|park)\b",
    re.IGNORECASE,
)


def said_place(text: str) -> str:
    """Return a text without the words that lead up to a place."""
    return _LEADING.sub("", text.strip()).strip(" .,!?")[:LONGEST_ADDRESS]


def is_address(said: str) -> bool:
    """Tell whether free text may be an address, by its number or kind of place."""
    words = re.findall(r"[^\W\d_]{2,}", said)
    has_number = re.search(r"(?<![-.\d])\d", said) is not None
    return bool(words) and (
        (has_number and len(said) >= 6)
        or (len(words) >= 2 and _NAMED_PLACE.search(said) is not None)
    )


def check(draft: Draft, product: Product, entities: Entities, today: date) -> Checked:
    """Take out of a draft what cannot be; entities are of the text just heard."""
    problems: dict[str, str] = {}
    draft = _check_count(draft, product, entities, problems)
    draft = _check_place(draft, product, problems)
    draft = _check_date(draft, entities, today, problems)
    return Checked(draft, problems)


def _check_count(
    draft: Draft, product: Product, entities: Entities, problems: dict[str, str]
) -> Draft:
    slot = counting_slot(product)
    if slot == "party":
        problem = _party_problem(draft, product)
        unclear = {"party", "number"} & set(entities.unclear)
        if problem or (unclear and draft.party_size is None):
            problems[slot] = problem or "I need a whole number of people."
            return replace(draft, party_size=None, quantity=None)
        return draft
    if draft.pieces and draft.quantity and product.pack:
        units, left = divmod(draft.quantity, product.pack)
        if units and left:
            problems[slot] = f"{product.name} means {product.pack} pieces each."
            return replace(draft, quantity=None, pieces=False)
        # Fewer than a unit has must mean units: two roses are not sold.
        draft = replace(draft, quantity=units or draft.quantity, pieces=False)
    problem = _quantity_problem(draft.quantity, product)
    unclear = {"quantity", "number"} & set(entities.unclear)
    if problem or (unclear and draft.quantity is None):
        problems[slot] = problem or "I need a whole number for that."
        return replace(draft, quantity=None, pieces=False)
    return draft


def _quantity_problem(quantity: int | None, product: Product) -> str | None:
    if quantity is None:
        return None
    if quantity < 1:
        return f"I cannot order {quantity} of something; it takes at least one."
    if quantity > MOST_UNITS:
        return f"{quantity} is more than I can arrange; the most is {MOST_UNITS}."
    if quantity > product.stock:
        return f"I have only {product.stock} left of {product.name}."
    return None


def _party_problem(draft: Draft, product: Product) -> str | None:
    party = draft.party_size
    if party is None:
        return None
    if party < 1:
        return f"A party of {party} cannot be; it takes at least one person."
    units = unit_count(draft, product)
    if party > MOST_UNITS * (product.serves or 1) or units > MOST_UNITS:
        return f"A party of {party} is more than I can arrange."
    if units > product.stock:
        seats = product.stock * (product.serves or 1)
        return f"{product.name} has room for at most {seats} more people."
    return None


def _check_place(draft: Draft, product: Product, problems: dict[str, str]) -> Draft:
    unknown = draft.place
    draft = replace(draft, place=None)
    if product.kind.place == "city":
        if unknown and not draft.city and not draft.address:
            named = ", ".join(sorted(set(cities().values()))[:8])
            problems["address"] = (
                f'I do not know a city called "{unknown}". I arrange things in {named} '
                "and more."
            )
        return draft
    if not draft.address and draft.city:
        problems["address"] = f"I need the street and the number in {draft.city} too."
    elif not draft.address and unknown:
        problems["address"] = (
            f'I cannot find "{unknown}" without a street and a number.'
        )
    return draft


def _check_date(
    draft: Draft, entities: Entities, today: date, problems: dict[str, str]
) -> Draft:
    if "date" in entities.unclear:
        problems["date"] = "I am not sure which day that is."
        return replace(draft, date=None)
    if draft.date is None:
        return draft
    try:
        day = date.fromisoformat(draft.date)
    except ValueError:
        return replace(draft, date=None)
    if day < today:
        problems["date"] = f"{in_words(day, today)} is in the past."
    elif day > today + FURTHEST:
        problems["date"] = f"{in_words(day, today)} is more than a year away."
    return replace(draft, date=None) if "date" in problems else draft


def unit_count(draft: Draft, product: Product) -> int:
    """Return how many units to order: those asked for, or enough for the party."""
    if counting_slot(product) == "quantity":
        return draft.quantity or 1
    enough = ceil((draft.party_size or 1) / (product.serves or 1))
    return max(enough, draft.quantity or 1)


def missing(draft: Draft, product: Product) -> str | None:
    """Return the next detail to ask for, or None when the order is complete."""
    counted = draft.party_size if product.kind.party else draft.quantity
    if counted is None:
        return counting_slot(product)
    if not (draft.address or (draft.city and product.kind.place == "city")):
        return "address"
    return None if draft.date else "date"


def question(slot: str, product: Product, today: date, reason: str = "") -> Reply:
    """Return the question for one detail, after the reason for asking again."""
    reason = f"{reason} " if reason else ""
    if slot == "quantity":
        return choices(f"{reason}How many would you like?", "1", "2", "3")
    if slot == "party":
        return choices(f"{reason}For how many people?", "1", "2", "4", "6")
    if slot == "date":
        week_end = today + timedelta(days=(5 - today.weekday()) % 7 or 7)
        return Choices(
            f"{reason}For which day?",
            (
                ("Today", "today"),
                ("Tomorrow", "tomorrow"),
                (f"{week_end:%A} {week_end.day} {week_end:%B}", week_end.isoformat()),
            ),
        )
    if product.kind.place == "city":
        return choices(
            f"{reason}In which city?", "New York", "Boston", "Chicago", "San Francisco"
        )
    if product.kind.place == "pickup":
        return Text(f"{reason}From which address shall the driver pick you up?")
    return Text(f"{reason}To which address shall I send it (street, number, city)?")


def checkout(draft: Draft, product: Product, today: date) -> Checkout:
    """Return the completed order for the checkout form."""
    units = unit_count(draft, product)
    day = date.fromisoformat(draft.date or today.isoformat())
    place = ", ".join(
        part
        for part in (draft.address, draft.city)
        if part and not (part == draft.city and part in (draft.address or ""))
    )
    joint = {"address": "to", "pickup": "from", "city": "in"}[product.kind.place]
    people = f" for {draft.party_size}" if product.kind.party else ""
    total = price(product.unit_amount * units, product.currency)
    text = (
        f"Here is your order: {units} × {product.name}{people}, {joint} {place}, "
        f"{in_words(day, today)}, {total} in all. "
        "Press Checkout to pay, or tell me what to change."
    )
    return Checkout(text, product.product_id, units, place, day.isoformat())
