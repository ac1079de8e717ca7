"""The parts of the catalogue, put together once for each process."""

from dataclasses import dataclass

from .callers import Callers
from .catalog import Catalog
from .config import Settings
from .database import Database
from .guests import Guests
from .reservations import Reservations


@dataclass(frozen=True)
class Services:
    """What the routes call."""

    database: Database
    guests: Guests
    callers: Callers
    catalog: Catalog
    reservations: Reservations


def assemble(settings: Settings) -> Services:
    """Put the parts together; connects to nothing yet."""
    database = Database(settings.catalog_database_url)
    return Services(
        database=database,
        guests=Guests.at(settings.identity_url, settings.redis_url, settings.resilient),
        callers=Callers(
            "catalog",
            {
                "checkout": settings.checkout_service_key,
                "nlu": settings.nlu_service_key,
            },
        ),
        catalog=Catalog(database),
        reservations=Reservations(database),
    )
