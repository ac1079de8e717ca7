"""Route by bad credential: nobody is let in, nobody sees another guest's orders."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import re
import uuid
from dataclasses import dataclass
from urllib.parse import urlsplit

import jwt
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.conftest import BY_BEARER, STAGE
from tests.contract.contract import Contract
from tests.contract.examples import example
from tests.guest import Guest

OPERATIONS = Contract().operations(STAGE)
FOR_GUESTS = [o for o in OPERATIONS if o.schemes & {"bearer", "sigv4"}]
FOR_PARTNERS = [o for o in OPERATIONS if "partnerKey" in o.schemes]
FOR_ANYBODY = [o for o in OPERATIONS if not o.schemes]

for_guests = pytest.mark.parametrize("operation", FOR_GUESTS, ids=lambda o: o.id)
# What somebody without a proof is asked to do.
ASKED = "sign in" if BY_BEARER else "sign in|[Ss]ign the request"
# Guests of the other stages sign: test_signatures.py.
by_bearer = pytest.mark.bearer
for_partners = pytest.mark.parametrize("operation", FOR_PARTNERS, ids=lambda o: o.id)


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def forged(token, algorithm, sign=lambda text: b""):
    """Make a JSON Web Token that nobody here issued (RFC 7519).

    It says what the good one says, and names the same key: there is nothing to refuse
    it for but how it is signed. Where a token says nothing, we say something.
    """
    try:
        header = jwt.get_unverified_header(token)
        claims = jwt.decode(token, options={"verify_signature": False})
    except jwt.DecodeError:
        header, claims = {"typ": "JWT"}, {"sub": "guest_1", "exp": 4102444800}
    said = (header | {"alg": algorithm}, claims)
    text = ".".join(encoded(json.dumps(part).encode()) for part in said)
    return f"{text}.{encoded(sign(text.encode()))}"


def with_a_secret(text):
    return hmac.new(b"another key", text, hashlib.sha256).digest()


# Each makes the Authorization header from the good token of a guest; None: no header.
BAD = {
    "none": lambda token: None,
    "empty": lambda token: "",
    "scheme-only": lambda token: "Bearer",
    "scheme-and-space": lambda token: "Bearer ",
    "garbage": lambda token: "Bearer garbage",
    "no-scheme": lambda token: token,
    "basic": lambda token: "Basic " + base64.b64encode(token.encode()).decode(),
    "wrong-scheme": lambda token: f"Digest {token}",
    "token-in-quotes": lambda token: f'Bearer "{token}"',
    "two-tokens": lambda token: f"Bearer {token} {token}",
    "token-and-more": lambda token: f"Bearer {token}x",
    "token-cut": lambda token: f"Bearer {token[:-1]}",
    "token-in-capitals": lambda token: f"Bearer {token.swapcase()}",
    "digest-of-the-token": lambda token: (
        f"Bearer {hashlib.sha256(token.encode()).hexdigest()}"
    ),
    "alg-none": lambda token: f"Bearer {forged(token, 'none')}",
    "alg-of-a-secret": lambda token: f"Bearer {forged(token, 'HS256', with_a_secret)}",
    "other-key": lambda token: (
        f"Bearer {forged(token, 'EdDSA', Ed25519PrivateKey.generate().sign)}"
    ),
    "signature-of-nobody": lambda token: (
        "AWS4-HMAC-SHA256 Credential=AKID/20261123/us-east-1/execute-api/aws4_request, "
        "SignedHeaders=host, Signature=00"
    ),
    "sql": lambda token: "Bearer ' OR '1'='1",
    "bytes": lambda token: b"Bearer \xff\xfe\x80",
    "very-long": lambda token: "Bearer " + "x" * 7000,
}


@for_guests
@pytest.mark.parametrize("make", BAD.values(), ids=BAD)
def test_bad_credentials_let_nobody_in(operation, make, shared_guest, stranger):
    request = example(operation, stranger, orderId=shared_guest.bought)
    request["headers"]["Authorization"] = make(shared_guest.token)
    answer = stranger.request(**request)
    assert answer.status_code in (401, 403)
    assert re.search(ASKED, answer.json()["message"])
    assert shared_guest.orders() == [shared_guest.bought]


@for_guests
def test_credentials_in_another_place_let_nobody_in(operation, shared_guest, stranger):
    request = example(operation, stranger, orderId=shared_guest.bought)
    token = shared_guest.token
    request["params"] = {"access_token": token, "token": token, "Authorization": token}
    request["headers"] |= {"X-Api-Key": token, "Cookie": f"token={token}"}
    assert stranger.request(**request).status_code in (401, 403)


@by_bearer
@for_guests
def test_an_expired_session_lets_nobody_in(operation, guest, backstage):
    request = example(operation, guest)
    expired = backstage.expired(guest.token)
    request["headers"] = request.get("headers", {}) | {
        "Authorization": f"Bearer {expired}"
    }
    answer = guest.request(**request)
    assert answer.status_code in (401, 403)
    assert "sign in again" in answer.json()["message"]


@by_bearer
@for_guests
def test_a_session_that_was_logged_out_lets_nobody_in(operation, guest):
    assert guest.post("/logout").status_code == 204
    assert guest.request(**example(operation, guest)).status_code == 401


@by_bearer
@pytest.mark.parametrize("scheme", ["bearer", "BEARER"])
def test_the_name_of_the_scheme_may_be_in_any_case(scheme, guest):
    # RFC 9110, section 11.1
    guest.http.headers["Authorization"] = f"{scheme} {guest.token}"
    assert guest.get("/orders").status_code == 200


def test_another_guests_order_is_as_if_it_did_not_exist(shared_guest, guest):
    theirs = guest.get(f"/orders/{shared_guest.bought}")
    nobodys = guest.get("/orders/ord_" + 24 * "0")
    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.json() == nobodys.json()


def test_another_guests_key_does_not_lead_to_their_order(shared_guest, guest):
    answer = guest.buy("candy-jar", shared_guest.key)
    assert answer.json()["order"]["orderId"] != shared_guest.bought


@pytest.mark.parametrize("fields", [{"userId": "x"}, {"guestId": "x"}, {"email": "x"}])
def test_nobody_buys_in_another_guests_name(fields, shared_guest, guest):
    assert guest.buy("candy-jar", **fields).status_code == 400
    assert shared_guest.orders() == [shared_guest.bought]


@for_partners
@pytest.mark.parametrize(
    "make",
    [
        lambda guest: {},
        lambda guest: {"X-Api-Key": ""},
        lambda guest: {"X-Api-Key": "garbage"},
        lambda guest: {"X-Api-Key": "x" * 7000},
        lambda guest: {"X-Api-Key": b"\xff\xfe"},
        lambda guest: {"X-Api-Key": "' OR '1'='1"},
        lambda guest: {"X-Api-Key": guest.token},
        lambda guest: {"Authorization": f"Bearer {guest.token}"},
    ],
    ids=["none", "empty", "garbage", "long", "bytes", "sql", "token", "guest"],
)
def test_a_bad_key_opens_nothing_for_partners(operation, make, shared_guest, stranger):
    answer = stranger.request(**operation.request() | {"headers": make(shared_guest)})
    assert answer.status_code == 403
    assert "X-Api-Key" in answer.json()["message"]


@for_guests
def test_a_partners_key_opens_nothing_for_guests(operation, stranger, partner_key):
    for name, value in (
        ("X-Api-Key", partner_key),
        ("Authorization", f"Bearer {partner_key}"),
    ):
        request = example(operation, stranger)
        request["headers"][name] = value
        assert stranger.request(**request).status_code in (401, 403)


def test_every_operation_is_for_guests_or_partners_or_meant_for_anybody():
    assert len(OPERATIONS) == len(FOR_GUESTS + FOR_PARTNERS + FOR_ANYBODY)
    assert {o.id for o in FOR_ANYBODY} <= {"signUp", "logIn", "health"}


SPELLINGS = [
    "/v1/internal/",
    "/v1/%69nternal/",
    "//v1//internal//",
    "/v1/x/../internal/",
    "/v1/products/../internal/",
    "/v1/products/%2e%2e/internal/",
    "/v1/products/..%2finternal/",
    "/v1/products/%2e%2e%2finternal/",
    "/./v1/./internal/",
    "/v1/%2569nternal/",
    "/V1/internal/",
    "/v1/INTERNAL/",
    "/v1/internal;x/",
    "/v1\\internal/",
    "/v1/internal%00/",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize(
    "operation", Contract().internal_operations(), ids=lambda o: o.id
)
def test_what_is_internal_is_not_there_from_outside(
    operation, spelling, stage, shared_guest
):
    request = operation.request()
    # What stands before the version is the way to the API, at the local AWS.
    door = urlsplit(stage.api_url).path.removesuffix("/v1")
    path = door + request["path"].replace("/internal/", spelling)
    body = json.dumps(request["json"]) if "json" in request else None
    headers = request["headers"] | {"Content-Type": "application/json"}
    headers |= shared_guest.proof(stage, operation.method, path, headers, body)
    answer = as_written(stage.api_url, operation.method, path, headers, body)
    # Not even a spelling that HTTP does not allow tells more; and where signatures are
    # asked for, not even whether there is something.
    assert answer.status in ((400, 404, 405) if BY_BEARER else (400, 403, 404, 405))
    # API Gateway takes another spelling of the version for an API that it has not.
    if BY_BEARER or spelling.startswith("/v1/"):
        assert answer.code == answer.status


@dataclass
class Written:
    """The answer to a request that nobody put right on its way."""

    status: int
    code: int | None


def as_written(url, method, path, headers, body):
    """Send a request to a host; its path stays exactly as it is written."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return Written(answer.status, json.loads(answer.read()).get("code"))
    finally:
        connection.close()


class Buyer:
    """A guest with one order, for all tests that must not get at it."""

    def __init__(self, guest):
        self._guest = guest
        self.token = guest.token
        self.key = str(uuid.uuid4())
        self.bought = guest.buy("candy-jar", self.key).json()["order"]["orderId"]

    def proof(self, stage, method, path, headers, body):
        """Return the headers that prove the guest: a token, or a good signature."""
        if BY_BEARER:
            return {"Authorization": f"Bearer {self.token}"}
        keys = self._guest.http.auth.credentials
        url = f"http://{urlsplit(stage.api_url).netloc}{path}"
        asked = AWSRequest(method, url, headers, body)
        SigV4Auth(keys, "execute-api", stage.region).add_auth(asked)
        return dict(asked.headers.items())

    def orders(self):
        """Return the ids of the guest's orders."""
        return [o["orderId"] for o in self._guest.get("/orders").json()["orders"]]


@pytest.fixture(scope="module")
def shared_guest(stage):
    return Buyer(Guest(stage))
