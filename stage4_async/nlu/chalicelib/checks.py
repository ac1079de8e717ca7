"""What cannot be: takes it out of an order, and says why.

So a wrong detail is asked again, and only that one.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from math import ceil

from .conversation import Draft
from .dates import in_words
from .entities import Entities
from .places import cities
from .products import Product
from .slots import counting_slot
from .times import in_words as time_in_words
from .times import written

MOST_UNITS = 100
# So many pieces are taken for units; more are asked about.
FEW = 3
FURTHEST = timedelta(days=365)


@dataclass
class Checked:
    """A draft without what cannot be, and why that cannot be, by slot.

    options are the answers to offer where a detail may mean several things: a label
    and the text it stands for.
    """

    draft: Draft
    problems: dict[str, str] = field(default_factory=dict)
    options: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)


def check(draft: Draft, product: Product, entities: Entities, today: date) -> Checked:
    """Take out of a draft what cannot be; entities are of the text just heard."""
    checked = Checked(draft)
    if counting_slot(product) == "party":
        _check_party(checked, product, entities)
    else:
        _check_quantity(checked, product, entities)
    _check_place(checked, product)
    _check_date(checked, entities, today)
    if product.kind.timed:
        _check_time(checked, product, entities)
    return checked


def unit_count(draft: Draft, product: Product) -> int:
    """Return how many units to order: those asked for, or enough for the party."""
    if counting_slot(product) == "quantity":
        return draft.quantity or 1
    nights = draft.nights or 1 if product.kind.nightly else 1
    return seat_count(draft, product) * nights


def seat_count(draft: Draft, product: Product) -> int:
    """Return how many tables' seats, vehicles or rooms the party takes."""
    enough = ceil((draft.party_size or 1) / (product.serves or 1))
    return max(enough, draft.quantity or 1)


def _check_party(checked: Checked, product: Product, entities: Entities) -> None:
    draft = checked.draft
    if product.kind.nightly and draft.nights is not None and draft.nights < 1:
        draft = checked.draft = replace(draft, nights=None)
        checked.problems["nights"] = "A stay takes at least one night."
    problem = _party_problem(draft, product)
    unclear = {"party", "number"} & set(entities.unclear)
    if problem or (unclear and draft.party_size is None):
        checked.draft = replace(draft, party_size=None, quantity=None)
        either = _either(checked, "party", entities)
        checked.problems["party"] = (
            problem or either or "I need a whole number of people."
        )


def _check_quantity(checked: Checked, product: Product, entities: Entities) -> None:
    draft = checked.draft
    if draft.pieces and draft.quantity and product.pack:
        units, left = divmod(draft.quantity, product.pack)
        if left and draft.quantity > FEW:
            checked.problems["quantity"] = "I cannot split a pack."
            counts = (units, units + 1) if units else (1, draft.quantity)
            checked.options["quantity"] = tuple(
                (f"{count} ({count * product.pack} pieces)", str(count))
                for count in counts
            )
            checked.draft = replace(draft, quantity=None, pieces=False)
            return
        # "Two roses" must mean bouquets, since roses are not sold by the piece.
        draft = replace(draft, quantity=units or draft.quantity, pieces=False)
        checked.draft = draft
    problem = _quantity_problem(draft.quantity, product)
    unclear = {"quantity", "number"} & set(entities.unclear)
    if problem or (unclear and draft.quantity is None):
        checked.draft = replace(draft, quantity=None, pieces=False)
        either = _either(checked, "quantity", entities)
        checked.problems["quantity"] = (
            problem or either or "I need a whole number for that."
        )


def _either(checked: Checked, slot: str, entities: Entities) -> str | None:
    """Offer the figures of "2 or 3" and return the reason for asking."""
    if len(entities.figures) < 2:
        return None
    names = [str(figure) for figure in entities.figures]
    checked.options[slot] = tuple((name, name) for name in names)
    return f"{' or '.join(names)}?"


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
    if units > MOST_UNITS:
        return f"A party of {party} is more than I can arrange."
    if units > product.stock:
        nights = f" for {draft.nights} nights" if (draft.nights or 1) > 1 else ""
        seats = product.stock // (draft.nights or 1) * (product.serves or 1)
        return f"{product.name} has room for at most {seats} people{nights}."
    return None


def _check_place(checked: Checked, product: Product) -> None:
    draft, unknown = checked.draft, checked.draft.place
    checked.draft = replace(draft, place=None)
    if not unknown or draft.address:
        return
    if product.kind.place == "city":
        if draft.city:
            return
        named = ", ".join(sorted(set(cities().values()))[:8])
        checked.problems["address"] = (
            f'I do not know a city called "{unknown}". I arrange things in {named} '
            "and more."
        )
    else:
        checked.problems["address"] = (
            f'I cannot find "{unknown}" without a street and a number.'
        )


def _check_date(checked: Checked, entities: Entities, today: date) -> None:
    draft = checked.draft
    if "date" in entities.unclear:
        checked.draft = replace(draft, date=None)
        checked.problems["date"] = "I am not sure which day that is."
        ahead = [day for day in entities.days if today <= day <= today + FURTHEST]
        if ahead:
            checked.options["date"] = tuple(
                (in_words(day, today), day.isoformat()) for day in ahead
            )
        return
    if draft.date is None:
        return
    day = date.fromisoformat(draft.date)
    if day < today:
        checked.problems["date"] = f"{in_words(day, today)} is in the past."
    elif day > today + FURTHEST:
        checked.problems["date"] = f"{in_words(day, today)} is more than a year away."
    if "date" in checked.problems:
        checked.draft = replace(draft, date=None)


def _check_time(checked: Checked, product: Product, entities: Entities) -> None:
    draft = checked.draft
    if "time" in entities.unclear:
        checked.draft = replace(draft, time=None, half_day=True)
        checked.problems["time"] = "That is no time of day that I know."
        return
    if draft.half_day or not draft.time:
        return
    hour, minute = map(int, draft.time.split(":"))
    if product.category == "tables":
        # Nobody dines at seven in the morning.
        late = written(hour if hour == 11 else hour % 12 + 12, minute)
        checked.draft = replace(draft, time=late, half_day=True)
        return
    both = (draft.time, written(hour % 12 + 12, minute))
    checked.draft = replace(draft, time=None, half_day=True)
    names = [time_in_words(at) for at in both]
    checked.problems["time"] = f"{' or '.join(names)}?"
    checked.options["time"] = tuple(zip(names, both, strict=True))
