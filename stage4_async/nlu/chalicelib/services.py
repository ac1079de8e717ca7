"""The parts of nlu, put together once for each worker."""

from dataclasses import dataclass
from functools import cache

from . import config, logs
from .calls import Callee, Patience
from .catalog import Catalog
from .database import Table
from .nlu import Nlu
from .understanding import load_engine

# Nobody who chats waits as long as somebody who pays.
PATIENCE = Patience(tries=2, whole=6.0)


@dataclass(frozen=True)
class Services:
    """What the operations call."""

    site_origin: str | None
    nlu: Nlu


@cache
def assembled() -> Services:
    """Put the parts together, the first time; connects to nothing yet.

    Raises:
        SettingsError: the environment is not right.
    """
    settings = config.load()
    logs.configure(settings.log_level, "nlu")
    catalog = Callee("catalog", settings.catalog_api_url, PATIENCE)
    return Services(
        site_origin=settings.site_origin,
        nlu=Nlu(
            Table(settings.dialogue_table, key="guest_id"),
            Catalog(catalog, settings.catalog_fresh_seconds),
            Callee("checkout", settings.checkout_api_url, PATIENCE),
            load_engine(settings.nlu_engine),
            settings.dialogue_ttl_seconds,
        ),
    )
