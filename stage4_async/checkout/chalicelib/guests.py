"""Who is calling: a guest, as API Gateway knows them from the signature.

Cognito's identity pool lends a guest who signed in credentials, and API Gateway
verifies what was signed with them. Nothing that the guest sends has a say in it.
"""

import re
from dataclasses import dataclass

from chalice.app import Request

from .errors import Forbidden

# How API Gateway writes whose account of the user pool the credentials are for.
ACCOUNT = re.compile(r":CognitoSignIn:([0-9a-f-]{36})\Z")


@dataclass(frozen=True)
class Guest:
    """A guest.

    Attributes:
        guest_id: the identity in the identity pool; orders are under this name.
        account: the account in the user pool, which has the e-mail address; None for
            who signed in somewhere else.
    """

    guest_id: str
    account: str | None


def guest(request: Request) -> Guest:
    """Tell which guest makes a request.

    Raises:
        Forbidden: it is signed, but by no guest.
    """
    identity = request.context.get("identity") or {}
    guest_id = identity.get("cognitoIdentityId")
    if not guest_id:
        raise Forbidden(
            "This is for guests: sign in, and sign the request with the credentials "
            "of the identity pool."
        )
    found = ACCOUNT.search(identity.get("cognitoAuthenticationProvider") or "")
    return Guest(guest_id, found[1] if found else None)
