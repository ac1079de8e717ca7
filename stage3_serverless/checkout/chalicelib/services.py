"""The parts of checkout, put together once for each worker."""

from dataclasses import dataclass
from functools import cache

from . import config, logs
from .calls import Callee, Patience
from .catalog import Catalog
from .checkout import Checkout
from .config import Settings
from .database import Table
from .notifications import Notifications
from .order_store import OrderStore
from .payments import Payments, stripe_client
from .sweep import Sweep


@dataclass(frozen=True)
class Services:
    """What the operations call."""

    settings: Settings
    database: Table
    orders: OrderStore
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
    logs.configure(settings.log_level, "stage3_serverless/checkout")
    table = Table(settings.orders_table, key="order_id")
    orders = OrderStore(table, settings.order_lease_seconds)
    stripe = stripe_client(
        settings.stripe_api_key,
        settings.stripe_api_base,
        settings.stripe_timeout_seconds,
    )
    checkout = Checkout(
        Catalog(Callee("catalog", settings.catalog_api_url, Patience())),
        orders,
        Payments(stripe, orders),
        Notifications(settings.user_pool_id, settings.mail_from),
        settings.order_give_up_seconds,
    )
    return Services(
        settings=settings,
        database=table,
        orders=orders,
        checkout=checkout,
        sweep=Sweep(orders, checkout),
    )
