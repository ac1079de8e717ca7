"""Which guest was told of what: one item for each order and event.

The topic and the queue deliver at least once. Who tells of an event has it alone until
a lease ends, and notes each way by which the guest was told.
"""

import secrets
import time

from .database import Item, Table
from .errors import Unavailable

MAIL = "mail"
TEXT = "text"


class Notices:
    """The notices of a table.

    Args:
        table: where they are.
        lease_seconds: how long whoever tells of an event has it alone. It is longer
            than the function may run.
    """

    def __init__(self, table: Table, lease_seconds: float) -> None:
        self._table = table
        self._lease_seconds = lease_seconds

    def take(self, key: str) -> frozenset[str]:
        """Take an event of an order, to tell of it.

        Args:
            key: names the order and the event.

        Returns:
            By which of `MAIL` and `TEXT` its guest was not told yet.

        Raises:
            Unavailable: somebody is telling of it at this moment.
        """
        now = int(time.time() * 1000)
        ends = now + int(self._lease_seconds * 1000)
        item: Item = {
            "notice": key,
            "left": {MAIL, TEXT},
            "busy_until": ends,
            # Two who come in the same millisecond write different items.
            "holder": secrets.token_hex(8),
        }
        known = self._table.write_new(item)
        if known is None:
            return frozenset(item["left"])
        if not known.get("left"):
            return frozenset()
        taken = self._table.change(
            key,
            "SET #busy_until = :ends",
            "#busy_until < :now",
            ends=ends,
            now=now,
        )
        if taken is None:
            raise Unavailable("Somebody is telling of this at this moment.")
        return frozenset(taken.get("left", ()))

    def told(self, key: str, way: str) -> None:
        """Note that the guest was told in a way."""
        self._table.change(key, "DELETE #left :way", way={way})

    def let_go(self, key: str) -> None:
        """End the lease on what could not be told now."""
        self._table.change(key, "SET #busy_until = :never", never=0)
