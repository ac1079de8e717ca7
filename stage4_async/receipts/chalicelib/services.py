"""The parts of receipts, put together once for each worker."""

from dataclasses import dataclass
from functools import cache

from . import config, logs
from .consumer import Consumer
from .database import Table
from .receipts import Receipts

# To write down one sale.
LONGEST_SECONDS = 3.0


@dataclass(frozen=True)
class Services:
    """What the function calls."""

    events: Consumer
    receipts: Receipts


@cache
def assembled() -> Services:
    """Put the parts together, the first time; connects to nothing yet.

    Raises:
        SettingsError: the environment is not right.
    """
    settings = config.load()
    logs.configure(settings.log_level, "receipts")
    return Services(
        events=Consumer(settings.receipts_queue_url, LONGEST_SECONDS),
        receipts=Receipts(Table(settings.receipts_table, key="order_id")),
    )
