"""Other companies that show our catalogue: their keys and their rates."""

import datetime as dt
import hashlib

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from . import rate_limits
from .database import Database, partners
from .errors import Forbidden, TooManyRequests


class Partners:
    """The partners of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def admit(self, key: str | None, now: dt.datetime) -> None:
        """Let a partner's call in, and count it.

        Raises:
            Forbidden: the key is nobody's.
            TooManyRequests: the partner is over its rate.
        """
        if not key:
            raise Forbidden("This needs a partner's key in the X-Api-Key header.")
        with self._database.transaction() as tx:
            partner = tx.execute(
                sa.select(partners).where(partners.c.key_hash == digest(key))
            ).one_or_none()
            if partner is None:
                raise Forbidden("This X-Api-Key is not a partner's. Ask us for one.")
            calls = rate_limits.count(tx, f"partner:{partner.name}", now)
        if calls > partner.rate_per_minute:
            wait = rate_limits.seconds_left(now)
            raise TooManyRequests(
                f"Over {partner.rate_per_minute} calls a minute. "
                f"Try again in {wait} seconds.",
                retry_after=wait,
            )


def enrol(tx: sa.Connection, name: str, key: str, rate_per_minute: int) -> None:
    """Give a partner a key and a rate, or renew them.

    Args:
        tx: the transaction in which it happens.
        name: whom the key is for.
        key: what they send as `X-Api-Key`; only a digest of it is stored.
        rate_per_minute: how many calls they have.
    """
    dismiss(tx, name)
    tx.execute(
        insert(partners).values(
            key_hash=digest(key), name=name, rate_per_minute=rate_per_minute
        )
    )


def dismiss(tx: sa.Connection, name: str) -> None:
    """Let a partner in no more, whatever their key."""
    tx.execute(sa.delete(partners).where(partners.c.name == name))


def digest(key: str) -> bytes:
    """What is stored of a key."""
    return hashlib.sha256(key.encode()).digest()
