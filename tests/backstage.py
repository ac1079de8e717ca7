"""What tests set up where no guest can: stock levels and the end of a session.

Each stage keeps its data elsewhere, so each has its own way backstage.
"""

from __future__ import annotations

import hashlib
import os
from typing import Protocol
from urllib.parse import urlsplit

import psycopg

from sandbox.runner import RunningStage
from sandbox.runner.stages import SANDBOX_PORTS


class Backstage(Protocol):
    """A way to the data of a running stage."""

    def set_stock(self, product_id: str, stock: int) -> None:
        """Put exactly so many of a product on the shelf."""

    def expire(self, token: str) -> None:
        """Let the time of a token have run out a moment ago."""


class MonolithBackstage:
    """The way to the monolith's data: its one database."""

    def __init__(self, url: str) -> None:
        self._url = url

    def set_stock(self, product_id: str, stock: int) -> None:
        self._change(
            "UPDATE products SET stock = %s WHERE product_id = %s", stock, product_id
        )

    def expire(self, token: str) -> None:
        self._change(
            "UPDATE sessions SET expires_at = clock_timestamp() - interval '1 second' "
            "WHERE token_hash = %s",
            hashlib.sha256(token.encode()).digest(),
        )

    def _change(self, statement: str, *values: object) -> None:
        with psycopg.connect(self._url, connect_timeout=5) as connection:
            changed = connection.execute(statement, values).rowcount
        assert changed == 1, f"{statement} changed {changed} rows"


def database_url(stage: RunningStage, database: str = "concierge") -> str:
    """Return where the PostgreSQL of a run is, as psycopg writes it."""
    if own := os.environ.get("DATABASE_URL"):
        return own.replace("postgresql+psycopg:", "postgresql:")
    offset = next(p.offset for p in SANDBOX_PORTS if p.variable == "POSTGRES_PORT")
    port = (urlsplit(stage.site_url).port or 0) + offset
    return f"postgresql://postgres@127.0.0.1:{port}/{database}"


def backstage_of(stage: RunningStage) -> Backstage:
    """Return the way to the data of a stage."""
    if stage.stage == 1:
        return MonolithBackstage(database_url(stage))
    raise NotImplementedError(f"stage {stage.stage} brings its own way backstage")
