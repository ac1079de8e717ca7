"""Identity on real PostgreSQL and Redis, and how the other services verify."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid

import jwt
import msgspec
import psycopg
import pytest
import urllib3
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask
from identity import guests, keys, web
from identity.app import create_app
from identity.config import Settings, SettingsError, load
from identity.errors import Unauthorized, Unavailable
from identity.setup import prepare
from part import Part, Redis, running
from wait import free_ports
from werkzeug.serving import make_server

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    data = tmp_path_factory.mktemp("identity") / "postgres"
    with running(Part("postgres", data)) as part:
        yield part


@pytest.fixture(scope="module")
def memory(tmp_path_factory):
    """A Redis that tests may take away."""
    data = tmp_path_factory.mktemp("identity") / "redis"
    with running(Redis(data)) as memory:
        yield memory


@pytest.fixture(scope="module")
def settings(postgres, memory):
    url = f"postgresql+psycopg://postgres@127.0.0.1:{postgres.port}/concierge"
    found = Settings(
        identity_database_url=url,
        redis_url=memory.url,
        token_ttl_seconds=600,
    )
    for _ in range(2):  # harmless to repeat
        prepare(found)
    return found


@pytest.fixture(scope="module")
def app(settings):
    return create_app(settings)


@pytest.fixture
def client(app):
    return app.test_client()


class Site:
    """Identity, served as another service meets it."""

    def __init__(self, app):
        self.asked = 0

        def count(environ, start):
            self.asked += 1
            return app(environ, start)

        self._server = make_server("127.0.0.1", 0, count, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def served():
    """Serve applications as sites, until the end of the test or sooner."""
    with contextlib.ExitStack() as sites:

        def serve(app):
            site = Site(app)
            sites.callback(site.stop)
            return site

        yield serve


@pytest.fixture
def site(app, served):
    return served(app)


@pytest.fixture
def elsewhere(site, settings):
    """The guests as another service knows them."""
    return guests.Guests.at(site.url, settings.redis_url)


def signed_in(client):
    credentials = {"email": f"{uuid.uuid4().hex}@example.com", "password": PASSWORD}
    assert client.post("/v1/signup", json=credentials).status_code == 201
    answer = client.post("/v1/login", json=credentials)
    assert answer.status_code == 200
    return answer.json["token"], credentials["email"]


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def test_a_token_says_who_and_until_when_and_anybody_can_verify_it(client):
    token, email = signed_in(client)
    [published] = client.get("/v1/internal/keys").json["keys"]
    claims = jwt.decode(
        token, jwt.PyJWK(published), algorithms=["EdDSA"], audience="concierge"
    )
    assert claims["iss"] == "concierge-identity"
    assert claims["email"] == email
    assert claims["sub"].startswith("guest_")
    assert claims["exp"] - claims["iat"] == 600


def test_login_answers_as_the_contract_says(client):
    token, email = signed_in(client)
    answer = client.post("/v1/login", json={"email": email, "password": PASSWORD}).json
    ends = dt.datetime.fromisoformat(answer["expiresAt"].replace("Z", "+00:00"))
    claims = jwt.decode(answer["token"], options={"verify_signature": False})
    assert claims["exp"] == ends.timestamp()
    assert answer["token"] != token


def test_only_the_public_half_is_published(client, settings):
    [published] = client.get("/v1/internal/keys").json["keys"]
    assert published.keys() == {"kty", "crv", "x", "kid", "use", "alg"}
    with psycopg.connect(plain(settings)) as connection:
        [row] = connection.execute("SELECT key_id, private_key FROM signing_keys")
    assert row[0] == published["kid"]
    secret = base64.urlsafe_b64encode(row[1]).decode().rstrip("=")
    assert secret not in json.dumps(published)


def test_an_email_is_taken_once_whatever_its_case(client):
    _, email = signed_in(client)
    again = {"email": email.upper(), "password": PASSWORD}
    assert client.post("/v1/signup", json=again).status_code == 409
    assert client.post("/v1/login", json=again).status_code == 200


def test_a_wrong_password_opens_nothing(client):
    _, email = signed_in(client)
    wrong = {"email": email, "password": PASSWORD + "!"}
    assert client.post("/v1/login", json=wrong).status_code == 401


def test_another_service_knows_the_guest(client, elsewhere):
    token, email = signed_in(client)
    found = elsewhere.verify(token).guest
    assert (found.email, found.token) == (email, token)
    assert found.guest_id.startswith("guest_")


def test_logging_out_ends_a_token_everywhere_and_only_that_one(client, elsewhere):
    token, email = signed_in(client)
    credentials = {"email": email, "password": PASSWORD}
    other = client.post("/v1/login", json=credentials).json["token"]
    assert client.post("/v1/logout", headers=bearer(token)).status_code == 204
    with pytest.raises(Unauthorized):
        elsewhere.verify(token)
    assert client.post("/v1/logout", headers=bearer(token)).status_code == 401
    assert elsewhere.verify(other)


def test_what_was_revoked_is_forgotten_when_it_would_have_ended(client, memory):
    token, _ = signed_in(client)
    client.post("/v1/logout", headers=bearer(token))
    claims = jwt.decode(token, options={"verify_signature": False})
    left = memory.client.ttl(f"revoked:{claims['jti']}")
    assert 0 < left <= 600


def test_identity_is_not_asked_on_each_call(client, elsewhere, site):
    tokens = [signed_in(client)[0] for _ in range(3)]
    for token in tokens * 5:
        elsewhere.verify(token)
    assert site.asked == 1


def test_unknown_keys_do_not_make_it_ask_each_time(client, elsewhere, site):
    token, _ = signed_in(client)
    elsewhere.verify(token)
    for _ in range(20):
        with pytest.raises(Unauthorized):
            elsewhere.verify(forged(Ed25519PrivateKey.generate(), kid="other"))
    assert site.asked <= 2


def test_with_identity_away_guests_stay_signed_in(client, site, elsewhere, monkeypatch):
    token, _ = signed_in(client)
    elsewhere.verify(token)
    site.stop()
    assert elsewhere.verify(token)
    # Also when the keys are due to be asked for again.
    later = time.monotonic() + 10 * guests.KEYS_FRESH_SECONDS
    monkeypatch.setattr(guests.time, "monotonic", lambda: later)
    assert elsewhere.verify(token)


def test_who_learned_the_keys_knows_guests_without_identity(client, site, elsewhere):
    elsewhere.learn().join(30)
    site.stop()
    token, _ = signed_in(client)
    assert elsewhere.verify(token)


def test_who_starts_before_identity_learns_the_keys_later(app, served, settings):
    keys = guests.PublishedKeys("http://127.0.0.1:9")
    elsewhere = guests.Guests(keys, guests.RevokedTokens(settings.redis_url))
    learning = elsewhere.learn()
    learning.join(guests.REST_SECONDS + 0.5)
    assert learning.is_alive()
    site = served(app)
    keys._identity = urllib3.connection_from_url(site.url, retries=False)
    learning.join(30)
    assert not learning.is_alive()


class Silent:
    """A port that takes connections and never answers."""

    def __enter__(self):
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        return self

    def __exit__(self, *_):
        self._server.close()


@pytest.mark.parametrize("resilient", [True, False], ids=["on", "off"])
def test_only_with_resilience_is_a_silent_identity_given_up(
    resilient, client, settings, monkeypatch
):
    monkeypatch.setattr(guests, "KEYS_TIMEOUT", urllib3.Timeout(0.2))
    token, _ = signed_in(client)
    with Silent() as identity:
        url = f"http://127.0.0.1:{identity.port}"
        elsewhere = guests.Guests.at(url, settings.redis_url, resilient)
        asking = in_a_thread(lambda: elsewhere.verify(token))
        asking.join(30 if resilient else 1)
        assert asking.is_alive() is not resilient
    # Whoever still waits hears that the connection ended.
    asking.join(30)
    assert not asking.is_alive()


@pytest.mark.parametrize("resilient", [True, False], ids=["on", "off"])
def test_only_with_resilience_is_a_silent_redis_given_up(resilient):
    with Silent() as memory:
        url = f"redis://127.0.0.1:{memory.port}/0"
        revoked = guests.RevokedTokens(url, resilient)
        asking = in_a_thread(lambda: "token" in revoked)
        asking.join(30 if resilient else 2)
        assert asking.is_alive() is not resilient
    asking.join(30)
    assert not asking.is_alive()


def in_a_thread(work):
    def run():
        with contextlib.suppress(Unavailable):
            work()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def test_who_never_heard_the_keys_says_to_try_again(client, settings):
    [port] = free_ports(1)
    elsewhere = guests.Guests.at(f"http://127.0.0.1:{port}", settings.redis_url)
    token, _ = signed_in(client)
    for _ in range(2):
        with pytest.raises(Unavailable) as told:
            elsewhere.verify(token)
        assert told.value.retry_after


def test_a_new_key_is_asked_for_when_its_first_token_comes(settings, served):
    key = {"one": Ed25519PrivateKey.generate()}
    published = Flask("keys")
    told = {"keys": [keys.public(k, v) for k, v in key.items()]}
    published.route(guests.KEYS_PATH)(lambda: told)
    site = served(published)
    elsewhere = guests.Guests.at(site.url, settings.redis_url)
    assert elsewhere.verify(forged(key["one"], kid="one"))
    two = Ed25519PrivateKey.generate()
    told["keys"].append(keys.public("two", two))
    with pytest.raises(Unauthorized):  # it has asked a moment ago
        elsewhere.verify(forged(two, kid="two"))
    time.sleep(guests.REST_SECONDS + 0.1)
    assert elsewhere.verify(forged(two, kid="two"))
    assert elsewhere.verify(forged(key["one"], kid="one"))


def test_without_redis_guests_go_on_and_nobody_is_told_of_a_logout(
    client, elsewhere, memory, caplog
):
    token, _ = signed_in(client)
    memory.stop()
    try:
        assert elsewhere.verify(token)
        assert "revoked tokens not looked up" in caplog.text
        answer = client.post("/v1/logout", headers=bearer(token))
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]
        health = client.get("/v1/health").json
        assert health["dependencies"] == {"database": "ok", "redis": "down"}
    finally:
        memory.start()


def test_a_silent_redis_does_not_hold_each_call_up(client, elsewhere, memory):
    token, _ = signed_in(client)
    os.kill(memory.process.pid, signal.SIGSTOP)
    try:
        asked = []
        exists = elsewhere._revoked._redis.exists
        elsewhere._revoked._redis.exists = lambda name: (
            asked.append(name) or exists(name)
        )
        for _ in range(20):
            assert elsewhere.verify(token)
        assert len(asked) <= 2
    finally:
        os.kill(memory.process.pid, signal.SIGCONT)


# A new key


@pytest.fixture
def fresh(settings):
    """Settings with a database of its own, whose keys nobody else knows."""
    name = f"rotated_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(plain(settings), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
    url = settings.identity_database_url.rpartition("/")[0] + f"/{name}"
    found = msgspec.structs.replace(settings, identity_database_url=url)
    prepare(found)
    return found


def rotated(settings):
    """Rotate as the command does; return what it says."""
    env = os.environ | {
        "IDENTITY_DATABASE_URL": settings.identity_database_url,
        "REDIS_URL": settings.redis_url,
        "TOKEN_TTL_SECONDS": str(settings.token_ttl_seconds),
    }
    command = [sys.executable, "-m", "identity.rotate"]
    folder = os.path.dirname(os.path.dirname(keys.__file__))
    done = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def passes(settings, seconds):
    """Let time pass for all keys."""
    with psycopg.connect(plain(settings)) as connection:
        connection.execute(
            "UPDATE signing_keys SET created_at = created_at - %s * interval '1 s'",
            [seconds],
        )


def key_of(token):
    return jwt.get_unverified_header(token)["kid"]


def test_a_new_key_signs_and_nobody_is_signed_out(fresh, served, monkeypatch):
    monkeypatch.setattr(keys, "LOOK_SECONDS", 0.0)
    app = create_app(fresh)
    client, site = app.test_client(), served(app)
    elsewhere = guests.Guests.at(site.url, fresh.redis_url)
    old, _ = signed_in(client)
    assert elsewhere.verify(old)
    passes(fresh, 3600)

    told = rotated(fresh)
    published = [key["kid"] for key in client.get("/v1/internal/keys").json["keys"]]
    assert published[0] in told
    assert published[1] == key_of(old)
    # Not before everybody could see it.
    assert key_of(signed_in(client)[0]) == key_of(old)

    passes(fresh, keys.SETTLE_SECONDS)
    new, _ = signed_in(client)
    assert key_of(new) == published[0]
    # Who knows the old key set only has asked long ago.
    monkeypatch.setattr(guests, "REST_SECONDS", 0.0)
    elsewhere._signatures._keys._rest_until = 0.0
    asked = site.asked
    for _ in range(3):
        assert elsewhere.verify(new)
        assert elsewhere.verify(old)
    assert site.asked == asked + 1
    assert client.post("/v1/logout", headers=bearer(old)).status_code == 204


def test_an_old_key_is_forgotten_when_its_tokens_have_ended(fresh, monkeypatch):
    monkeypatch.setattr(keys, "LOOK_SECONDS", 0.0)
    client = create_app(fresh).test_client()
    first = key_of(signed_in(client)[0])
    rotated(fresh)
    passes(fresh, fresh.token_ttl_seconds)
    assert "forgotten: 0" in rotated(fresh)  # its last token was signed later
    passes(fresh, keys.SETTLE_SECONDS + 60)
    assert "forgotten: 1" in rotated(fresh)
    published = [key["kid"] for key in client.get("/v1/internal/keys").json["keys"]]
    assert first not in published
    assert len(published) == 3


def test_a_token_of_a_key_that_is_gone_opens_nothing(fresh, served, monkeypatch):
    monkeypatch.setattr(keys, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(guests, "REST_SECONDS", 0.0)
    app = create_app(fresh)
    site = served(app)
    elsewhere = guests.Guests.at(site.url, fresh.redis_url)
    token, _ = signed_in(app.test_client())
    assert elsewhere.verify(token)
    rotated(fresh)
    with psycopg.connect(plain(fresh)) as connection:
        connection.execute(
            "DELETE FROM signing_keys WHERE key_id = %s", [key_of(token)]
        )
    # When the keys are due to be asked for again.
    later = time.monotonic() + 10 * guests.KEYS_FRESH_SECONDS
    monkeypatch.setattr(guests.time, "monotonic", lambda: later)
    with pytest.raises(Unauthorized):
        elsewhere.verify(token)


# Tokens that nobody here issued


def forged(key, algorithm="EdDSA", kid=None, **changes):
    now = int(time.time())
    claims = {
        "iss": "concierge-identity",
        "aud": "concierge",
        "sub": "guest_1",
        "email": "ada@example.com",
        "jti": uuid.uuid4().hex,
        "iat": now,
        "exp": now + 60,
    } | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(claims, key, algorithm, headers={"kid": kid} if kid else None)


@pytest.fixture(scope="module")
def real_key(app):
    return app.extensions["identity"].keys.newest()


def test_what_is_forged_with_the_real_key_would_be_let_in(real_key, elsewhere):
    kid, key = real_key
    assert elsewhere.verify(forged(key, kid=kid)).guest.guest_id == "guest_1"


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": 1},
        {"exp": None},
        {"exp": "soon"},
        {"nbf": 4102444800},
        {"iss": "somebody"},
        {"iss": None},
        {"aud": "somebody"},
        {"aud": None},
        {"sub": None},
        {"sub": 7},
        {"jti": None},
        {"jti": 7},
        {"email": None},
        {"iat": None},
    ],
    ids=str,
)
def test_every_claim_must_be_there_and_right(changes, real_key, elsewhere):
    kid, key = real_key
    with pytest.raises(Unauthorized, match="sign in again"):
        elsewhere.verify(forged(key, kid=kid, **changes))


def unsigned(header, claims=b"{}"):
    def encoded(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    return f"{encoded(header)}.{encoded(claims)}."


@pytest.mark.parametrize("service", ["identity", "elsewhere"])
def test_what_nobody_signed_lets_nobody_in(service, real_key, app, elsewhere, client):
    kid, key = real_key
    public = key.public_key().public_bytes_raw()
    good, _ = signed_in(client)
    head, body, mark = good.split(".")
    verify = {
        "identity": app.extensions["identity"].identity._guests.verify,
        "elsewhere": elsewhere.verify,
    }[service]
    for token in (
        "",
        "x",
        "a.b.c",
        "é.é.é",
        "..",
        forged(Ed25519PrivateKey.generate(), kid=kid),
        forged(key),
        forged(key, kid="../other"),
        forged("", "none", kid=kid),
        forged(public, "HS256", kid=kid),
        forged(public.hex(), "HS256", kid=kid),
        f"{head}.{body}.",
        f"{head}.{body}.{'A' * len(mark)}",
        f"{head}.{body[:-2]}AA.{mark}",
        unsigned(b"[" * 4000),
        unsigned(b'{"alg":"none","kid":7}'),
        unsigned(b'{"alg":"EdDSA","kid":{"a":1}}'),
    ):
        with pytest.raises(Unauthorized, match="sign in again"):
            verify(token)


# The settings, the errors


def test_a_missing_setting_is_named():
    with pytest.raises(SettingsError, match="IDENTITY_DATABASE_URL|REDIS_URL"):
        load({})


def test_errors_are_the_contracts(client):
    answer = client.post("/v1/login", data=b"{", content_type="application/json")
    assert answer.status_code == answer.json["code"] == 400
    assert client.get("/v1/nothing").status_code == 404
    large = client.post("/v1/login", data=b"x" * (web.MAX_BODY_BYTES + 1))
    assert large.status_code == 413
    assert client.post("/v1/logout").headers["WWW-Authenticate"] == "Bearer"


def plain(settings):
    return settings.identity_database_url.replace("postgresql+psycopg", "postgresql")
