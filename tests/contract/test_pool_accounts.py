"""Accounts where Cognito keeps them: what stages 1 and 2 promise of theirs."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.cognito import CognitoError, Pools
from tests.contract.outside import until
from tests.guest import PASSWORD

SIGN_UP = "AWSCognitoIdentityProviderService.SignUp"
SIGN_OUT = "AWSCognitoIdentityProviderService.GlobalSignOut"


@pytest.fixture(scope="module")
def pools(stage):
    return Pools.of(stage)


@pytest.fixture
def email():
    return f"ada-{uuid.uuid4().hex}@example.com"


def refused(call, *codes):
    """Check that a call is refused with one of these codes, in words of its own."""
    with pytest.raises(CognitoError) as error:
        call()
    assert error.value.code in codes
    for trace in ("Traceback", ".py"):
        assert trace not in str(error.value)


def ask_for(pools, email, password):
    return pools.ask(
        SIGN_UP,
        ClientId=pools.client,
        Username=email,
        Password=password,
        UserAttributes=[{"Name": "email", "Value": email}],
    )


# The local AWS looks at the length of a password alone, and not at its type.
@pytest.mark.parametrize("password", ["", "short", "x" * 7])
def test_a_weak_password_is_refused_and_there_is_no_account(password, pools, email):
    refused(
        lambda: ask_for(pools, email, password),
        *("InvalidPasswordException", "InvalidParameterException"),
    )
    # The address is free for a good one.
    pools.sign_up(email, PASSWORD)
    assert pools.sign_in(email, PASSWORD)["IdToken"]


@pytest.mark.parametrize("email", ["", "ada", "ada@", "@example.com"])
def test_what_is_no_address_is_refused(email, pools):
    refused(lambda: ask_for(pools, email, PASSWORD), "InvalidParameterException")


# Cognito takes capitals for the same (UsernameConfiguration); the local AWS does not.
def test_a_taken_address_is_refused_and_its_password_stays(pools, email):
    pools.sign_up(email, PASSWORD)
    refused(
        lambda: ask_for(pools, email, "another good one"),
        "UsernameExistsException",
    )
    assert pools.sign_in(email, PASSWORD)["IdToken"]
    refused(lambda: pools.sign_in(email, "another good one"), "NotAuthorizedException")


def test_who_signs_up_twice_at_once_has_one_account(pools, email):
    def outcome(_):
        try:
            ask_for(pools, email, PASSWORD)
        except CognitoError as error:
            return error.code
        return "made"

    with ThreadPoolExecutor(8) as crowd:
        outcomes = sorted(crowd.map(outcome, range(8)))
    assert outcomes == ["UsernameExistsException"] * 7 + ["made"]


def test_a_wrong_password_and_no_account_are_told_the_same(pools, email):
    pools.sign_up(email, PASSWORD)
    with pytest.raises(CognitoError) as wrong:
        pools.sign_in(email, "x" * 8)
    with pytest.raises(CognitoError) as nobody:
        pools.sign_in(f"nobody-{email}", "x" * 8)
    assert str(wrong.value) == str(nobody.value)


def test_who_signs_out_everywhere_gets_no_more_tokens(pools, email):
    pools.sign_up(email, PASSWORD)
    one, other = pools.sign_in(email, PASSWORD), pools.sign_in(email, PASSWORD)
    pools.ask(SIGN_OUT, AccessToken=one["AccessToken"])
    for tokens in (one, other):
        refused(
            lambda tokens=tokens: pools.refresh(tokens["RefreshToken"]),
            "NotAuthorizedException",
        )
    assert until(lambda: pools.sign_in(email, PASSWORD), "one may sign in again")
