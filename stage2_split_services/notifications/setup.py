"""Making the database ready: schema."""

from .config import Settings
from .database import migrate


def prepare(settings: Settings) -> None:
    """Make the database ready; harmless to repeat.

    Raises:
        sqlalchemy.exc.OperationalError: the database did not come up in time.
    """
    migrate(settings.notifications_database_url)
