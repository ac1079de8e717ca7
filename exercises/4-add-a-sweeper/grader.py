"""What exercise 4 is graded by. Run it with `make grade EXERCISE=4`.

The monolith's parts with the student's files among them, on a PostgreSQL and a Stripe
sandbox of their own. A worker that died is an order that was accepted, and no more.
"""

import datetime as dt
import importlib
import os
import socket
import subprocess
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import psycopg
import pytest
import requests

from course import handed_in

sys.dont_write_bytecode = True
pytestmark = pytest.mark.timeout(25, func_only=True)
FOLDER = "stage1_monolith/concierge"
# In the order in which they import each other.
MINE = ("order_store", "checkout", "sweep")
LEASE_SECONDS, GIVE_UP_SECONDS = 0.3, 600
OLD = dt.timedelta(hours=1)
PRODUCT = "candy-jar"
DECLINED = "pm_card_visa_chargeDeclined"
# The rest of an order's life is told in the lesson's README.
LOOK = f"See {FOLDER}/"


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def until(works, seconds=60):
    """Wait until something works."""
    for _ in range(seconds * 10):
        try:
            return works()
        except (OSError, psycopg.OperationalError):
            time.sleep(0.1)
    raise AssertionError("The sandbox did not come up.")


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory):
    """Start PostgreSQL and the Stripe sandbox; return their addresses."""
    folder = tmp_path_factory.mktemp("sandbox")
    postgres, stripe = free_port(), free_port()
    programs = (
        ["postgres", "--port", postgres, "--data", folder / "postgres"],
        ["stripe", "--port", stripe, "--data", folder / "stripe.sqlite"],
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", f"sandbox.{name}", *map(str, options)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"POSTGRES_PORT": str(postgres)},
        )
        for name, *options in programs
    ]
    server, url = f"postgres@127.0.0.1:{postgres}", f"http://127.0.0.1:{stripe}"
    try:
        admin = f"postgresql://{server}/postgres"
        until(lambda: psycopg.connect(admin, connect_timeout=2).close())
        until(lambda: requests.get(f"{url}/_sandbox/health", timeout=1))
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute("CREATE DATABASE graded")
        database = f"postgresql+psycopg://{server}/graded"
        yield SimpleNamespace(database=database, stripe=url)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(20)


@pytest.fixture(scope="session")
def concierge():
    """Load the student's files among the shipped modules."""
    importlib.import_module("concierge")
    for name in MINE:
        handed_in.module(f"{FOLDER}/{name}.py", f"concierge.{name}")
    names = ("config", "orders", "payments", "services", "setup", "wire")
    parts = {name: importlib.import_module(f"concierge.{name}") for name in names}
    return SimpleNamespace(**parts)


@pytest.fixture(scope="session")
def assembled(sandbox, concierge):
    """Put the monolith's parts together, with settings of one's own."""

    def assemble(**more):
        settings = {
            "database_url": sandbox.database,
            "stripe_api_key": "sk_test_sandbox",
            "stripe_api_base": sandbox.stripe,
            "stripe_timeout_seconds": 1.0,
            "smtp_port": 9,
            "nlu_engine": "rules",
            "order_lease_seconds": LEASE_SECONDS,
            "order_give_up_seconds": GIVE_UP_SECONDS,
        }
        return concierge.services.assemble(concierge.config.Settings(**settings | more))

    concierge.setup.prepare(assemble().settings)
    return assemble


@pytest.fixture(scope="session")
def parts(assembled):
    return assembled()


@pytest.fixture(scope="session")
def guest_id(parts, concierge):
    who = concierge.wire.Credentials(
        email="ada@example.com", password="correct horse battery"
    )
    parts.identity.sign_up(who, now())
    return parts.identity.guest(parts.identity.log_in(who, now()).token, now())


@pytest.fixture
def abandoned(parts, guest_id, concierge):
    """Accept an order, and let its worker die."""

    def accept(age=dt.timedelta(0), services=parts, **fields):
        at = now() - age
        wanted = concierge.wire.CheckoutRequest(
            product_id=PRODUCT,
            delivery_address="5 Main Street",
            delivery_date=at.date(),
            **fields,
        )
        product = services.catalog.product(PRODUCT)
        order = concierge.orders.start(guest_id, uuid.uuid4().hex, wanted, product, at)
        return services.orders.accept(order)

    return accept


@pytest.fixture
def faults(sandbox):
    """Set faults of Stripe, which end with the check; none end them at once."""

    def set_faults(**settings):
        requests.delete(f"{sandbox.stripe}/_sandbox/faults", timeout=5)
        if settings:
            where = f"{sandbox.stripe}/_sandbox/faults"
            requests.put(where, json=settings, timeout=5).raise_for_status()

    yield set_faults
    set_faults()


@pytest.fixture
def charges(sandbox):
    """Tell by Stripe's books how often an order was charged."""

    def count(order):
        ledger = requests.get(
            f"{sandbox.stripe}/_sandbox/ledger",
            params={"view": "orders", "order_id": order.order_id},
            timeout=5,
        ).json()["orders"]
        return ledger.get(order.order_id, {}).get("succeeded_charges", 0)

    return count


@pytest.fixture(autouse=True)
def no_leftovers(request, parts):
    """End what the check before has left pending, so that checks do not meet."""
    with parts.database.engine.begin() as tx:
        tx.exec_driver_sql(
            "UPDATE orders SET status = 'failed' WHERE status = 'pending'"
        )


def now():
    return dt.datetime.now(dt.timezone.utc)


def sweep(services, rounds=1):
    """Wait until leases have ended, and sweep; return how many were taken up."""
    taken = 0
    for _ in range(rounds):
        time.sleep(LEASE_SECONDS * 1.3)
        taken += services.sweep.once(now())
    return taken


def expect(parts, order, status, where):
    """Compare the state of an order, and say where to look."""
    found = parts.orders.find(order.order_id).status.value
    assert found == status, f"The order is {found}, and not {status}. {LOOK}{where}."


@pytest.mark.row(1)
def test_buying_still_works(parts, guest_id, concierge, charges):
    wanted = concierge.wire.CheckoutRequest(
        product_id=PRODUCT, delivery_address="5 Main Street", delivery_date=now().date()
    )
    order = parts.checkout.buy(guest_id, uuid.uuid4().hex, wanted, now())
    expect(parts, order, "confirmed", "checkout.py")
    assert charges(order) == 1


@pytest.mark.row(1)
def test_abandoned_orders_are_finished(parts, abandoned, charges):
    left = [abandoned() for _ in range(3)]
    assert sweep(parts) == 3, f"Three orders are abandoned. {LOOK}sweep.py."
    for order in left:
        expect(parts, order, "confirmed", "sweep.py")
        assert charges(order) == 1


@pytest.mark.row(1)
def test_a_payment_that_went_through_is_not_made_again(
    parts, abandoned, faults, charges, concierge
):
    order = abandoned()
    faults(drop_after=True, operations=["confirm", "retrieve"])
    with pytest.raises(concierge.payments.PaymentsUnavailable):
        parts.checkout.finish(order)
    faults()
    sweep(parts)
    expect(parts, order, "confirmed", "sweep.py")
    assert charges(order) == 1


@pytest.mark.row(1)
def test_a_declined_card_ends_the_order_and_gives_its_stock_back(parts, abandoned):
    stock = parts.catalog.product(PRODUCT).stock
    order = abandoned(payment_method=DECLINED)
    sweep(parts)
    expect(parts, order, "declined", "sweep.py")
    assert parts.catalog.product(PRODUCT).stock == stock


@pytest.mark.row(2)
def test_what_somebody_works_on_is_left_alone(parts, assembled, abandoned):
    patient = assembled(order_lease_seconds=60)
    order = abandoned(services=patient)
    sweep(parts)
    expect(parts, order, "pending", "order_store.py: somebody has a lease on it")
    parts.orders.let_go(order.order_id)
    sweep(parts)
    expect(parts, order, "confirmed", "order_store.py: it was let go")


@pytest.mark.row(2)
def test_two_who_sweep_at_once_share_the_orders(assembled, abandoned, charges):
    patient = assembled(order_lease_seconds=20)
    left = [abandoned() for _ in range(6)]
    time.sleep(LEASE_SECONDS * 1.3)
    since = now()
    with ThreadPoolExecutor(2) as two:
        taken = sum(two.map(lambda _: patient.sweep.once(since), range(2)))
    assert taken == 6, (
        f"Six orders, and they were taken up {taken} times. {LOOK}order_store.py."
    )
    assert [charges(order) for order in left] == 6 * [1]


@pytest.mark.row(3)
def test_an_old_order_is_released(parts, abandoned, charges):
    stock = parts.catalog.product(PRODUCT).stock
    order = abandoned(age=OLD)
    sweep(parts)
    expect(parts, order, "failed", "checkout.py: nobody wants flowers an hour late")
    assert charges(order) == 0
    assert parts.catalog.product(PRODUCT).stock == stock


@pytest.mark.row(3)
def test_an_old_order_can_never_be_paid_any_more(
    parts, abandoned, faults, charges, concierge
):
    order = abandoned(age=OLD)
    faults(refuse=True, operations=["confirm"])
    with pytest.raises(concierge.payments.PaymentsUnavailable):
        parts.checkout.finish(order)
    faults()
    waiting = parts.orders.find(order.order_id)
    sweep(parts)
    expect(parts, order, "failed", "checkout.py")
    # A worker that hung for an hour wakes up, and goes on where it was.
    with pytest.raises(concierge.payments.PaymentsUnavailable):
        parts.checkout.finish(waiting)
    assert charges(order) == 0, f"It was released, and then charged. {LOOK}checkout.py."


@pytest.mark.row(3)
def test_an_old_order_that_was_paid_is_confirmed(
    parts, abandoned, faults, charges, concierge
):
    order = abandoned(age=OLD)
    faults(drop_after=True, operations=["confirm", "retrieve"])
    with pytest.raises(concierge.payments.PaymentsUnavailable):
        parts.checkout.finish(order)
    faults()
    sweep(parts)
    expect(parts, order, "confirmed", "checkout.py: its guest has paid")
    assert charges(order) == 1


@pytest.mark.row(4)
def test_while_stripe_is_away_a_round_ends_early(parts, abandoned, faults):
    left = [abandoned() for _ in range(6)]
    faults(refuse=True)
    taken = sweep(parts)
    for order in left:
        expect(parts, order, "pending", "sweep.py: it is not known yet")
    most = sys.modules["concierge.sweep"].ENOUGH_FAILURES
    assert taken == most, (
        f"{taken} orders were taken up while Stripe was away, and {most} are enough to "
        f"know it. {LOOK}sweep.py."
    )


@pytest.mark.row(4)
def test_what_could_not_be_finished_is_free_for_the_next_round(
    assembled, abandoned, faults, parts
):
    patient = assembled(order_lease_seconds=20)
    order = abandoned()
    faults(refuse=True)
    assert sweep(patient) == 1, f"It is taken up once a round. {LOOK}sweep.py."
    faults()
    sweep(patient)
    expect(parts, order, "confirmed", "sweep.py: its lease stood in the way")


@pytest.mark.row(4)
def test_one_order_in_trouble_holds_up_no_other(parts, abandoned, faults):
    first, second = abandoned(), abandoned()
    faults(refuse=True, times=1)
    sweep(parts, rounds=2)
    for order in (first, second):
        expect(parts, order, "confirmed", "sweep.py")
