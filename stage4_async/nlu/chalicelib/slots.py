"""The details of an order, as the guest gives them: written down, not yet checked."""

from __future__ import annotations

import re
from dataclasses import replace

from .conversation import Draft
from .entities import Entities
from .lexicon import SMALL_WORDS
from .numbers import in_figures
from .places import LONGEST_ADDRESS, is_place_name
from .products import Product
from .times import in_part, written

LONGEST_PLACE = 60


def counting_slot(product: Product) -> str:
    """Return which figure the product needs: the "quantity" or the "party"."""
    return "party" if product.kind.party else "quantity"


def open_slot(
    found: Entities,
    draft: Draft,
    product: Product,
    awaiting: str | None,
    corrects: bool,
) -> str | None:
    """Return which detail a text that is nothing but details answers.

    That is what was asked for, unless a place was and the text has none: then a figure
    is what it can be. "8" to "in which city?" is the hour of a table whose guests are
    counted already. corrects tells that it takes back what was said: "no, 3".
    """
    told = found.address or found.city or found.place
    if found.number is None or told or awaiting not in ("address", "date"):
        return None if awaiting == "address" and not told else awaiting
    if corrects and found.date is None:
        return counting_slot(product)
    if awaiting == "date":
        return awaiting
    counted = draft.party_size if product.kind.party else draft.quantity
    exact = draft.time is not None and ":" in draft.time
    if counted and counted != found.number and product.kind.timed and not exact:
        return "time"
    # A count that has been said is corrected in words, not by a stray figure.
    return counting_slot(product) if counted in (None, 1) else None


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
    if entities.nights is not None:
        draft = replace(draft, nights=entities.nights)
    draft = _collect_time(draft, entities, awaiting)
    draft = _collect_place(draft, product, entities, text, awaiting)
    if awaiting == "time":
        return _collect_count(draft, product, replace(entities, number=None), None)
    return _collect_count(draft, product, entities, awaiting)


def _collect_time(draft: Draft, entities: Entities, awaiting: str | None) -> Draft:
    said, certain = entities.time, entities.half_day
    if said is None and awaiting == "time" and entities.number is not None:
        hour = entities.number
        if not 0 <= hour <= 23:
            return draft
        said, certain = written(hour, 0), hour >= 12 or hour == 0
    if said is None:
        return draft
    part = draft.time
    if not certain and part and ":" not in part and part != "any":
        hour, minute = map(int, said.split(":"))
        said, certain = written(in_part(hour, part), minute), True
    elif ":" not in said and not draft.half_day and draft.time and said != "any":
        # "In the evening" tells which seven o'clock was meant.
        hour, minute = map(int, draft.time.split(":"))
        said, certain = written(in_part(hour, said), minute), True
    return replace(draft, time=said, half_day=certain)


def _collect_count(
    draft: Draft, product: Product | None, entities: Entities, awaiting: str | None
) -> Draft:
    slot = counting_slot(product) if product else None
    number = entities.number
    asked = awaiting in (slot, "confirm") or slot in entities.mentions
    if slot == "party":
        party = entities.party_size
        if party is None and asked:
            # "Two of us" are people; "two rooms" are rooms.
            of_people = awaiting == slot and entities.category is None
            party = number if number is not None or not of_people else entities.quantity
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
        pieces = not entities.packed
        return replace(draft, quantity=entities.quantity, pieces=pieces)
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
        tail = "" if city else _said_after(entities.address, text)
        address = f"{entities.address}{tail}"
        return replace(draft, address=address, city=city, place=None)
    said = said_place(text) if awaiting == "address" and product else ""
    if product and product.kind.place != "city" and is_address(said):
        return replace(draft, address=said, city=None, place=None)
    if entities.city:
        # A new city makes an old street wrong.
        return replace(draft, city=entities.city, address=None, place=None)
    if entities.place and (product is None or product.kind.place == "city"):
        return replace(draft, place=entities.place, city=None, address=None)
    if not re.search(r"[^\W\d_]{3,}", in_figures(said)):
        return draft
    if product and product.kind.place == "city":
        return replace(draft, place=said[:LONGEST_PLACE], city=None, address=None)
    return replace(draft, place=said[:LONGEST_PLACE])


def _said_after(address: str, text: str) -> str:
    """Return the name that ends a text after a street, as it may be an unknown town."""
    before, _, after = said_place(text).partition(address)
    match = re.fullmatch(r"(?:,| in)? ?([a-z]{3,}(?: [a-z]{3,})?)", after)
    town = match[1] if match and not before else ""
    if not town or set(town.split()) & SMALL_WORDS or not is_place_name(town):
        return ""
    return f", {town}"


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


_SOMEWHERE = re.compile(
    r"(?:(?:my|our|his|her|their|the)\b.*\b)?(?:house|home|place|office|flat|apartment|"
    r"work|workplace|school)",
    re.IGNORECASE,
)


def is_somewhere(said: str) -> bool:
    """Tell whether a text names a place that only the guest knows: "my office"."""
    return len(said.split()) <= 5 and _SOMEWHERE.fullmatch(said) is not None


def is_address(said: str) -> bool:
    """Tell whether free text may be an address, by its number or kind of place.

    "My office" is a place, but nobody else knows where.
    """
    if re.match(r"(?:my|our|his|her|their)\b(?!.*\d)", said, re.IGNORECASE):
        return False
    words = re.findall(r"[^\W\d_]{2,}", said)
    has_number = re.search(r"(?<![-.\d])\d", said) is not None
    return bool(words) and (
        (has_number and len(said) >= 6)
        or (len(words) >= 2 and _NAMED_PLACE.search(said) is not None)
    )
