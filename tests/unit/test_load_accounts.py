"""What a load's guests prove themselves with."""

import pytest

from load_tests.accounts import Account
from load_tests.target import NotRunningError, running

KEYS = Account(
    access_key="AKIDEXAMPLE", secret_key="secret", session_token="s", region="us-east-1"
)
URL = "http://127.0.0.1:8300/v1/checkout"


def test_a_token_goes_into_the_header():
    headers = Account(token="t").headers("GET", URL, headers={"X-One": "1"})
    assert headers == {"X-One": "1", "Authorization": "Bearer t"}


def test_keys_sign_what_is_sent():
    headers = KEYS.headers("POST", URL, b"{}", {"Idempotency-Key": "k"})
    assert headers["Idempotency-Key"] == "k"
    assert headers["X-Amz-Security-Token"] == "s"
    proof = headers["Authorization"]
    assert proof.startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert "/us-east-1/execute-api/aws4_request" in proof
    names = "SignedHeaders=host;idempotency-key;x-amz-date;x-amz-security-token,"
    assert names in proof


def test_another_body_has_another_signature():
    one, other = (KEYS.headers("POST", URL, body) for body in (b"1", b"2"))
    assert one["Authorization"] != other["Authorization"]


def test_a_stage_that_is_not_up_is_told_with_the_way_to_start_it():
    with pytest.raises(NotRunningError, match="make run-stage STAGE=2"):
        running(2, "no-such-run")
