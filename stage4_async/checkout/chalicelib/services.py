"""The parts of checkout, put together once for each worker."""

from dataclasses import dataclass
from functools import cache

from . import config, logs
from .calls import Callee, Patience
from .catalog import Catalog
from .charge_queue import ChargeQueue
from .checkout import Checkout
from .config import Settings
from .consumer import Consumer
from .database import Table
from .order_store import OrderStore
from .sweep import Sweep

# To write down how one order ended.
LONGEST_SECONDS = 3.0


@dataclass(frozen=True)
class Services:
    """What the operations call."""

    settings: Settings
    database: Table
    orders: OrderStore
    queue: ChargeQueue
    outcomes: Consumer
    checkout: Checkout
    sweep: Sweep

    @property
    def site_origin(self) -> str | None:
        """Where the page is served."""
        return self.settings.site_origin


@cache
def assembled() -> Services:
    """Put the parts together, the first time; connects to nothing yet.

    Raises:
        SettingsError: the environment is not right.
    """
    settings = config.load()
    logs.configure(settings.log_level, "checkout")
    table = Table(settings.orders_table, key="order_id")
    orders = OrderStore(table, settings.order_lease_seconds)
    queue = ChargeQueue(settings.charge_order_queue_url)
    catalog = Catalog(
        Callee("catalog", settings.catalog_api_url, Patience()),
        settings.catalog_fresh_seconds,
    )
    return Services(
        settings=settings,
        database=table,
        orders=orders,
        queue=queue,
        outcomes=Consumer(settings.order_outcomes_queue_url, LONGEST_SECONDS),
        checkout=Checkout(catalog, orders, queue),
        sweep=Sweep(orders, queue),
    )
