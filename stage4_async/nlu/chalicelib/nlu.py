"""Talking with a guest: the dialogue's state lies in DynamoDB between requests."""

import datetime as dt
import time

import msgspec

from . import wire
from .calls import Callee
from .catalog import Catalog
from .database import Table
from .dialogue import converse
from .errors import Unavailable
from .guests import Guest
from .products import Product
from .purchases import OrdersUnseen, Purchases
from .replies import Message, Text, render
from .turn import Orders
from .understanding import Engine

FORGETFUL = (
    "I cannot reach my notes at the moment, so I may forget what we have said. Your "
    "orders are safe."
)
NO_CATALOG = (
    "I cannot reach our catalogue at the moment. Until it is back I know of no "
    "products and can take no order, but I am here; please ask me again in a minute."
)


class Nlu:
    """The conversations of all guests.

    A guest is answered also when something is away: with what there is, and told so.

    Args:
        states: where the states of the conversations are.
        catalog: what there is to talk about.
        checkout: knows what the guest bought.
        engine: what understands the guest.
        ttl_seconds: the silence after which a conversation starts afresh.
    """

    def __init__(
        self,
        states: Table,
        catalog: Catalog,
        checkout: Callee,
        engine: Engine,
        ttl_seconds: float,
    ) -> None:
        self._states = states
        self._catalog = catalog
        self._checkout = checkout
        self._engine = engine
        self._ttl_seconds = ttl_seconds

    def converse(
        self, guest: Guest, conversation: wire.Conversation, now: dt.datetime
    ) -> wire.Replies:
        """Answer what a guest said, and remember where the conversation is."""
        away: list[str] = []
        before = self._recall(guest.guest_id, away)
        products = self._products(away)

        def answers(orders: Orders | None) -> tuple[str, list[Message]]:
            said = msgspec.to_builtins(conversation.messages)
            return converse(before, said, now, products, orders, self._engine)

        try:
            state, messages = answers(Purchases(self._checkout, guest.guest_id))
        except OrdersUnseen:
            # The dialogue is a pure function, so it can begin again with what is known.
            state, messages = answers(None)
        # Without products the dialogue drops what was being ordered, and without the
        # state before this one it would write over what was said earlier.
        if not away:
            self._remember(guest.guest_id, state, away)
        told = [render(Text(what), {}, now) for what in away]
        return msgspec.convert({"messages": told + messages}, wire.Replies)

    def _products(self, away: list[str]) -> list[Product]:
        try:
            return self._catalog.all()
        except Unavailable:
            away.append(NO_CATALOG)
            return []

    def _recall(self, guest_id: str, away: list[str]) -> str | None:
        try:
            kept = self._states.read(guest_id)
        except Unavailable:
            away.append(FORGETFUL)
            return None
        # DynamoDB takes away what has expired, within some days.
        if kept is None or kept["expires_at"] <= time.time():
            return None
        state: str = kept["state"]
        return state

    def _remember(self, guest_id: str, state: str, away: list[str]) -> None:
        expires_at = int(time.time() + self._ttl_seconds)
        item = {"guest_id": guest_id, "state": state, "expires_at": expires_at}
        try:
            self._states.write(item)
        except Unavailable:
            away.append(FORGETFUL)
