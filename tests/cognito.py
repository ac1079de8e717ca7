"""How the guests of stages 3 and 4 sign in: Cognito's accounts and AWS's signatures."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from requests.auth import AuthBase

from sandbox.runner import RunningStage

TIMEOUT_SECONDS = 30
USER_POOLS = "AWSCognitoIdentityProviderService"
IDENTITIES = "AWSCognitoIdentityService"
# What HTTP clients and proxies add or change by themselves is not signed.
SIGNED = ("content-type", "idempotency-key")
# Stands for a guest's signature in the settings of a tool that cannot make one.
TO_BE_SIGNED = "to be signed"


class CognitoError(Exception):
    """Cognito said no.

    Attributes:
        code: AWS's name of the error.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


@dataclass(frozen=True)
class Pools:
    """Where guests have their accounts, and what turns an account into credentials.

    Attributes:
        url: of Cognito; on AWS each of its two interfaces has an address of its own.
        region: of both pools, such as us-east-1.
        user_pool: the user pool's id.
        client: the id of the page, as a client of the user pool.
        identity_pool: the identity pool's id.
    """

    url: str
    region: str
    user_pool: str
    client: str
    identity_pool: str

    @classmethod
    def of(cls, stage: RunningStage) -> Pools:
        """Return the pools of a running stage."""
        return cls(
            str(stage.aws_endpoint_url),
            str(stage.region),
            str(stage.user_pool_id),
            str(stage.user_pool_client_id),
            str(stage.identity_pool_id),
        )

    def sign_up(self, email: str, password: str) -> None:
        """Make an account and confirm it with the code that was mailed."""
        attributes = [{"Name": "email", "Value": email}]
        self.ask(
            f"{USER_POOLS}.SignUp",
            ClientId=self.client,
            Username=email,
            Password=password,
            UserAttributes=attributes,
        )
        self.ask(
            f"{USER_POOLS}.ConfirmSignUp",
            ClientId=self.client,
            Username=email,
            ConfirmationCode=code_for(self.url, email),
        )

    def sign_in(self, email: str, password: str) -> dict[str, Any]:
        """Return the tokens of a session, with the user pool's names for them."""
        return self._tokens(
            "USER_PASSWORD_AUTH", {"USERNAME": email, "PASSWORD": password}
        )

    def refresh(self, refresh_token: str) -> dict[str, Any]:
        """Return new tokens of a session.

        Raises:
            CognitoError: the session is over.
        """
        return self._tokens("REFRESH_TOKEN_AUTH", {"REFRESH_TOKEN": refresh_token})

    def revoke(self, refresh_token: str) -> None:
        """End a session; credentials that it gave stay good until they end."""
        self.ask(f"{USER_POOLS}.RevokeToken", ClientId=self.client, Token=refresh_token)

    def logins(self, id_token: str) -> dict[str, str]:
        """Return what proves an account to the identity pool."""
        return {f"cognito-idp.{self.region}.amazonaws.com/{self.user_pool}": id_token}

    def credentials(self, id_token: str) -> Credentials:
        """Exchange an account's identity token for credentials of AWS."""
        return self.credentials_for(self.logins(id_token))

    def credentials_for(self, logins: dict[str, str]) -> Credentials:
        """Exchange what proves an account for credentials of AWS.

        Raises:
            CognitoError: it proves nothing to the identity pool.
        """
        found = self.ask(
            f"{IDENTITIES}.GetId", IdentityPoolId=self.identity_pool, Logins=logins
        )
        given = self.ask(
            f"{IDENTITIES}.GetCredentialsForIdentity",
            IdentityId=found["IdentityId"],
            Logins=logins,
        )["Credentials"]
        return Credentials(
            given["AccessKeyId"], given["SecretKey"], given["SessionToken"]
        )

    def ask(self, target: str, **body: Any) -> dict[str, Any]:
        """Call an action of Cognito's that needs no signature.

        Raises:
            CognitoError: it was refused.
        """
        answer = requests.post(
            self.url,
            json=body,
            headers={
                "X-Amz-Target": target,
                "Content-Type": "application/x-amz-json-1.1",
            },
            timeout=TIMEOUT_SECONDS,
        )
        said: dict[str, Any] = answer.json() if answer.content else {}
        if not answer.ok:
            code = str(said.get("__type", answer.status_code)).rpartition("#")[2]
            raise CognitoError(code, str(said.get("message")))
        return said

    def _tokens(self, flow: str, parameters: dict[str, str]) -> dict[str, Any]:
        tokens: dict[str, Any] = self.ask(
            f"{USER_POOLS}.InitiateAuth",
            ClientId=self.client,
            AuthFlow=flow,
            AuthParameters=parameters,
        )["AuthenticationResult"]
        return tokens


def code_for(aws_url: str, email: str) -> str:
    """Return the newest code that Cognito mailed to an address."""
    outbox = requests.get(
        f"{aws_url}/_ministack/ses/messages", timeout=TIMEOUT_SECONDS
    ).json()
    letters = [letter for sent in outbox["messages"].values() for letter in sent]
    for letter in reversed(letters):
        found = re.search(r"\b\d{6}\b", letter["BodyText"] or letter["BodyHtml"] or "")
        if email in letter["To"] and found:
            return found[0]
    raise AssertionError(f"Cognito mailed no code to {email}")


class Signature(AuthBase):
    """Signs each request of a `requests` session, unless it brings an Authorization.

    Args:
        credentials: whose.
        region: that the request goes to.
        service: by its name in signatures.
    """

    def __init__(
        self, credentials: Credentials, region: str, service: str = "execute-api"
    ) -> None:
        self.credentials = credentials
        self.region = region
        self._signer = SigV4Auth(credentials, service, region)

    def __call__(self, prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        """Put the signature on a prepared request."""
        if "Authorization" not in prepared.headers:
            prepared.url = with_plain_query(str(prepared.url))
            request = AWSRequest(
                method=prepared.method,
                url=prepared.url,
                data=_whole(prepared),
                headers={
                    name: _text(value)
                    for name, value in prepared.headers.items()
                    if name.lower() in SIGNED or name.lower().startswith("x-")
                },
            )
            self._signer.add_auth(request)
            for name in ("X-Amz-Date", "X-Amz-Security-Token", "Authorization"):
                if name in request.headers:
                    prepared.headers[name] = request.headers[name]
        return prepared


def _whole(prepared: requests.PreparedRequest) -> bytes | str:
    """Return the whole body, even of a request that will be sent in chunks."""
    body: Any = prepared.body or b""
    if isinstance(body, (bytes, str)):
        return body
    whole = b"".join(body)
    prepared.body = cast(Any, iter([whole]))
    return whole


def _text(value: str | bytes) -> str:
    """Return a header's value so that its UTF-8 is what goes over the wire."""
    if isinstance(value, str):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def with_plain_query(url: str) -> str:
    """Write a URL's query as signatures have it: a space is %20 and never "+"."""
    parts = urlsplit(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    query = urlencode(pairs, quote_via=quote, safe="-_.~")
    return urlunsplit(parts._replace(query=query))
