"""The parts of the monolith, put together once for each process."""

from dataclasses import dataclass

from .catalog import Catalog
from .checkout import Checkout
from .config import Settings
from .database import Database
from .identity import Identity
from .nlu import Nlu
from .notifications import Mailer, Notifications
from .order_store import OrderStore
from .partner import Partners
from .payments import Payments, stripe_client
from .sweep import Sweep
from .understanding import load_engine


@dataclass(frozen=True)
class Services:
    """What the routes call."""

    settings: Settings
    database: Database
    identity: Identity
    catalog: Catalog
    partners: Partners
    orders: OrderStore
    checkout: Checkout
    notifications: Notifications
    nlu: Nlu
    sweep: Sweep


def assemble(settings: Settings) -> Services:
    """Put the parts together; connects to nothing yet."""
    database = Database(settings.database_url)
    catalog = Catalog(database)
    orders = OrderStore(database, settings.order_lease_seconds)
    notifications = Notifications(
        database,
        Mailer(
            settings.smtp_host,
            settings.smtp_port,
            settings.smtp_timeout_seconds,
            settings.mail_from,
        ),
    )
    stripe = stripe_client(
        settings.stripe_api_key,
        settings.stripe_api_base,
        settings.stripe_timeout_seconds,
    )
    checkout = Checkout(
        catalog,
        orders,
        Payments(stripe, orders),
        notifications,
        settings.order_give_up_seconds,
    )
    return Services(
        settings=settings,
        database=database,
        identity=Identity(database, settings.token_ttl_seconds),
        catalog=catalog,
        partners=Partners(database),
        orders=orders,
        checkout=checkout,
        notifications=notifications,
        nlu=Nlu(
            database,
            catalog,
            orders,
            load_engine(settings.nlu_engine),
            settings.dialogue_ttl_seconds,
        ),
        sweep=Sweep(orders, checkout, notifications),
    )
