"""Talking with a guest: the dialogue's state lies in the database between requests."""

import datetime as dt

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from . import wire
from .catalog import Catalog
from .database import Database, dialogues
from .dialogue import converse
from .order_store import OrderStore
from .understanding import Engine

RECENT_ORDERS = wire.OrderQuery(limit=10)


class Nlu:
    """The conversations of all guests.

    Args:
        database: where their states are.
        catalog: what there is to talk about.
        orders: what the guest bought.
        engine: what understands the guest.
        ttl_seconds: the silence after which a conversation starts afresh.
    """

    def __init__(
        self,
        database: Database,
        catalog: Catalog,
        orders: OrderStore,
        engine: Engine,
        ttl_seconds: float,
    ) -> None:
        self._database = database
        self._catalog = catalog
        self._orders = orders
        self._engine = engine
        self._ttl = dt.timedelta(seconds=ttl_seconds)

    def converse(
        self, guest_id: str, conversation: wire.Conversation, now: dt.datetime
    ) -> wire.Replies:
        """Answer what a guest said, and remember where the conversation is."""
        state, messages = converse(
            self._recall(guest_id, now),
            msgspec.to_builtins(conversation.messages),
            now,
            self._catalog.all(),
            msgspec.to_builtins(self._orders.page(guest_id, RECENT_ORDERS).orders),
            self._engine,
        )
        self._remember(guest_id, state, now)
        return msgspec.convert({"messages": messages}, wire.Replies)

    def _recall(self, guest_id: str, now: dt.datetime) -> str | None:
        kept = sa.select(dialogues.c.state).where(
            dialogues.c.guest_id == guest_id, dialogues.c.updated_at > now - self._ttl
        )
        with self._database.statement() as tx:
            return tx.execute(kept).scalar_one_or_none()

    def _remember(self, guest_id: str, state: str, now: dt.datetime) -> None:
        values = {"state": state, "updated_at": now}
        kept = (
            insert(dialogues)
            .values(guest_id=guest_id, **values)
            .on_conflict_do_update(index_elements=["guest_id"], set_=values)
        )
        with self._database.statement() as tx:
            tx.execute(kept)
