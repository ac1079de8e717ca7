"""Making the database ready: schema, and goods on the shelves."""

from . import catalog
from .config import Settings
from .database import Database, migrate
from .products import load_products


def prepare(settings: Settings) -> None:
    """Make the database ready; harmless to repeat.

    Raises:
        sqlalchemy.exc.OperationalError: the database did not come up in time.
    """
    migrate(settings.catalog_database_url)
    database = Database(settings.catalog_database_url, connections=1)
    with database.transaction() as tx:
        catalog.stock_shelves(tx, load_products())
    database.engine.dispose()
