"""Making the database ready: schema, goods on the shelves, the partner's key."""

from . import catalog, partner
from .config import Settings
from .database import Database, migrate
from .products import load_products

DEMO = "demo"


def prepare(settings: Settings) -> None:
    """Make the database ready; harmless to repeat.

    Raises:
        sqlalchemy.exc.OperationalError: the database did not come up in time.
    """
    migrate(settings.database_url)
    database = Database(settings.database_url, connections=1)
    with database.transaction() as tx:
        catalog.stock_shelves(tx, load_products())
        if settings.partner_api_key:
            partner.enrol(
                tx, DEMO, settings.partner_api_key, settings.partner_rate_per_minute
            )
        else:
            partner.dismiss(tx, DEMO)
    database.engine.dispose()
