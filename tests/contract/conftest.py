"""Guests whose every answer is held against the contract, and what they need."""

from __future__ import annotations

import pytest
import requests

from tests.backstage import backstage_of
from tests.conftest import BY_BEARER
from tests.contract.contract import Contract
from tests.contract.outside import Ledger, Mailbox
from tests.guest import Guest

# Signatures and accounts of Cognito's come with stage 3. Lessons typed at a stage end
# with stage 2: tests/meta types what of the third needs no AWS.
collect_ignore = (
    ["test_pool_accounts.py", "test_signatures.py"]
    if BY_BEARER
    else ["test_tutorial.py"]
)


class Stranger(Guest):
    """Somebody without an account."""

    def __init__(self, stage):
        self.api_url = stage.api_url
        self.http = requests.Session()


@pytest.fixture(scope="session")
def contract():
    return Contract()


@pytest.fixture(scope="session")
def new_guest(contract):
    """Make a guest of a stage; every answer is checked against the contract."""

    def new(stage):
        guest = Guest(stage)
        guest.http.hooks["response"].append(contract.check)
        return guest

    return new


@pytest.fixture
def guest(stage, new_guest):
    return new_guest(stage)


@pytest.fixture
def stranger(stage, contract):
    stranger = Stranger(stage)
    stranger.http.hooks["response"].append(contract.check)
    return stranger


@pytest.fixture(scope="session")
def backstage(stage):
    return backstage_of(stage)


@pytest.fixture(scope="session")
def ledger(stage):
    return Ledger(stage.stripe_url)


@pytest.fixture(scope="session")
def mailbox(stage):
    return Mailbox(stage.mailbox_url)
