"""Sending what is written down: at once when asked, and again when it failed."""

import logging
import threading

from .errors import Unavailable
from .notifications import Notifications

log = logging.getLogger(__name__)

# What fails for a reason of its own is leased and no obstacle; so many are no accident.
ENOUGH_FAILURES = 3
MOST_AT_ONCE = 200


class Sweep:
    """Sends what is due, in a thread of its own, so that no caller waits for mail.

    Several processes may sweep at once: each notification is leased.
    """

    def __init__(self, notifications: Notifications) -> None:
        self._notifications = notifications
        self._woken = threading.Event()

    def once(self) -> int:
        """Send what is due, and tell for how many that was settled."""
        sent = failures = 0
        while sent < MOST_AT_ONCE and failures < ENOUGH_FAILURES:
            try:
                if not self._notifications.send_next():
                    break
                sent += 1
            except Unavailable:
                raise
            except Exception:
                log.exception("notification failed")
                failures += 1
        return sent

    def wake(self) -> None:
        """Have what is due sent now."""
        self._woken.set()

    def start(self, every_seconds: float) -> threading.Event:
        """Sweep now, whenever woken, and periodically.

        Returns:
            An event; setting it ends the sweeping with the next round.
        """
        stop = threading.Event()

        def run() -> None:
            while not stop.is_set():
                # Before the sweep: who wakes us during it is heard in the next round.
                self._woken.clear()
                try:
                    self.once()
                except Unavailable:
                    log.warning("sweep put off: the database is away")
                except Exception:
                    log.exception("sweep failed; it goes on with the next round")
                self._woken.wait(every_seconds)

        threading.Thread(target=run, name="sweep", daemon=True).start()
        return stop
