"""The parts of notifications, put together once for each process."""

from dataclasses import dataclass

from .callers import Callers
from .config import Settings
from .database import Database
from .notifications import Mailer, Notifications
from .sweep import Sweep


@dataclass(frozen=True)
class Services:
    """What the routes call."""

    settings: Settings
    database: Database
    callers: Callers
    notifications: Notifications
    sweep: Sweep


def assemble(settings: Settings) -> Services:
    """Put the parts together; connects to nothing yet."""
    database = Database(settings.notifications_database_url)
    mailer = Mailer(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_timeout_seconds,
        settings.mail_from,
    )
    notifications = Notifications(database, mailer)
    return Services(
        settings=settings,
        database=database,
        callers=Callers("notifications", {"checkout": settings.checkout_service_key}),
        notifications=notifications,
        sweep=Sweep(notifications),
    )
