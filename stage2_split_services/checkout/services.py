"""The parts of checkout, put together once for each process."""

from dataclasses import dataclass
from typing import Any

import requests

from . import deadlines
from .calls import Callee, Patience
from .catalog import Catalog
from .checkout import Checkout
from .config import Settings
from .database import Database
from .guests import Guests
from .notifications import Notifications
from .order_store import OrderStore
from .payments import Payments, stripe_client
from .sweep import Sweep

FOREVER_SECONDS = 3600.0


@dataclass(frozen=True)
class Services:
    """What the routes call."""

    settings: Settings
    database: Database
    guests: Guests
    orders: OrderStore
    checkout: Checkout
    sweep: Sweep


def assemble(settings: Settings) -> Services:
    """Put the parts together; connects to nothing yet."""
    database = Database(settings.checkout_database_url)
    orders = OrderStore(database, settings.order_lease_seconds)
    patience = Patience(
        answer=settings.call_timeout_seconds,
        tries=settings.call_tries,
        whole=settings.call_deadline_seconds,
        failures=settings.breaker_failures,
        rest=settings.breaker_seconds,
        off=not settings.resilient,
    )
    key = settings.checkout_service_key
    stripe = stripe_client(
        settings.stripe_api_key,
        settings.stripe_api_base,
        settings.stripe_timeout_seconds if settings.resilient else FOREVER_SECONDS,
        Punctual(),
    )
    checkout = Checkout(
        Catalog(Callee("catalog", settings.catalog_url, patience), key),
        orders,
        Payments(stripe, orders),
        Notifications(
            Callee("notifications", settings.notifications_url, patience), key
        ),
        settings.order_give_up_seconds,
    )
    return Services(
        settings=settings,
        database=database,
        guests=Guests.at(settings.identity_url, settings.redis_url, settings.resilient),
        orders=orders,
        checkout=checkout,
        sweep=Sweep(orders, checkout),
    )


class Punctual(requests.Session):
    """Sends what it is told, and waits no longer than the guest at hand does."""

    def request(self, *args: Any, **options: Any) -> requests.Response:
        """Send a request.

        Raises:
            Timeout: there was no answer in time, or no time left to ask.
        """
        options["timeout"] = deadlines.left(options["timeout"])
        if options["timeout"] <= 0:
            raise requests.Timeout("the deadline has passed")
        return super().request(*args, **options)
