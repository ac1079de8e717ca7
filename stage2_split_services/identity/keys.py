"""The keys that sign tokens: made once, kept in the database, published in half.

Ed25519 (RFC 8032): a key of 32 bytes, and signatures that need no luck with randomness.
"""

import datetime as dt
import secrets
from typing import Any

import jwt
import msgspec
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm
from sqlalchemy.dialects.postgresql import insert

from . import guests, wire
from .database import Database, signing_keys


class KeySet(wire.Body):
    """The published keys, as RFC 7517 has them."""

    keys: list[dict[str, Any]]


class SigningKeys:
    """The keys of a database: the newest signs, all of them verify.

    They are read once for each process; a new one is used after a restart.

    Args:
        database: where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._found: list[tuple[str, Ed25519PrivateKey]] = []

    def newest(self) -> tuple[str, Ed25519PrivateKey]:
        """Return the id and the key to sign with.

        Raises:
            Unavailable: the database is away and the keys were not read before.
        """
        return self._read()[0]

    def find(self, key_id: str) -> jwt.PyJWK | None:
        """Find a key to verify with by its id; `None` when there is none.

        Raises:
            Unavailable: the database is away and the keys were not read before.
        """
        keys = {found: public(found, key) for found, key in self._read()}
        return jwt.PyJWK(keys[key_id]) if key_id in keys else None

    def published(self) -> KeySet:
        """Return what everybody may know of the keys.

        Raises:
            Unavailable: the database is away and the keys were not read before.
        """
        return KeySet(keys=[public(key_id, key) for key_id, key in self._read()])

    def _read(self) -> list[tuple[str, Ed25519PrivateKey]]:
        if not self._found:
            newest_first = sa.select(
                signing_keys.c.key_id, signing_keys.c.private_key
            ).order_by(signing_keys.c.created_at.desc(), signing_keys.c.key_id)
            with self._database.statement() as tx:
                rows = tx.execute(newest_first).all()
            self._found = [
                (key_id, Ed25519PrivateKey.from_private_bytes(private))
                for key_id, private in rows
            ]
        return self._found


def make_first(tx: sa.Connection, now: dt.datetime) -> None:
    """Make a key unless there is one; harmless to repeat.

    Args:
        tx: the transaction in which it is written.
        now: the time (UTC).
    """
    # Two copies that start at once must not make two.
    tx.execute(sa.text("LOCK TABLE signing_keys IN EXCLUSIVE MODE"))
    if tx.execute(sa.select(sa.func.count()).select_from(signing_keys)).scalar_one():
        return
    tx.execute(
        insert(signing_keys).values(
            key_id="key_" + secrets.token_hex(8),
            private_key=Ed25519PrivateKey.generate().private_bytes_raw(),
            created_at=now,
        )
    )


def public(key_id: str, key: Ed25519PrivateKey) -> dict[str, Any]:
    """Return the public half of a key, as RFC 7517 and RFC 8037 have it."""
    written: dict[str, Any] = msgspec.json.decode(OKPAlgorithm.to_jwk(key.public_key()))
    return written | {"kid": key_id, "use": "sig", "alg": guests.ALGORITHM}
