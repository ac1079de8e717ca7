"""Asking for the next detail of an order, and showing it when it is complete."""

from __future__ import annotations

from datetime import date, timedelta

from .checks import seat_count, unit_count
from .conversation import Draft
from .dates import in_words
from .products import Product, price
from .replies import Checkout, Choices, Reply, Text, choices
from .slots import counting_slot
from .times import ANY
from .times import in_words as time_in_words

Options = tuple[tuple[str, str], ...]


def missing(draft: Draft, product: Product) -> str | None:
    """Return the next detail to ask for, or None when the order is complete."""
    counted = draft.party_size if product.kind.party else draft.quantity
    if counted is None:
        return counting_slot(product)
    if not (draft.address or (draft.city and product.kind.place == "city")):
        return "address"
    if not draft.date:
        return "date"
    exact = draft.time is not None and (draft.time == ANY or ":" in draft.time)
    return None if exact or not product.kind.timed else "time"


def question(
    slot: str,
    product: Product,
    draft: Draft,
    today: date,
    reason: str = "",
    options: Options = (),
) -> Reply:
    """Return the question for one detail, after the reason for asking again.

    options are the answers to offer in place of the usual ones.
    """
    asked = _question(slot, product, draft, today)
    text = f"{reason} {asked.text}".strip()
    options = options or (asked.options if isinstance(asked, Choices) else ())
    return Choices(text, options) if options else Text(text)


def _question(slot: str, product: Product, draft: Draft, today: date) -> Reply:
    if slot == "quantity":
        each = f", of {product.pack} pieces each" if product.pack else ""
        return choices(f"How many would you like{each}?", "1", "2", "3")
    if slot == "party":
        return choices("For how many people?", "1", "2", "4", "6")
    if slot == "nights":
        return Choices(
            "For how many nights?",
            (("1", "one night"), ("2", "two nights"), ("3", "three nights")),
        )
    if slot == "date":
        return _ask_date(product, today)
    if slot == "time":
        return _ask_time(product, draft)
    return _ask_place(product, draft)


def _ask_date(product: Product, today: date) -> Reply:
    week_end = today + timedelta(days=(5 - today.weekday()) % 7 or 7)
    return Choices(
        "From which day?" if product.kind.nightly else "For which day?",
        (
            ("Today", "today"),
            ("Tomorrow", "tomorrow"),
            (f"{week_end:%A} {week_end.day} {week_end:%B}", week_end.isoformat()),
        ),
    )


_HOURS = {
    "morning": ("08:00", "09:00", "10:00"),
    "afternoon": ("14:00", "15:00", "16:00"),
    "evening": ("18:00", "19:00", "20:00"),
    "night": ("20:00", "21:00", "22:00"),
}


def _ask_time(product: Product, draft: Draft) -> Reply:
    dining = product.category == "tables"
    usual = _HOURS["evening"] if dining else ("08:00", "12:00", "18:00")
    hours = _HOURS.get(draft.time or "", usual)
    options = tuple((time_in_words(hour), hour) for hour in hours)
    if dining:
        return Choices("At what time?", (*options, ("Any time", "any time")))
    return Choices("At what time shall the driver come?", options)


def _ask_place(product: Product, draft: Draft) -> Reply:
    if product.kind.place == "city":
        return choices(
            "In which city?", "New York", "Boston", "Chicago", "San Francisco"
        )
    if draft.city:
        return Text(f"Which street and number in {draft.city}?")
    if product.kind.place == "pickup":
        return Text("From which address shall the driver pick you up?")
    return Text("To which address shall I send it (street, number, city)?")


def checkout(draft: Draft, product: Product, today: date) -> Checkout:
    """Return the completed order for the checkout form.

    The form has no field for a time of day or for nights: they go with the address,
    where whoever delivers reads them.
    """
    units = unit_count(draft, product)
    day = date.fromisoformat(draft.date or today.isoformat())
    place, when = _place(draft), _when(draft, product)
    joint = {"address": "to", "pickup": "from", "city": "in"}[product.kind.place]
    total = price(product.unit_amount * units, product.currency)
    text = (
        f"Here is your order: {_what(draft, product)}, {joint} {place}, "
        f"{in_words(day, today)}{when}, {total} in all. "
    )
    if draft.time and product.kind.place == "address" and draft.time != ANY:
        text += "I can promise the day, though not the hour. "
    text += "Pay when you are ready, or tell me what to change."
    return Checkout(text, product.product_id, units, f"{place}{when}", day.isoformat())


def _what(draft: Draft, product: Product) -> str:
    if not product.kind.party:
        return f"{unit_count(draft, product)} × {product.name}"
    taken = seat_count(draft, product)
    # A table for three is one table, though each of the three pays.
    counted = "" if taken == draft.party_size else f"{taken} × "
    return f"{counted}{product.name} for {draft.party_size}"


def _place(draft: Draft) -> str:
    inside = draft.city and draft.city in (draft.address or "")
    return ", ".join(
        part for part in (draft.address, None if inside else draft.city) if part
    )


def _when(draft: Draft, product: Product) -> str:
    if product.kind.timed and draft.time and ":" in draft.time:
        return f", {time_in_words(draft.time)}"
    if product.kind.nightly:
        nights = draft.nights or 1
        return f", {nights} night{'s' * (nights > 1)}"
    return ""
