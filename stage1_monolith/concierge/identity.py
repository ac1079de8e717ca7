"""Accounts and sessions: who is calling."""

import datetime as dt
import hashlib
import secrets

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy.dialects.postgresql import insert

from . import rate_limits, wire
from .database import Database, accounts, sessions
from .errors import Conflict, TooManyRequests, Unauthorized
from .passwords import check_password

# Counted by address, so that no password is guessed however many machines guess. The
# price: whoever fails on purpose keeps the owner from signing in for that minute.
FAILURES_PER_MINUTE = 20

# Source of the parameters: OWASP Password Storage Cheat Sheet, Argon2id.
hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# Compared with when there is no such account, so that the answer takes as long.
NOBODY = hasher.hash(secrets.token_urlsafe())

# Runs with every request: put together once, for that costs as much as running it.
HOLDER = sa.select(sessions.c.guest_id).where(
    sessions.c.token_hash == sa.bindparam("digest"),
    sessions.c.expires_at > sa.bindparam("now"),
)


class Identity:
    """The accounts of a database.

    Args:
        database: where they are.
        token_ttl_seconds: how long a token lives.
    """

    def __init__(self, database: Database, token_ttl_seconds: float) -> None:
        self._database = database
        self._ttl = dt.timedelta(seconds=token_ttl_seconds)

    def sign_up(self, credentials: wire.Credentials, now: dt.datetime) -> wire.Account:
        """Make an account.

        Raises:
            Unprocessable: the password is weak.
            Conflict: the e-mail address is taken.
        """
        check_password(credentials)
        email = credentials.email.lower()
        made = (
            insert(accounts)
            .values(
                guest_id="guest_" + secrets.token_hex(12),
                email=email,
                password_hash=hasher.hash(credentials.password),
                created_at=now,
            )
            .on_conflict_do_nothing(index_elements=["email"])
            .returning(accounts.c.guest_id)
        )
        with self._database.statement() as tx:
            if tx.execute(made).scalar_one_or_none() is None:
                raise Conflict(
                    "There is an account with this e-mail address. Sign in instead."
                )
        return wire.Account(email=email)

    def log_in(self, credentials: wire.Credentials, now: dt.datetime) -> wire.Session:
        """Exchange an e-mail address and a password for a token.

        Raises:
            Unauthorized: there is no such account, or the password is another.
            TooManyRequests: it was tried too often for this address.
        """
        email = credentials.email.lower()
        failures = f"log-in:{email}"
        with self._database.transaction() as tx:
            if rate_limits.counted(tx, failures, now) >= FAILURES_PER_MINUTE:
                wait = rate_limits.seconds_left(now)
                raise TooManyRequests(
                    f"Too many wrong passwords. Try again in {wait} seconds.",
                    retry_after=wait,
                )
            found = tx.execute(
                sa.select(accounts.c.guest_id, accounts.c.password_hash).where(
                    accounts.c.email == email
                )
            ).one_or_none()
        known = found.password_hash if found else NOBODY
        if not _verified(known, credentials) or found is None:
            with self._database.transaction() as tx:
                rate_limits.count(tx, failures, now)
            raise Unauthorized("This e-mail address and password do not go together.")
        return self._open_session(found.guest_id, now)

    def log_out(self, token: str) -> None:
        """Revoke a token, at once and everywhere."""
        with self._database.statement() as tx:
            tx.execute(
                sa.delete(sessions).where(sessions.c.token_hash == _digest(token))
            )

    def guest(
        self, token: str, now: dt.datetime, tx: sa.Connection | None = None
    ) -> str:
        """Tell whose token this is.

        Args:
            token: as the guest sent it.
            now: the time (UTC).
            tx: a connection to ask on, where one is lent already.

        Returns:
            The id of the guest.

        Raises:
            Unauthorized: it is nobody's, or it has expired or was revoked.
        """
        holder = {"digest": _digest(token), "now": now}
        with self._database.statement(tx) as tx:
            guest_id = tx.execute(HOLDER, holder).scalar_one_or_none()
        if guest_id is None:
            raise Unauthorized("Your session has ended. Please sign in again.")
        return str(guest_id)

    def _open_session(self, guest_id: str, now: dt.datetime) -> wire.Session:
        token, expires_at = secrets.token_urlsafe(32), now + self._ttl
        with self._database.transaction() as tx:
            tx.execute(sa.delete(sessions).where(sessions.c.expires_at <= now))
            tx.execute(
                sa.insert(sessions).values(
                    token_hash=_digest(token), guest_id=guest_id, expires_at=expires_at
                )
            )
        return wire.Session(token=token, expires_at=expires_at)


def _digest(token: str) -> bytes:
    # Only the digest is stored, so that who reads the table cannot sign in with it. The
    # token is random and long: a plain hash is enough, and quick.
    return hashlib.sha256(token.encode()).digest()


def _verified(password_hash: str, credentials: wire.Credentials) -> bool:
    try:
        return hasher.verify(password_hash, credentials.password)
    except VerificationError:
        return False
