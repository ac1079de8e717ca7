"""The state of a conversation: what is kept between two messages of a guest."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

from .replies import Reply, pack, unpack

# A state of another version is not read: the conversation starts afresh.
VERSION = 2


@dataclass(frozen=True)
class Draft:
    """An order in the making, as the guest put it; nothing in it is checked.

    pieces tells that quantity counts single pieces ("24 roses"). date is ISO 8601, time
    "HH:MM", a part of the day or "any"; half_day is False where morning or evening is
    open. place is the name of a place that is no known city.
    """

    product_id: str | None = None
    quantity: int | None = None
    pieces: bool = False
    party_size: int | None = None
    address: str | None = None
    city: str | None = None
    place: str | None = None
    date: str | None = None
    time: str | None = None
    half_day: bool = True
    nights: int | None = None


@dataclass(frozen=True)
class Search:
    """What the guest last looked for; amounts in cents."""

    category: str | None = None
    occasion: str | None = None
    min_amount: int | None = None
    max_amount: int | None = None


@dataclass(frozen=True)
class State:
    """What is remembered.

    awaiting is the detail last asked for ("product", "quantity", "party", "address",
    "date", "time", "confirm"); shown are the products on the cards last shown; last is
    the last answer, to repeat it. since is when the draft was begun or last offered for
    checkout (ISO 8601), newest the guest's newest order at that time: an order after
    them is that of the draft.
    """

    draft: Draft | None = None
    since: str | None = None
    newest: str | None = None
    awaiting: str | None = None
    search: Search | None = None
    shown: tuple[str, ...] = ()
    last: tuple[Reply, ...] = ()


class StateError(ValueError):
    """A stored state is of another version, or broken."""


def dump(state: State) -> str:
    """Return the state as small JSON."""
    return json.dumps(
        {
            "version": VERSION,
            "draft": _short(state.draft),
            "since": state.since,
            "newest": state.newest,
            "awaiting": state.awaiting,
            "search": _short(state.search),
            "shown": state.shown,
            "last": [pack(reply) for reply in state.last],
        },
        separators=(",", ":"),
    )


def load(text: str) -> State:
    """Return the state of a JSON text; raises StateError when it cannot be used."""
    try:
        data = json.loads(text)
        if data["version"] != VERSION:
            raise StateError("another version")
        return State(
            draft=_read(Draft, data["draft"]),
            since=_typed(data["since"], str),
            newest=_typed(data["newest"], str),
            awaiting=_typed(data["awaiting"], str),
            search=_read(Search, data["search"]),
            shown=tuple(_typed(name, str) or "" for name in data["shown"]),
            last=tuple(unpack(reply) for reply in data["last"]),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise StateError(f"unreadable state: {error}") from error


def _short(part: Draft | Search | None) -> dict[str, Any] | None:
    if part is None:
        return None
    return {name: value for name, value in asdict(part).items() if value is not None}


_KINDS = {
    "str | None": str,
    "int | None": int,
    "bool": bool,
}


def _read(kind: type[Any], data: Any) -> Any:
    if data is None:
        return None
    types = {field.name: _KINDS[str(field.type)] for field in fields(kind)}
    return kind(**{name: _typed(value, types[name]) for name, value in data.items()})


def _typed(value: Any, kind: type[Any]) -> Any:
    if value is not None and type(value) is not kind:
        raise StateError(f"expected {kind.__name__}")
    return value
