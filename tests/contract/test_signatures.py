"""Bad signatures and other people's credentials, with the codes that AWS answers."""

from __future__ import annotations

import datetime as dt
import json
import time
import uuid
from urllib.parse import urlsplit
from xml.etree import ElementTree

import boto3
import botocore.auth
import pytest
import requests
from botocore.credentials import Credentials

from tests.cognito import IDENTITIES, CognitoError, Pools, Signature
from tests.conftest import STAGE
from tests.contract.contract import Contract
from tests.contract.examples import example
from tests.guest import PASSWORD, Guest

FOR_GUESTS = [o for o in Contract().operations(STAGE) if "sigv4" in o.schemes]
for_guests = pytest.mark.parametrize("operation", FOR_GUESTS, ids=lambda o: o.id)
MINUTE = dt.timedelta(minutes=1)
TIMEOUT_SECONDS = 30


@pytest.fixture(scope="module")
def pools(stage):
    return Pools.of(stage)


@pytest.fixture(scope="module")
def ada(stage):
    """A guest whose credentials are abused."""
    return Guest(stage)


@pytest.fixture(scope="module")
def bob(stage):
    return Guest(stage)


@pytest.fixture(scope="module")
def root(stage):
    """Make clients of AWS with the rights of whoever runs the stage."""

    def client(service):
        return boto3.client(
            service,
            endpoint_url=stage.aws_endpoint_url,
            region_name=stage.region,
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - of the local AWS
        )

    return client


def keys_of(guest):
    return guest.http.auth.credentials


def prepared(guest, operation, auth=None):
    """Return the contract's example of a request, signed."""
    request = example(operation, guest)
    request["url"] = guest.api_url + request.pop("path")
    return requests.Request(**request, auth=auth or guest.http.auth).prepare()


def sent(request):
    with requests.Session() as session:
        return session.send(request, timeout=TIMEOUT_SECONDS)


def assert_refused(answer, *codes):
    """The gateway refused: with one of AWS's codes, and as the contract has it."""
    assert answer.status_code == 403, answer.text
    assert answer.headers["x-amzn-ErrorType"].partition(":")[0] in codes, answer.text
    assert answer.json()["code"] == 403
    assert answer.json()["message"]


# ------------------------------------------------- what was signed is not what came


def change(**headers):
    """Change headers after the signature; None takes one away."""

    def changed(request):
        for name, value in headers.items():
            request.headers.pop(name.replace("_", "-"), None)
            if value is not None:
                request.headers[name.replace("_", "-")] = value

    return changed


def change_body(request):
    request.body = (request.body or b"") + b" "
    request.headers["Content-Length"] = str(len(request.body))


def change_path(request):
    """Aim it at another operation with the same method."""
    others = {"GET": ("/orders", "/products"), "POST": ("/nlu", "/checkout")}
    before, _, path = request.url.partition("/v1")
    other = next(o for o in others[request.method] if o != path.partition("?")[0])
    request.url = f"{before}/v1{other}"


def change_query(request):
    request.url += "&limit=99" if "?" in request.url else "?limit=99"


def change_signature(request):
    told = request.headers["Authorization"]
    last = "0" if told[-1] != "0" else "1"
    request.headers["Authorization"] = told[:-1] + last


def sign_nothing_else(request):
    """Claim that only the host was signed."""
    told = request.headers["Authorization"]
    before, _, after = told.partition("SignedHeaders=")
    rest = after.partition(",")[2]
    request.headers["Authorization"] = f"{before}SignedHeaders=host,{rest}"


INVALID = "InvalidSignatureException"
UNKNOWN = "UnrecognizedClientException"
INCOMPLETE = "IncompleteSignatureException"
CHANGES = {
    "missing": (change(Authorization=None), "MissingAuthenticationTokenException"),
    "empty": (change(Authorization=""), "MissingAuthenticationTokenException"),
    "garbage": (change(Authorization="AWS4-HMAC-SHA256 x"), INCOMPLETE),
    "no-date": (change(X_Amz_Date=None), INCOMPLETE),
    "other-date": (change(X_Amz_Date="20260101T000000Z"), INVALID),
    "no-session": (change(X_Amz_Security_Token=None), UNKNOWN),
    "other-session": (change(X_Amz_Security_Token="x" * 300), UNKNOWN),
    "changed-body": (change_body, INVALID),
    "changed-path": (change_path, INVALID),
    "changed-query": (change_query, INVALID),
    "changed-signature": (change_signature, INVALID),
    "fewer-headers-signed": (sign_nothing_else, INVALID),
}


@for_guests
@pytest.mark.parametrize(("make", "code"), CHANGES.values(), ids=CHANGES)
def test_a_request_that_was_changed_is_refused(operation, make, code, ada):
    request = prepared(ada, operation)
    make(request)
    assert_refused(sent(request), code)


@for_guests
def test_another_guests_session_with_own_keys_is_refused(operation, ada, bob):
    request = prepared(ada, operation)
    request.headers["X-Amz-Security-Token"] = keys_of(bob).token
    assert_refused(sent(request), UNKNOWN)


# ------------------------------------------------- signed with the wrong thing

WRONG_KEYS = {
    "other-secret": (lambda k: Credentials(k.access_key, "x" * 40, k.token), INVALID),
    "unknown-key": (
        lambda k: Credentials("ASIA" + 16 * "X", k.secret_key, k.token),
        UNKNOWN,
    ),
    "without-session": (lambda k: Credentials(k.access_key, k.secret_key), UNKNOWN),
}


@for_guests
@pytest.mark.parametrize(("make", "code"), WRONG_KEYS.values(), ids=WRONG_KEYS)
def test_wrong_keys_are_refused(operation, make, code, ada, stage):
    auth = Signature(make(keys_of(ada)), stage.region)
    assert_refused(sent(prepared(ada, operation, auth)), code)


@for_guests
@pytest.mark.parametrize("minutes", [-6, 6, -24 * 60, 24 * 60])
def test_a_stale_or_future_date_is_refused(operation, minutes, ada, monkeypatch):
    now = dt.datetime.now(dt.timezone.utc) + minutes * MINUTE
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: now)
    assert_refused(sent(prepared(ada, operation)), INVALID)


@for_guests
def test_an_expired_session_is_refused(operation, ada, expired):
    answer = sent(prepared(ada, operation, expired))
    assert_refused(answer, "ExpiredTokenException")


@pytest.fixture(scope="module")
def expired(ada, pools, root, stage):
    """Signatures of a session of the guests' role whose time is over."""
    logins = pools.logins(ada.token)
    guest_id = pools.ask(
        f"{IDENTITIES}.GetId", IdentityPoolId=pools.identity_pool, Logins=logins
    )["IdentityId"]
    web_token = pools.ask(
        f"{IDENTITIES}.GetOpenIdToken", IdentityId=guest_id, Logins=logins
    )["Token"]
    roles = root("cognito-identity").get_identity_pool_roles(
        IdentityPoolId=pools.identity_pool
    )["Roles"]
    # AWS's shortest session is 15 minutes; the local one takes a second.
    answer = requests.post(
        stage.aws_endpoint_url,
        data={
            "Action": "AssumeRoleWithWebIdentity",
            "Version": "2011-06-15",
            "RoleArn": roles["authenticated"],
            "RoleSessionName": "short",
            "WebIdentityToken": web_token,
            "DurationSeconds": "1",
        },
        timeout=TIMEOUT_SECONDS,
    )
    answer.raise_for_status()
    found = {
        e.tag.rpartition("}")[2]: e.text
        for e in ElementTree.fromstring(answer.text).iter()
    }
    time.sleep(1.5)
    keys = Credentials(
        found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"]
    )
    return Signature(keys, stage.region)


# ------------------------------------------------- who gets credentials at all


@pytest.fixture(scope="module")
def other_pool(pools, root, stage):
    """A user pool beside the stage's, whose accounts nobody here knows."""
    cognito = root("cognito-idp")
    name = f"other-{uuid.uuid4().hex[:8]}"
    pool = cognito.create_user_pool(
        PoolName=name,
        UsernameAttributes=["email"],
        AutoVerifiedAttributes=["email"],
        Policies={
            "PasswordPolicy": {
                "MinimumLength": 8,
                "RequireUppercase": False,
                "RequireLowercase": False,
                "RequireNumbers": False,
                "RequireSymbols": False,
            }
        },
    )["UserPool"]["Id"]
    client = cognito.create_user_pool_client(
        UserPoolId=pool,
        ClientName=name,
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    )["UserPoolClient"]["ClientId"]
    yield Pools(pools.url, pools.region, pool, client, pools.identity_pool)
    cognito.delete_user_pool(UserPoolId=pool)


@pytest.fixture(scope="module")
def stranger_token(other_pool):
    email = f"eve-{uuid.uuid4().hex}@example.com"
    other_pool.sign_up(email, PASSWORD)
    return other_pool.sign_in(email, PASSWORD)["IdToken"]


def tampered(token):
    head, claims, signature = token.split(".")
    return f"{head}.{claims}.{signature[:-8]}AAAAAAAA"


@pytest.mark.parametrize(
    "logins",
    [
        lambda ours, theirs, ada, eve: theirs.logins(eve),
        lambda ours, theirs, ada, eve: ours.logins(eve),
        lambda ours, theirs, ada, eve: ours.logins(tampered(ada)),
        lambda ours, theirs, ada, eve: ours.logins("garbage"),
        lambda ours, theirs, ada, eve: {"graph.facebook.com": "garbage"},
        lambda ours, theirs, ada, eve: {},
    ],
    ids=["other-pool", "passed-off", "tampered", "garbage", "facebook", "nobody"],
)
def test_only_accounts_of_the_pool_get_credentials(
    logins, pools, other_pool, ada, stranger_token
):
    proof = logins(pools, other_pool, ada.token, stranger_token)
    with pytest.raises(CognitoError) as refused:
        enter(pools, ada, proof)
    assert refused.value.code in ("NotAuthorizedException", "AccessDeniedException")


def enter(pools, guest, logins):
    """Use what the identity pool gives for these logins; raise where it ends."""
    keys = pools.credentials_for(logins)
    # The local AWS may give keys of no role to nobody; they must be good for nothing.
    answer = guest.get("/orders", auth=Signature(keys, pools.region))
    if answer.status_code == 403:
        raise CognitoError(answer.headers["x-amzn-ErrorType"].partition(":")[0], "")


def test_a_guests_token_does_not_open_another_guests_identity(pools, ada, bob):
    theirs = pools.ask(
        f"{IDENTITIES}.GetId",
        IdentityPoolId=pools.identity_pool,
        Logins=pools.logins(bob.token),
    )["IdentityId"]
    with pytest.raises(CognitoError) as refused:
        pools.ask(
            f"{IDENTITIES}.GetCredentialsForIdentity",
            IdentityId=theirs,
            Logins=pools.logins(ada.token),
        )
    assert refused.value.code == "NotAuthorizedException"


def test_a_revoked_session_gives_no_more_tokens(pools):
    email = f"guest-{uuid.uuid4().hex}@example.com"
    pools.sign_up(email, PASSWORD)
    tokens = pools.sign_in(email, PASSWORD)
    assert pools.refresh(tokens["RefreshToken"])["IdToken"]
    pools.revoke(tokens["RefreshToken"])
    with pytest.raises(CognitoError) as refused:
        pools.refresh(tokens["RefreshToken"])
    assert refused.value.code == "NotAuthorizedException"


def test_nobody_signs_in_before_the_address_is_confirmed(pools):
    email = f"guest-{uuid.uuid4().hex}@example.com"
    pools.ask(
        "AWSCognitoIdentityProviderService.SignUp",
        ClientId=pools.client,
        Username=email,
        Password=PASSWORD,
        UserAttributes=[{"Name": "email", "Value": email}],
    )
    with pytest.raises(CognitoError) as refused:
        pools.sign_in(email, PASSWORD)
    assert refused.value.code == "UserNotConfirmedException"


# ------------------------------------------------- good credentials, other doors


def dynamodb(action, **body):
    """A request to DynamoDB itself, as (service, method, path, headers, body)."""
    headers = {
        "X-Amz-Target": f"DynamoDB_20120810.{action}",
        "Content-Type": "application/x-amz-json-1.0",
    }
    return "dynamodb", "POST", "/", headers, json.dumps(body)


def elsewhere(stage):
    """Requests past the API that a guest's credentials must not be good for."""
    for table in stage.tables.values():
        yield dynamodb("Scan", TableName=table)
        yield dynamodb("DescribeTable", TableName=table)
        yield dynamodb("DeleteTable", TableName=table)
    yield dynamodb("ListTables")
    yield "lambda", "GET", "/2015-03-31/functions/", {}, ""
    yield "apigateway", "GET", "/restapis", {}, ""
    yield (
        *("cognito-idp", "POST", "/"),
        {
            "X-Amz-Target": "AWSCognitoIdentityProviderService.ListUsers",
            "Content-Type": "application/x-amz-json-1.1",
        },
        json.dumps({"UserPoolId": stage.user_pool_id}),
    )
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    yield "ses", "POST", "/", form, "Action=ListIdentities&Version=2010-12-01"
    yield "iam", "POST", "/", form, "Action=ListRoles&Version=2010-05-08"


def test_a_guests_credentials_are_good_for_nothing_but_the_api(stage, ada):
    tried = list(elsewhere(stage))
    assert len(tried) > 3 * len(stage.tables) > 0
    for service, method, path, headers, body in tried:
        answer = requests.request(
            method,
            stage.aws_endpoint_url + path,
            headers=headers,
            data=body,
            auth=Signature(keys_of(ada), stage.region, service),
            timeout=TIMEOUT_SECONDS,
        )
        asked = f"{service} {headers.get('X-Amz-Target', path)}"
        assert answer.status_code in (400, 403), f"{asked}: {answer.text}"
        assert "AccessDenied" in answer.text, f"{asked}: {answer.text}"


def test_the_services_own_apis_are_no_second_way_in(stage, ada, root):
    gateway = root("apigateway")
    public = urlsplit(stage.api_url).path.split("/")[-2]
    tried = 0
    for api in gateway.get_rest_apis(limit=500)["items"]:
        if api["id"] == public:
            continue
        base = stage.api_url.replace(public, api["id"]).removesuffix("/v1")
        stages = gateway.get_stages(restApiId=api["id"])["item"]
        resources = gateway.get_resources(restApiId=api["id"], limit=500)["items"]
        for resource in resources:
            for method in set(resource.get("resourceMethods", {})) - {"OPTIONS"}:
                url = f"{base}/{stages[0]['stageName']}{resource['path']}"
                signed, bare = (
                    requests.request(method, url, auth=auth, timeout=TIMEOUT_SECONDS)
                    for auth in (ada.http.auth, None)
                )
                assert (signed.status_code, bare.status_code) == (403, 403), url
                tried += 1
    assert tried > 0
