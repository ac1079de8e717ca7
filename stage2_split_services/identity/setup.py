"""Making the database ready: the schema, and the first key."""

from . import keys
from .config import Settings
from .database import Database, migrate


def prepare(settings: Settings) -> None:
    """Make the database ready; harmless to repeat.

    Raises:
        sqlalchemy.exc.OperationalError: the database did not come up in time.
    """
    migrate(settings.identity_database_url)
    database = Database(settings.identity_database_url, connections=1)
    with database.transaction() as tx:
        keys.make_first(tx)
    database.engine.dispose()
