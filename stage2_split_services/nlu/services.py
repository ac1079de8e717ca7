"""The parts of nlu, put together once for each process."""

import sys
from dataclasses import dataclass, replace

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from .calls import Callee, Patience
from .catalog import Catalog
from .config import Settings
from .guests import Guests
from .nlu import Nlu
from .understanding import load_engine

REDIS_SECONDS = 0.5


@dataclass(frozen=True)
class Services:
    """What the routes call."""

    settings: Settings
    guests: Guests
    catalog: Catalog
    nlu: Nlu


def assemble(settings: Settings) -> Services:
    """Put the parts together; connects to nothing yet."""
    # Nobody who chats waits as long as somebody who pays.
    patience = Patience(answer=1.0, tries=2, whole=3.0, off=not settings.resilient)
    catalog = Catalog(
        Callee("catalog", settings.catalog_url, patience),
        settings.nlu_service_key,
        settings.catalog_fresh_seconds,
        # So many failures that its breaker never opens.
        Callee(
            "catalog", settings.catalog_url, replace(patience, failures=sys.maxsize)
        ),
    )
    return Services(
        settings=settings,
        guests=Guests.at(settings.identity_url, settings.redis_url, settings.resilient),
        catalog=catalog,
        nlu=Nlu(
            _redis(settings),
            catalog,
            Callee("checkout", settings.checkout_url, patience),
            load_engine(settings.nlu_engine),
            settings.dialogue_ttl_seconds,
        ),
    )


def _redis(settings: Settings) -> redis.Redis:
    seconds = REDIS_SECONDS if settings.resilient else None
    tries = 1 if settings.resilient else 0
    return redis.Redis.from_url(
        settings.redis_url,
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        # Once more for a connection that a restart of Redis has cut, and never for one
        # that keeps silent.
        retry=Retry(NoBackoff(), tries, supported_errors=(redis.ConnectionError,)),
    )
