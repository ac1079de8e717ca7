"""Signing the tokens by which every service knows a guest."""

import datetime as dt
import secrets

import jwt

from . import guests, wire
from .keys import SigningKeys


class Tokens:
    """Makes tokens.

    Args:
        keys: what they are signed with.
        ttl_seconds: how long one lives.
    """

    def __init__(self, keys: SigningKeys, ttl_seconds: float) -> None:
        self._keys = keys
        self._ttl = dt.timedelta(seconds=ttl_seconds)

    def issue(self, guest_id: str, email: str, now: dt.datetime) -> wire.Session:
        """Make a token for a guest whose password was right.

        Raises:
            Unavailable: the keys cannot be read.
        """
        key_id, key = self._keys.newest()
        # A token's times are whole seconds (RFC 7519, NumericDate may be a fraction,
        # but not every reader takes one).
        expires_at = (now + self._ttl).replace(microsecond=0)
        claims = {
            "iss": guests.ISSUER,
            "aud": guests.AUDIENCE,
            "sub": guest_id,
            "email": email,
            "jti": secrets.token_urlsafe(16),
            "iat": int(now.timestamp()),
            "exp": int(expires_at.timestamp()),
        }
        token = jwt.encode(claims, key, guests.ALGORITHM, headers={"kid": key_id})
        return wire.Session(token=token, expires_at=expires_at)
