"""Nobody notes who was told of what."""

from types import ModuleType
from typing import Any

PROBE = "event_told_twice"
CAUGHT_AS = "mail sent twice"


def plant(notices: ModuleType) -> None:
    """Take every event for a new one."""

    def take(self: Any, key: str) -> frozenset[str]:
        return frozenset({notices.MAIL, notices.TEXT})

    notices.Notices.take = take


PATCHES = {"notifications.notices": plant}
