"""The keys that sign tokens: kept in the database, published in half, now and then new.

Ed25519 (RFC 8032): a key of 32 bytes, and signatures that need no luck with randomness.
"""

import logging
import secrets
import time
from dataclasses import dataclass
from typing import Any

import jwt
import msgspec
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm
from sqlalchemy.dialects.postgresql import insert

from . import guests, wire
from .database import Database, after, now, signing_keys
from .errors import Unavailable

log = logging.getLogger(__name__)

# How often each process looks for a new key.
LOOK_SECONDS = 5.0
# A new key is published at once, but signs only when every process of ours has seen it:
# whoever meets its first token asks any of them for the key, and must be told.
SETTLE_SECONDS = 3 * LOOK_SECONDS


class KeySet(wire.Body):
    """The published keys, as RFC 7517 has them."""

    keys: list[dict[str, Any]]


@dataclass(frozen=True)
class SigningKey:
    """A key: its id, both halves, and whether every process knows it by now."""

    key_id: str
    private: Ed25519PrivateKey
    public: jwt.PyJWK
    settled: bool


class SigningKeys:
    """The keys of a database: the newest that has settled signs, all of them verify.

    Args:
        database: where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._found: list[SigningKey] = []
        self._look_at = 0.0

    def newest(self) -> tuple[str, Ed25519PrivateKey]:
        """Return the id and the key to sign with.

        Raises:
            Unavailable: the database is away and the keys were not read before.
        """
        keys = self._read()
        signing = next((key for key in keys if key.settled), keys[-1])
        return signing.key_id, signing.private

    def find(self, key_id: str) -> jwt.PyJWK | None:
        """Find a key to verify with by its id; `None` when there is none.

        Raises:
            Unavailable: the database is away and the keys were not read before.
        """
        return next((k.public for k in self._read() if k.key_id == key_id), None)

    def published(self) -> KeySet:
        """Return what everybody may know of the keys.

        Raises:
            Unavailable: the database is away and the keys were not read before.
        """
        return KeySet(keys=[public(key.key_id, key.private) for key in self._read()])

    def _read(self) -> list[SigningKey]:
        """Return the keys, the newest first, as they were a moment ago."""
        if time.monotonic() >= self._look_at:
            try:
                self._found = self._look()
            except Unavailable:
                if not self._found:
                    raise
                log.warning("keys not read again")
            self._look_at = time.monotonic() + LOOK_SECONDS
        return self._found

    def _look(self) -> list[SigningKey]:
        settled = signing_keys.c.created_at <= after(-SETTLE_SECONDS)
        newest_first = sa.select(
            signing_keys.c.key_id, signing_keys.c.private_key, settled
        ).order_by(signing_keys.c.created_at.desc(), signing_keys.c.key_id)
        with self._database.statement() as tx:
            rows = tx.execute(newest_first).all()
        return [_key(*row) for row in rows]


def _key(key_id: str, private: bytes, settled: bool) -> SigningKey:
    key = Ed25519PrivateKey.from_private_bytes(private)
    return SigningKey(key_id, key, jwt.PyJWK(public(key_id, key)), settled)


def make_first(tx: sa.Connection) -> None:
    """Make a key unless there is one; harmless to repeat.

    Args:
        tx: the transaction in which it is written.
    """
    # Two copies that start at once must not make two.
    tx.execute(sa.text("LOCK TABLE signing_keys IN EXCLUSIVE MODE"))
    count = sa.select(sa.func.count()).select_from(signing_keys)
    if not tx.execute(count).scalar_one():
        _make(tx)


def rotate(tx: sa.Connection, token_ttl_seconds: float) -> tuple[str, int]:
    """Make a new key to sign with, and forget those whose tokens have all ended.

    Args:
        tx: the transaction in which this is done.
        token_ttl_seconds: how long a token lives.

    Returns:
        The new key's id, and how many were forgotten.
    """
    newer = signing_keys.alias()
    # A key signs until a newer one has settled and every process has noticed.
    last_token = -(token_ttl_seconds + SETTLE_SECONDS + LOOK_SECONDS)
    forgotten = sa.delete(signing_keys).where(
        sa.exists().where(
            newer.c.created_at > signing_keys.c.created_at,
            newer.c.created_at < after(last_token),
        )
    )
    gone = tx.execute(forgotten).rowcount
    return _make(tx), gone


def _make(tx: sa.Connection) -> str:
    key_id = "key_" + secrets.token_hex(8)
    private = Ed25519PrivateKey.generate().private_bytes_raw()
    tx.execute(
        insert(signing_keys).values(
            key_id=key_id, private_key=private, created_at=now()
        )
    )
    return key_id


def public(key_id: str, key: Ed25519PrivateKey) -> dict[str, Any]:
    """Return the public half of a key, as RFC 7517 and RFC 8037 have it."""
    written: dict[str, Any] = msgspec.json.decode(OKPAlgorithm.to_jwk(key.public_key()))
    return written | {"kid": key_id, "use": "sig", "alg": guests.ALGORITHM}
