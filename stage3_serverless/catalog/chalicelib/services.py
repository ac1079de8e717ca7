"""The parts of the catalogue, put together once for each worker."""

from dataclasses import dataclass
from functools import cache

from . import config, logs
from .catalog import Catalog
from .database import Table
from .reservations import Reservations


@dataclass(frozen=True)
class Services:
    """What the operations call."""

    site_origin: str | None
    catalog: Catalog
    reservations: Reservations


@cache
def assembled() -> Services:
    """Put the parts together, the first time; connects to nothing yet.

    Raises:
        SettingsError: the environment is not right.
    """
    settings = config.load()
    logs.configure(settings.log_level, "catalog")
    table = Table(settings.catalog_table, key="pk")
    return Services(
        site_origin=settings.site_origin,
        catalog=Catalog(table),
        reservations=Reservations(table),
    )
