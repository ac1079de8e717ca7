"""Which service is calling: by a short-lived token that it signed with its own secret.

A token (RFC 7519, HS256) names who calls and whom, so that what one service was shown
opens nothing at another, and soon opens nothing at all.
"""

import time
from collections.abc import Mapping

import jwt
from flask import request

from .errors import Forbidden, Unauthorized

HEADER = "X-Service-Token"
ALGORITHM = "HS256"
LIFE_SECONDS = 30
# How far the clocks of two machines may be apart.
LEEWAY_SECONDS = 5


def sign(caller: str, callee: str, key: str) -> str:
    """Make the token for one call, to be sent as `X-Service-Token`.

    Args:
        caller: our own name.
        callee: the service that is called.
        key: our secret, at least 32 characters.
    """
    now = int(time.time())
    claims = {"iss": caller, "aud": callee, "iat": now, "exp": now + LIFE_SECONDS}
    return jwt.encode(claims, key, ALGORITHM)


class Callers:
    """Lets other services in.

    Args:
        name: this service, the audience of the tokens it takes.
        keys: the secret of each service that may call.
    """

    def __init__(self, name: str, keys: Mapping[str, str]) -> None:
        self._name = name
        self._keys = dict(keys)

    def admit(self, *names: str) -> str:
        """Tell which service makes the request at hand.

        Args:
            names: who may make it; all that are known unless some are named.

        Raises:
            Unauthorized: no service, or its token is not right or too old.
            Forbidden: a service that may not do this.
        """
        caller = self._verified(request.headers.get(HEADER, ""))
        if names and caller not in names:
            raise Forbidden(f"The service {caller} may not do this.")
        return caller

    def _verified(self, token: str) -> str:
        try:
            # Whose token it says it is; the key of that service decides.
            said = jwt.decode(token, options={"verify_signature": False})
            caller = str(said.get("iss"))
            claims = jwt.decode(
                token,
                self._keys.get(caller, ""),
                algorithms=[ALGORITHM],
                issuer=caller,
                audience=self._name,
                leeway=LEEWAY_SECONDS,
                options={"require": ["iss", "aud", "iat", "exp"]},
            )
        except (jwt.PyJWTError, RecursionError) as error:
            raise _refused() from error
        if caller not in self._keys or claims["exp"] - claims["iat"] > LIFE_SECONDS:
            raise _refused()
        return caller


def _refused() -> Unauthorized:
    return Unauthorized(f"This is for our own services: send a fresh {HEADER}.")
