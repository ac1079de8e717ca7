"""The message is done as soon as somebody has begun: acknowledged before the work."""

import threading
from types import ModuleType
from typing import Any

PROBE = "crash_while_telling"
CAUGHT_AS = "no mail"


def plant(notifications: ModuleType) -> None:
    """Leave the work to a thread."""
    tell = notifications.Notifications.tell

    def begin_to_tell(self: Any, message: Any) -> None:
        threading.Thread(target=tell, args=(self, message)).start()

    notifications.Notifications.tell = begin_to_tell


PATCHES = {"notifications.notifications": plant}
