"""The parts of payments, put together once for each worker."""

from dataclasses import dataclass
from functools import cache

from . import config, logs
from .breaker import Breaker, WatchedSession
from .calls import Callee, Patience
from .catalog import Catalog
from .charging import Charging
from .consumer import Consumer
from .database import Table
from .payment_store import PaymentStore
from .payments import Payments, stripe_client
from .refunds import Refunds
from .supplier import Supplier
from .topic import Topic
from .waiting import Waiting

# What one order may take: the catalogue, a supplier, and three calls of Stripe's that
# time out.
LONGEST_SECONDS = 18.0
CATALOG = Patience(tries=2, whole=4.0)


@dataclass(frozen=True)
class Services:
    """What the function calls."""

    orders_to_charge: Consumer
    charging: Charging


@cache
def assembled() -> Services:
    """Put the parts together, the first time; connects to nothing yet.

    Raises:
        SettingsError: the environment is not right.
    """
    settings = config.load()
    logs.configure(settings.log_level, "payments")
    store = PaymentStore(Table(settings.payments_table, key="order_id"))
    breaker = Breaker()
    stripe = stripe_client(
        settings.stripe_api_key,
        settings.stripe_api_base,
        settings.stripe_timeout_seconds,
        WatchedSession(breaker, settings.stripe_rate / config.WORKERS),
    )
    charging = Charging(
        Catalog(Callee("catalog", settings.catalog_api_url, CATALOG)),
        Supplier(settings.supplier_api_base),
        store,
        Payments(stripe, store),
        Refunds(stripe),
        Topic(settings.order_events_topic),
        Waiting(settings.charge_order_queue_url),
        breaker,
        settings.order_give_up_seconds,
    )
    return Services(
        orders_to_charge=Consumer(settings.charge_order_queue_url, LONGEST_SECONDS),
        charging=charging,
    )
