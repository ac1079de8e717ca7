"""Accounts: whoever knows the password gets a token."""

import datetime as dt
import secrets

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy.dialects.postgresql import insert

from . import rate_limits, wire
from .database import Database, accounts
from .errors import Conflict, TooManyRequests, Unauthorized
from .guests import Guests, RevokedTokens
from .passwords import check_password
from .tokens import Tokens

# Counted by address, so that no password is guessed however many machines guess. The
# price: whoever fails on purpose keeps the owner from signing in for that minute.
FAILURES_PER_MINUTE = 20

# Source of the parameters: OWASP Password Storage Cheat Sheet, Argon2id.
hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# Compared with when there is no such account, so that the answer takes as long.
NOBODY = hasher.hash(secrets.token_urlsafe())


class Identity:
    """The accounts of a database.

    Args:
        database: where they are.
        tokens: makes what the guests get.
        guests: tells whose a token is.
        revoked: the tokens that were logged out.
    """

    def __init__(
        self,
        database: Database,
        tokens: Tokens,
        guests: Guests,
        revoked: RevokedTokens,
    ) -> None:
        self._database = database
        self._tokens = tokens
        self._guests = guests
        self._revoked = revoked

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
        return self._tokens.issue(found.guest_id, email, now)

    def log_out(self, bearer_token: str, now: dt.datetime) -> None:
        """Revoke a token, at once and everywhere.

        Raises:
            Unauthorized: it is nobody's, or it has expired or was revoked.
            Unavailable: the revocation cannot be written.
        """
        token = self._guests.verify(bearer_token)
        self._revoked.add(token.token_id, token.expires_at - int(now.timestamp()))


def _verified(password_hash: str, credentials: wire.Credentials) -> bool:
    try:
        return hasher.verify(password_hash, credentials.password)
    except VerificationError:
        return False
