"""Which service calls: what is signed well is let in, everything else is not."""

import base64
import time

import jwt
import pytest
from catalog import callers
from catalog.errors import Forbidden, Unauthorized
from flask import Flask

CALLERS = callers.Callers("catalog", {"checkout": "c" * 64, "nlu": "n" * 64})


def admitted(token, *names):
    headers = {} if token is None else {"X-Service-Token": token}
    with Flask("catalog").test_request_context(headers=headers):
        return CALLERS.admit(*names)


def service_token(key="c" * 64, algorithm="HS256", **changes):
    now = int(time.time())
    claims = {"iss": "checkout", "aud": "catalog", "iat": now, "exp": now + 30}
    claims = {n: v for n, v in (claims | changes).items() if v is not None}
    return jwt.encode(claims, key, algorithm)


def unsigned(header, claims=b"{}"):
    def encoded(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    return f"{encoded(header)}.{encoded(claims)}."


def test_a_service_that_signs_is_admitted():
    token = callers.sign("checkout", "catalog", "c" * 64)
    assert admitted(token) == admitted(token, "checkout") == "checkout"
    assert admitted(service_token()) == "checkout"


def test_a_service_is_admitted_only_to_what_is_for_it():
    with pytest.raises(Forbidden, match="nlu may not"):
        admitted(callers.sign("nlu", "catalog", "n" * 64), "checkout")


@pytest.mark.parametrize(
    "token",
    [
        None,
        "",
        "garbage",
        unsigned(b'{"alg":"none"}', b'{"iss":"checkout"}'),
        unsigned(b"[" * 4000),
        service_token(key="n" * 64),
        service_token(key="x" * 64),
        service_token(key="", algorithm="none"),
        service_token(algorithm="HS512"),
        service_token(iss="notifications"),
        service_token(iss="notifications", key=" " * 32),
        service_token(iss=None),
        service_token(aud="notifications"),
        service_token(aud=None),
        service_token(exp=1, iat=0),
        service_token(exp=None),
        service_token(iat=None),
        service_token(exp=4102444800),
        service_token(iat=4102444800, exp=4102444830),
    ],
)
def test_anything_else_is_401(token):
    with pytest.raises(Unauthorized, match="X-Service-Token"):
        admitted(token)
