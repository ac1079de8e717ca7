"""The monolith's parts against real PostgreSQL, Stripe sandbox and mailbox."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import pytest
from concierge.config import Settings
from concierge.services import Services, assemble
from concierge.setup import prepare
from shop import Backends, Identity

from sandbox.runner import RunningStage


@pytest.fixture(scope="session")
def settings(stage: RunningStage) -> Settings:
    """Settings of a monolith beside the running one, with a database of its own."""
    site_port = urlsplit(stage.site_url).port or 0
    server = f"postgres@127.0.0.1:{site_port + 30}"
    name = f"parts_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(f"postgresql://{server}/postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
    return Settings(
        database_url=f"postgresql+psycopg://{server}/{name}",
        stripe_api_key="sk_test_parts",
        stripe_api_base=stage.stripe_url,
        smtp_port=site_port + 25,
        nlu_engine="rules",
        order_lease_seconds=0.2,
        order_give_up_seconds=600,
    )


@pytest.fixture(scope="session")
def services(settings: Settings) -> Iterator[Services]:
    """The parts, put together as the application does it, on a ready database."""
    prepare(settings)
    parts = assemble(settings)
    yield parts
    parts.database.engine.dispose()


@pytest.fixture
def now() -> dt.datetime:
    """The time (UTC)."""
    return dt.datetime.now(dt.timezone.utc)


@pytest.fixture(scope="session")
def backends() -> Iterator[Backends]:
    """What the services of stage 2 stand on, without a running stage."""
    started = Backends()
    yield started
    started.stop()


@pytest.fixture(scope="session")
def identity() -> Iterator[Identity]:
    """Who signs the guests' tokens, for services that run without `identity`."""
    identity = Identity()
    yield identity
    identity.served.stop()
