"""The accounts of a load's guests: made before it begins, and what proves them.

To sign up is slow on purpose (argon2; Cognito and its mail), so it would drown what is
measured. Guests have signed up and in before the first request of a load is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import msgspec
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from sandbox.runner import RunningStage
from tests.cognito import Signature
from tests.guest import Guest

AT_ONCE = 4
SERVICE = "execute-api"


class Account(msgspec.Struct, kw_only=True, frozen=True):
    """What a guest proves themselves with: a token, or temporary keys of AWS.

    Attributes:
        token: at a stage with tokens; good for a day.
        access_key: at a stage with Cognito; good for an hour, as the next two.
        secret_key: what signatures are made with.
        session_token: sent along with each signature.
        region: that signatures are for.
    """

    token: str = ""
    access_key: str = ""
    secret_key: str = ""
    session_token: str = ""
    region: str = ""

    def headers(
        self, method: str, url: str, body: bytes = b"", headers: Mapping[str, str] = {}
    ) -> dict[str, str]:
        """Return the headers of a request together with the proof of who sends it.

        Args:
            method: GET or POST.
            url: the whole address, its query written as it will be sent.
            body: the bytes that will be sent.
            headers: of the request itself; with keys of AWS they are signed, too.
        """
        if self.token:
            return {**headers, "Authorization": f"Bearer {self.token}"}
        request = AWSRequest(method=method, url=url, data=body, headers=dict(headers))
        keys = Credentials(self.access_key, self.secret_key, self.session_token)
        SigV4Auth(keys, SERVICE, self.region).add_auth(request)
        return dict(request.headers)


def sign_up(stage: RunningStage) -> Account:
    """Make one account and sign in with it."""
    guest = Guest(stage)
    proof = guest.http.auth
    if not isinstance(proof, Signature):
        return Account(token=guest.token)
    keys = proof.credentials
    return Account(
        access_key=keys.access_key,
        secret_key=keys.secret_key,
        session_token=keys.token,
        region=str(stage.region),
    )


def sign_up_many(
    stage: RunningStage, count: int, told: Callable[[str], None]
) -> list[Account]:
    """Make accounts, a few at a time.

    Args:
        stage: where.
        count: how many.
        told: gets a line each time that another quarter of them is there.
    """
    with ThreadPoolExecutor(AT_ONCE) as crowd:
        made = crowd.map(lambda _: sign_up(stage), range(count))
        return list(_counted(made, count, told))


def _counted(
    made: Iterator[Account], count: int, told: Callable[[str], None]
) -> Iterator[Account]:
    for number, account in enumerate(made, start=1):
        yield account
        if number * 4 // count > (number - 1) * 4 // count and count > AT_ONCE:
            told(f"signed up {number} of {count} guests")
