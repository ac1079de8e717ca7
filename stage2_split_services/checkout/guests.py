"""Who is calling: a guest, by a signed token that every service verifies for itself.

`identity` signs (RFC 7519, RFC 8037) and publishes its keys (RFC 7517). They are kept
here, so that it is not asked on each call and may be away. What is checked follows RFC
8725: one algorithm, issuer, audience and expiry required.
"""

import contextlib
import logging
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

import jwt
import redis
import urllib3
from redis.backoff import NoBackoff
from redis.retry import Retry

from . import web
from .errors import Unauthorized, Unavailable

log = logging.getLogger(__name__)

ALGORITHM = "EdDSA"
ISSUER = "concierge-identity"
AUDIENCE = "concierge"
CLAIMS = ("iss", "aud", "sub", "email", "jti", "iat", "exp")

KEYS_PATH = "/v1/internal/keys"
KEYS_FRESH_SECONDS = 300.0
# After an answer or a failure nobody is asked again for so long: made-up tokens and a
# part that is away must not cost each call a wait.
REST_SECONDS = 1.0
# Shorter while we know no key at all, as when all services start at once: until then
# every guest is put off.
REST_WITHOUT_KEYS_SECONDS = 0.1
KEYS_TIMEOUT = urllib3.Timeout(connect=0.5, read=2.0)
REDIS_TIMEOUT_SECONDS = 0.5
# A guest calls again and again with the same token, and to check a signature costs more
# than all the rest that is checked.
REMEMBERED_TOKENS = 1024


@dataclass(frozen=True)
class Guest:
    """Somebody who is signed in.

    Attributes:
        guest_id: as in every table.
        email: where confirmations go.
        token: what they showed, to be passed on when we ask in their name.
    """

    guest_id: str
    email: str
    token: str


@dataclass(frozen=True)
class Token:
    """A verified token.

    Attributes:
        guest: whose it is.
        token_id: its own name, under which it is revoked.
        expires_at: when it ends by itself (Unix seconds).
    """

    guest: Guest
    token_id: str
    expires_at: int


class Keys(Protocol):
    """Where the keys are that tokens are verified with."""

    def find(self, key_id: str) -> jwt.PyJWK | None:
        """Find a key by its id; `None` when there is none."""


class PublishedKeys:
    """The keys that `identity` publishes, kept from one call to the next.

    Args:
        identity_url: where `identity` is, without a path.
        resilient: whether to give up on one that does not answer, and to rest then.
    """

    def __init__(self, identity_url: str, resilient: bool = True) -> None:
        self._identity = urllib3.connection_from_url(
            identity_url, timeout=KEYS_TIMEOUT if resilient else None, retries=False
        )
        self._rests = resilient
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fresh_until = self._rest_until = 0.0
        self._asking = threading.Lock()

    def find(self, key_id: str) -> jwt.PyJWK | None:
        """Find a key by its id, asking `identity` when it is new or was kept long.

        Raises:
            Unavailable: `identity` is away and never told its keys.
        """
        known = self._keys.get(key_id)
        if known is None or time.monotonic() > self._fresh_until:
            # Whoever knows the key need not wait for the one who asks.
            if self._asking.acquire(blocking=known is None):
                try:
                    self._ask_unless_resting()
                finally:
                    self._asking.release()
            known = self._keys.get(key_id)
        if not self._keys:
            raise Unavailable("We cannot check who you are now. Try again in a moment.")
        return known

    def _ask_unless_resting(self) -> None:
        if time.monotonic() < self._rest_until:
            return
        try:
            answer = self._identity.request("GET", KEYS_PATH)
            if answer.status != HTTPStatus.OK:
                raise ValueError(f"it answered {answer.status}")
            published = jwt.PyJWKSet.from_dict(answer.json()).keys
            self._keys = {str(key.key_id): key for key in published}
            self._fresh_until = time.monotonic() + KEYS_FRESH_SECONDS
        except (urllib3.exceptions.HTTPError, jwt.PyJWTError, ValueError) as error:
            log.warning("keys not renewed", extra={"reason": str(error)})
        finally:
            rest = REST_SECONDS if self._keys else REST_WITHOUT_KEYS_SECONDS
            self._rest_until = time.monotonic() + (rest if self._rests else 0.0)


class RevokedTokens:
    """The tokens that were logged out, in Redis for the rest of their lives.

    Args:
        redis_url: `redis://host:port/number`.
        resilient: whether to give up on one that does not answer, and to rest then.
    """

    def __init__(self, redis_url: str, resilient: bool = True) -> None:
        seconds = REDIS_TIMEOUT_SECONDS if resilient else None
        self._redis = redis.Redis.from_url(
            redis_url,
            socket_connect_timeout=seconds,
            socket_timeout=seconds,
            # Once more, at once: a connection that was kept may have ended meanwhile.
            retry=Retry(NoBackoff(), 1 if resilient else 0),
        )
        self._rest = REST_SECONDS if resilient else 0.0
        self._rest_until = 0.0

    def __contains__(self, token_id: str) -> bool:
        """Whether a token was revoked.

        Without Redis the signature alone counts: a token that was logged out works
        again, until Redis is back or the token's time is over. We chose that guests
        can still shop; a bank would choose otherwise.
        """
        if time.monotonic() < self._rest_until:
            return False
        try:
            return bool(self._redis.exists(_name(token_id)))
        except redis.RedisError as error:
            self._rest_until = time.monotonic() + self._rest
            log.warning("revoked tokens not looked up", extra={"reason": str(error)})
            return False

    def add(self, token_id: str, seconds: int) -> None:
        """Revoke a token.

        Args:
            token_id: its own name.
            seconds: how long it would live on.

        Raises:
            Unavailable: Redis is away.
        """
        try:
            self._redis.set(_name(token_id), 1, ex=max(1, seconds))
        except redis.RedisError as error:
            log.error("token not revoked", extra={"reason": str(error)})
            raise Unavailable(
                "We cannot end your session now. Try again in a moment."
            ) from error

    def reachable(self) -> bool:
        """Whether Redis answers now."""
        try:
            return bool(self._redis.ping())
        except redis.RedisError:
            return False


class Signatures:
    """Checks who signed a token, and remembers the last ones that were right.

    Args:
        keys: what to verify with.
    """

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._right: OrderedDict[str, tuple[str, jwt.PyJWK, dict[str, Any]]]
        self._right = OrderedDict()

    def claims(self, token: str) -> dict[str, Any]:
        """Return what a token says.

        Raises:
            Unauthorized: it is nobody's, or it has expired.
            Unavailable: there is nothing yet to verify with.
        """
        known = self._right.get(token)
        # A key that is published no more, or again, has its tokens checked anew.
        if known is None or self._keys.find(known[0]) is not known[1]:
            known = self._check(token)
            self._right[token] = known
            if len(self._right) > REMEMBERED_TOKENS:
                with contextlib.suppress(KeyError):  # another thread was quicker
                    self._right.popitem(last=False)
        claims = known[2]
        if int(claims["exp"]) <= time.time():
            raise _ended()
        return claims

    def _check(self, token: str) -> tuple[str, jwt.PyJWK, dict[str, Any]]:
        try:
            key_id = str(jwt.get_unverified_header(token).get("kid"))
            key = self._keys.find(key_id)
            if key is None:
                raise _ended()
            claims = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                audience=AUDIENCE,
                # The clocks of two machines differ; only the end of a token matters.
                options={"require": list(CLAIMS), "verify_iat": False},
            )
        # A header of a thousand brackets exhausts the JSON reader.
        except (jwt.PyJWTError, RecursionError) as error:
            raise _ended() from error
        return key_id, key, claims


class Guests:
    """Tells which guest is calling.

    Args:
        keys: what to verify with.
        revoked: the tokens that were logged out.
    """

    def __init__(self, keys: Keys, revoked: RevokedTokens) -> None:
        self._keys = keys
        self._signatures = Signatures(keys)
        self._revoked = revoked

    @classmethod
    def at(cls, identity_url: str, redis_url: str, resilient: bool = True) -> "Guests":
        """Verify with the keys that `identity` publishes; connects to nothing yet.

        Args:
            identity_url: where `identity` is, without a path.
            redis_url: where the revoked tokens are.
            resilient: `False` for the experiment that waits for both for ever.
        """
        return cls(
            PublishedKeys(identity_url, resilient), RevokedTokens(redis_url, resilient)
        )

    def learn(self) -> threading.Thread:
        """Read the keys beside the work, before the first guest comes.

        So `identity` may be away from then on; who starts while it is away must wait.

        Returns:
            The thread, which ends when the keys are there.
        """

        def run() -> None:
            while True:
                with contextlib.suppress(Unavailable):
                    self._keys.find("")
                    return
                time.sleep(REST_WITHOUT_KEYS_SECONDS)

        thread = threading.Thread(target=run, name="keys", daemon=True)
        thread.start()
        return thread

    def guest(self) -> Guest:
        """Tell who makes the request at hand.

        Raises:
            Unauthorized: nobody, or the session has ended.
            Unavailable: there is nothing yet to verify with.
        """
        return self.verify(web.bearer_token()).guest

    def verify(self, token: str) -> Token:
        """Tell whose token this is.

        Raises:
            Unauthorized: it is nobody's, or it has expired or was revoked.
            Unavailable: there is nothing yet to verify with.
        """
        claims = self._signatures.claims(token)
        if claims["jti"] in self._revoked:
            raise _ended()
        guest = Guest(claims["sub"], str(claims["email"]), token)
        return Token(guest, claims["jti"], int(claims["exp"]))


def _name(token_id: str) -> str:
    return f"revoked:{token_id}"


def _ended() -> Unauthorized:
    return Unauthorized("Your session has ended. Please sign in again.")
