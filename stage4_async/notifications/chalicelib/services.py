"""The parts of notifications, put together once for each worker."""

from dataclasses import dataclass
from functools import cache

from . import config, logs
from .consumer import Consumer
from .database import Table
from .notices import Notices
from .notifications import Notifications

# To read an account, and to send a letter and a text message.
LONGEST_SECONDS = 14.0
# Longer than the function may run.
LEASE_SECONDS = 25.0


@dataclass(frozen=True)
class Services:
    """What the function calls."""

    events: Consumer
    notifications: Notifications


@cache
def assembled() -> Services:
    """Put the parts together, the first time; connects to nothing yet.

    Raises:
        SettingsError: the environment is not right.
    """
    settings = config.load()
    logs.configure(settings.log_level, "notifications")
    notices = Notices(Table(settings.notifications_table, key="notice"), LEASE_SECONDS)
    return Services(
        events=Consumer(settings.notifications_queue_url, LONGEST_SECONDS),
        notifications=Notifications(notices, settings.user_pool_id, settings.mail_from),
    )
