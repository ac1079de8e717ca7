"""Whoever asks for a letter gets one, even for what was asked and sent before."""

from types import ModuleType
from typing import Any

import msgspec

PROBE = "lost_letters"
CAUGHT_AS = "mail sent twice"


def plant(notifications: ModuleType) -> None:
    """Write it down anew, as not sent."""
    table, now = notifications.notifications, notifications.now

    def announce(self: Any, order_id: str, event: str, said: Any) -> None:
        values = msgspec.structs.asdict(said)
        written = (
            notifications.insert(table)
            .values(order_id=order_id, event=event, leased_until=now(), **values)
            .on_conflict_do_update(
                index_elements=["order_id", "event"],
                set_={"sent_at": None, "leased_until": now()},
            )
        )
        with self._database.statement() as tx:
            tx.execute(written)

    notifications.Notifications.announce = announce


PATCHES = {"notifications.notifications": plant}
