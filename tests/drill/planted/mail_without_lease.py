"""Whoever finds a notification that was not sent sends it, even while another does."""

from types import ModuleType

PROBE = "slow_mail"
CAUGHT_AS = "mail sent twice"


def plant(notifications: ModuleType) -> None:
    """Take nothing away from the others."""
    notifications.LEASE_SECONDS = 0.0


PATCHES = dict.fromkeys(
    ("concierge.notifications", "notifications.notifications"), plant
)
