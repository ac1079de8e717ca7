"""What the calls of the API have in common: their form, new ids, pages of lists."""

import secrets
import string
import time
from typing import Any

import msgspec

from .errors import parameter_invalid, resource_missing
from .forms import Form
from .ledger import Book, Page, R

# The version that stripe 16.1.0 sends.
API_VERSION = "2026-10-28.endive"
ALPHABET = string.ascii_letters + string.digits
PAGING = ("limit", "starting_after", "ending_before")


class Call(msgspec.Struct, frozen=True):
    """One request: the id in its path, its decoded parameters, its API version."""

    target: str
    fields: dict[str, Any]
    version: str = API_VERSION


def new_id(prefix: str, length: int = 24) -> str:
    """Return an id in Stripe's form, for example `pi_3Mtw…`."""
    return f"{prefix}_" + "".join(secrets.choice(ALPHABET) for _ in range(length))


def now() -> int:
    """Return the time in seconds since 1970."""
    return int(time.time())


def page_asked(book: Book, form: Form, kind: type[R], noun: str) -> Page:
    """Return which page of a list is asked for.

    Arguments:
        noun: what Stripe calls one of its members.

    Raises:
        StripeError: the page is too long, or begins at an unknown record.
    """
    limit = form.integer("limit")
    if limit is not None and limit > 100:
        raise parameter_invalid(
            "limit", "Limit must be 100 or less.", "parameter_invalid_integer"
        )
    page = Page(limit or 10, form.text("starting_after"), form.text("ending_before"))
    if page.starting_after and page.ending_before:
        raise parameter_invalid(
            "ending_before", "Send starting_after or ending_before, not both."
        )
    for name in ("starting_after", "ending_before"):
        cursor = form.text(name)
        if cursor and book.get(kind, cursor) is None:
            raise resource_missing(noun, cursor, name, 400)
    return page
