"""Stripe, the mail server or the database away: 503 and the truth, and nothing lost."""

from __future__ import annotations

import json
import os
import re
import shutil
import uuid
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import psycopg
import pytest
import requests

from sandbox.runner import started
from sandbox.runner.stages import STAGES
from sandbox.runner.state import RUN_ROOT
from tests.backstage import database_url
from tests.conftest import BY_BEARER, FULL, PARTNER_KEY, STAGE
from tests.contract.conftest import Stranger
from tests.contract.contract import Contract
from tests.contract.examples import example
from tests.contract.outside import Ledger, Mailbox, until
from tests.contract.wire import Wire
from tests.contract.wired import Wired
from tests.guest import PASSWORD

# Beside the stage of the other tests and those that people run.
PORT_OFFSET = {1: 59, 2: 86}.get(STAGE, 0)
OPERATIONS = Contract().operations(STAGE)
# Who keeps something in PostgreSQL: the variables that tell where, and what can be
# answered without it.
DATABASES = {
    1: ["DATABASE_URL"],
    2: [
        f"{service}_DATABASE_URL"
        for service in ("IDENTITY", "CATALOG", "CHECKOUT", "NOTIFICATIONS")
    ],
}
WITHOUT_DATABASE = {
    1: {"health"},
    2: {"health", "converse", "chatbot", "logOut"},
    3: {"health", "converse", "chatbot"},
    4: {"health", "converse", "chatbot"},
}
# A frozen database costs each of them the whole patience of its client.
WAYS = ["cut", "frozen"] if BY_BEARER or FULL else ["cut"]
# How long an order of stage 4 may wait for its turn, after an outage.
OUTAGE_SECONDS = 120.0
# How many at once: the local AWS starts a worker for each.
AT_ONCE = 20 if BY_BEARER else 2
bearer = pytest.mark.bearer
synchronous = pytest.mark.synchronous
NEED_THE_DATABASE = [
    o for o in OPERATIONS if o.id not in WITHOUT_DATABASE.get(STAGE, ())
]
IMPATIENT = {
    "NLU_ENGINE": "rules",
    "STRIPE_TIMEOUT_SECONDS": "1",
    "SMTP_TIMEOUT_SECONDS": "1",
    "SWEEP_SECONDS": "0.5",
    "ORDER_LEASE_SECONDS": "3",
    "PARTNER_API_KEY": PARTNER_KEY,
    "PARTNER_RATE_PER_MINUTE": "5",
}


@pytest.fixture(scope="module")
def wired(stage):
    """The functions of the stage, impatient and behind wires."""
    with Wired(stage).connected() as them:
        yield them


@pytest.fixture(scope="module")
def wire(stage, request):
    """The wire to the database."""
    if not BY_BEARER:
        yield request.getfixturevalue("wired").database
        return
    wire = Wire(urlsplit(database_url(stage)).port or 5432)
    yield wire
    wire.close()


@pytest.fixture(scope="module")
def fragile(stage, wire):
    """An impatient stage: a second one, with databases of its own behind the wire.

    On the local AWS it is the one stage, whose functions are told other addresses.
    """
    if not BY_BEARER:
        yield stage
        return
    urls = {name: database_behind(wire, stage) for name in DATABASES[STAGE]}
    name = f"{STAGES[STAGE].name}-fragile"
    shutil.rmtree(RUN_ROOT / name, ignore_errors=True)
    base = STAGES[STAGE].port_base + PORT_OFFSET
    own = os.environ.get("TEST_PORT_BASE")
    with started(
        STAGE,
        name=name,
        port_base=int(own) + PORT_OFFSET - 50 if own else base,
        env=IMPATIENT | urls,
    ) as running:
        yield running


def database_behind(wire, stage):
    """Make a database in a stage's PostgreSQL; return its address behind the wire."""
    database = f"fragile_{uuid.uuid4().hex[:8]}"
    keys = RUN_ROOT / stage.name / "secrets.json"
    known = json.loads(keys.read_text())["databases"] if keys.exists() else {}
    password = known.get("postgres", "")
    url = database_url(stage, "postgres")
    with psycopg.connect(url, password=password, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {database}".encode())
    who = f"postgres:{password}" if password else "postgres"
    return f"postgresql+psycopg://{who}@127.0.0.1:{wire.port}/{database}"


@pytest.fixture
def guest(fragile, new_guest):
    return new_guest(fragile)


@pytest.fixture
def stranger(fragile, contract):
    stranger = Stranger(fragile)
    stranger.http.hooks["response"].append(contract.check)
    return stranger


@pytest.fixture
def ledger(fragile):
    return Ledger(fragile.stripe_url)


@pytest.fixture
def mailbox(fragile):
    return Mailbox(fragile.mailbox_url)


def only_order(guest):
    """Return the guest's one order."""
    (order,) = guest.get("/orders").json()["orders"]
    return order


def all_finished(guest):
    """Return the guest's orders when all of them have ended."""
    orders = guest.get("/orders").json()["orders"]
    return orders if all(order["status"] != "pending" for order in orders) else None


def finished(guest):
    """Return the guest's one order when it has ended."""
    order = only_order(guest)
    return order if order["status"] != "pending" else None


# Stripe

OUTAGES = {
    "refused": {"refuse": True},
    "hanging": {"hang": True},
    "500-before": {"error_before": 500},
    "429": {"error_before": 429},
    "slow": {"latency_ms": {"fixed": 2500}},
    "500-after-create": {"error_after": 500, "operations": ["create"]},
    "dropped-after-create": {"drop_after": True, "operations": ["create"]},
    "no-answer-to-confirm-or-retrieve": {
        "hang_after": True,
        "operations": ["confirm", "retrieve"],
    },
    "500-after-confirm-and-retrieve": {
        "error_after": 500,
        "operations": ["confirm", "retrieve"],
    },
}
LOST_ANSWERS = {
    "500-after-confirm": {"error_after": 500, "operations": ["confirm"]},
    "dropped-after-confirm": {"drop_after": True, "operations": ["confirm"]},
    "no-answer-to-confirm": {"hang_after": True, "operations": ["confirm"]},
}


# The file that talks to Stripe is the same in all stages; around it others call.
USUAL = ("hanging", "dropped-after-create", "no-answer-to-confirm-or-retrieve")
USUAL = USUAL if BY_BEARER else USUAL[::2]
THESE_OUTAGES = {
    name: faults
    for name, faults in OUTAGES.items()
    if STAGE == 1 or FULL or name in USUAL
}


@synchronous
@pytest.mark.parametrize("by", ["the sweep", "trying again"])
@pytest.mark.parametrize("faults", THESE_OUTAGES.values(), ids=THESE_OUTAGES)
def test_an_order_outlives_an_outage_of_stripe(faults, by, guest, ledger):
    stock = guest.get("/products/candy-jar").json()["stock"]
    key = str(uuid.uuid4())
    with ledger.going_wrong(**faults):
        answer = guest.buy("candy-jar", key)
        order = only_order(guest)
        assert answer.status_code == 503
        assert order["orderId"] in answer.json()["message"]
        assert order["status"] == "pending"
        assert guest.get("/products/candy-jar").json()["stock"] == stock - 1
    if by == "trying again":
        until(lambda: guest.buy("candy-jar", key).status_code == 200, "it is done")
    order = until(lambda: finished(guest), "the order ends")
    assert order["status"] == "confirmed"
    assert guest.buy("candy-jar", key).json()["order"] == order
    assert ledger.charges(order["orderId"]) == 1
    assert guest.get("/products/candy-jar").json()["stock"] == stock - 1


@synchronous
@pytest.mark.parametrize("faults", LOST_ANSWERS.values(), ids=LOST_ANSWERS)
def test_a_lost_answer_is_asked_for_and_the_order_is_confirmed(faults, guest, ledger):
    with ledger.going_wrong(**faults):
        answer = guest.buy("candy-jar")
    assert answer.status_code == 200
    assert answer.json()["order"]["status"] == "confirmed"
    assert ledger.charges(answer.json()["order"]["orderId"]) == 1


@synchronous
def test_a_card_is_declined_all_the_same_when_the_answer_was_lost(guest, ledger):
    with ledger.going_wrong(drop_after=True, operations=["confirm"]):
        answer = guest.buy("candy-jar", paymentMethod="pm_card_visa_chargeDeclined")
    assert answer.json()["order"]["status"] == "declined"
    assert ledger.charges(answer.json()["order"]["orderId"]) == 0


def test_everything_but_buying_works_without_stripe(guest, ledger):
    with ledger.going_wrong(hang=True):
        assert guest.say("I'd like to send flowers")
        assert guest.get("/products").ok
        assert guest.get("/orders").ok


# The mail server


@pytest.fixture
def mail_away(request, mailbox):
    """Take the mail server away: it refuses connections, or never answers."""
    if BY_BEARER:
        return lambda fault: mailbox.going_wrong(**{fault: True})
    wire = request.getfixturevalue("wired").mail
    return lambda fault: {"refuse": wire.cut, "hang": wire.frozen}[fault]()


@synchronous
def test_mail_does_not_fail_an_order_and_comes_later(
    fragile, new_guest, mailbox, mail_away
):
    guests = {}
    for fault in ("refuse", "hang"):
        with mail_away(fault):
            guests[fault] = new_guest(fragile)
            answer = guests[fault].buy("candy-jar")
            assert answer.status_code == 200
            assert answer.json()["order"]["status"] == "confirmed"
            assert mailbox.of(guests[fault].email) == []
    for guest in guests.values():
        mails = until(lambda guest=guest: mailbox.of(guest.email), "the mail comes")
        about = {order_of(mail) for mail in mails}
        assert about == {only_order(guest)["orderId"]}


def order_of(mail):
    """Return the order that a letter is about; SES keeps no headers to be shown."""
    named = mail.get("headers", {}).get("X-Order-Id")
    return named or re.search("ord_[0-9a-f]{24}", mail["text"]).group()


# The database


def without_database(operation, request, caller):
    """Send a request, and check that the answer is an honest 503."""
    answer = caller.request(**request)
    assert answer.status_code == 503, f"{operation.id}: {answer.text}"
    assert int(answer.headers["Retry-After"]) >= 1
    message = answer.json()["message"]
    assert "try again" in message.lower()
    for trace in ("Traceback", "psycopg", "sqlalchemy", "connection", "botocore"):
        assert trace not in message


def tells_of_database(url):
    """Ask whoever keeps something there how the database is."""
    health = requests.get(f"{url}/v1/health", timeout=30).json()
    return health["status"], health["dependencies"]["database"]


def keepers(stage):
    """Return the addresses of all who keep something in the database."""
    if not BY_BEARER:
        return [stage.api_url.removesuffix("/v1")]
    names = {name.partition("_")[0].lower() for name in DATABASES[STAGE]}
    found = [url["url"] for name in names for url in stage.services.get(name, ())]
    return found or [stage.site_url]


@pytest.mark.parametrize("way", WAYS)
def test_without_its_database_everything_is_503_and_comes_back(
    way, wire, guest, fragile, new_guest
):
    order_id = guest.buy("candy-jar").json()["order"]["orderId"]
    asked = {
        operation.id: (operation, example(operation, guest, orderId=order_id))
        for operation in NEED_THE_DATABASE
    }
    with getattr(wire, way)():
        with ThreadPoolExecutor(AT_ONCE) as crowd:
            answers = [
                crowd.submit(without_database, operation, request, guest)
                for operation, request in asked.values()
            ]
            told = crowd.map(tells_of_database, keepers(fragile))
            for answer in answers:
                answer.result()
            assert set(told) == {("degraded", "down")}
        assert guest.get("/health").ok
    until(lambda: guest.get("/orders").ok, "the database is back")
    for url in keepers(fragile):
        until(lambda url=url: tells_of_database(url) == ("ok", "ok"), "all is well")
    assert new_guest(fragile).say("hello")
    # The purchase that was refused is done under its own key, once.
    answer = until(
        lambda: (a := guest.request(**asked["checkout"][1])).ok and a, "it is bought"
    )
    until(lambda: guest.order(answer.json()["order"]["orderId"]), "it is there")
    orders = until(lambda: all_finished(guest), "both orders end", OUTAGE_SECONDS)
    assert [order["status"] for order in orders] == ["confirmed", "confirmed"]


# The catalogue, where it is a service of its own: in the monolith it is a module, and
# test_stage2_checkout.py has it for the split one.


@pytest.mark.signed
@pytest.mark.parametrize("way", ["cut", "frozen"])
def test_without_the_catalogue_nothing_is_sold_and_nothing_lost(
    way, wired, guest, ledger
):
    key, known = str(uuid.uuid4()), ledger.known_orders()
    stock = guest.get("/products/candy-jar").json()["stock"]
    with getattr(wired.catalog, way)():
        answer = guest.buy("candy-jar", key)
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) >= 1
        assert "try again" in answer.json()["message"].lower()
        # The price is the catalogue's: without it there is no order.
        assert guest.get("/orders").json()["orders"] == []
        assert ledger.known_orders() == known
        assert guest.get("/products").ok
    until(lambda: guest.buy("candy-jar", key).ok, "it is sold")
    order = until(lambda: finished(guest), "the order ends")
    assert order["status"] == "confirmed"
    assert ledger.charges(order["orderId"]) == 1
    assert guest.get("/products/candy-jar").json()["stock"] == stock - 1


@pytest.mark.signed
@pytest.mark.asynchronous
def test_an_order_is_accepted_while_stripe_is_away_and_settles(guest, ledger):
    with ledger.going_wrong(refuse=True):
        answer = guest.buy("candy-jar")
        assert answer.status_code == 202
        assert only_order(guest)["status"] == "pending"
    order = until(lambda: finished(guest), "the order ends", OUTAGE_SECONDS)
    assert order["status"] == "confirmed"
    assert ledger.charges(order["orderId"]) == 1


# Rates


def until_429(call, most):
    """Call until it is too often; return how often it was not, and the last answer."""
    for count in range(most + 1):
        answer = call()
        if answer.status_code == 429:
            return count, answer
    raise AssertionError(f"{most + 1} calls and none too many")


@bearer  # API Gateway's own usage plan: tests/integration/test_stage3_platform.py
def test_a_partner_over_its_rate_is_put_off(stranger):
    # A minute may begin in between, hence twice the rate at most; and some calls were
    # spent above.
    headers = {"X-Api-Key": PARTNER_KEY}
    count, answer = until_429(
        lambda: stranger.get("/partner/products", headers=headers), 10
    )
    assert count >= 3
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert answer.headers["Retry-After"] in answer.json()["message"]


@bearer  # Cognito counts, at the other stages
def test_who_guesses_passwords_is_put_off_even_when_right_at_last(guest, stranger):
    wrong = {"email": guest.email, "password": "not this one"}
    _, answer = until_429(lambda: stranger.post("/login", json=wrong), 40)
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    right = wrong | {"password": PASSWORD}
    if int(answer.headers["Retry-After"]) > 5:
        assert stranger.post("/login", json=right).status_code == 429
    assert guest.get("/orders").ok, "whoever is signed in stays so"
