"""Checkout between real neighbours, on lines that lose answers, and killed anywhere."""

import datetime as dt
import random
import secrets
import threading
import time

import catalog.app
import catalog.config
import catalog.database
import catalog.services
import catalog.setup
import msgspec
import notifications.app
import notifications.config
import notifications.setup
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from checkout import database, orders, wire
from checkout.app import create_app
from checkout.calls import Callee, Patience
from checkout.config import Settings
from checkout.errors import NotFound, Unavailable, Unprocessable
from checkout.guests import Guest
from checkout.orders import Status
from checkout.payments import PaymentsUnavailable
from checkout.services import assemble
from checkout.setup import prepare
from shop import CHECKOUT_KEY, NLU_KEY, Served
from wait import until

DECLINED_CARD = "pm_card_visa_chargeDeclined"


class Killed(BaseException):
    """What a process feels of SIGKILL; nothing catches it."""


class Neighbours:
    """The catalogue and notifications, as they run."""

    def __init__(self, backends, identity):
        self.backends, self.identity = backends, identity
        mine = catalog.config.Settings(
            catalog_database_url=backends.database("catalog"),
            identity_url=identity.url,
            redis_url=f"redis://127.0.0.1:{backends.nobody_port}",
            checkout_service_key=CHECKOUT_KEY,
            nlu_service_key=NLU_KEY,
        )
        catalog.setup.prepare(mine)
        self.shelves = catalog.services.assemble(mine)
        self.catalog = Served(catalog.app.create_app(mine))
        theirs = notifications.config.Settings(
            notifications_database_url=backends.database("notifications"),
            checkout_service_key=CHECKOUT_KEY,
            smtp_port=backends.smtp_port,
        )
        notifications.setup.prepare(theirs)
        app = notifications.app.create_app(theirs)
        self.sweep = app.extensions["notifications"].sweep
        self.stop_sweep = self.sweep.start(0.2)
        self.notifications = Served(app)

    def mend(self):
        self.catalog.line.mend()
        self.notifications.line.mend()

    def stop(self):
        self.mend()
        self.stop_sweep.set()
        self.catalog.stop()
        self.notifications.stop()
        self.shelves.database.engine.dispose()


@pytest.fixture(scope="module")
def neighbours(backends, identity):
    neighbours = Neighbours(backends, identity)
    yield neighbours
    neighbours.stop()


@pytest.fixture(scope="module")
def settings(backends, identity, neighbours):
    settings = Settings(
        checkout_database_url=backends.database("checkout"),
        checkout_service_key=CHECKOUT_KEY,
        identity_url=identity.url,
        redis_url=f"redis://127.0.0.1:{backends.nobody_port}",
        catalog_url=neighbours.catalog.url,
        notifications_url=neighbours.notifications.url,
        stripe_api_key="sk_test_parts",
        stripe_api_base=backends.stripe_url,
        stripe_timeout_seconds=1.0,
        order_lease_seconds=0.2,
        order_give_up_seconds=600,
        call_timeout_seconds=0.4,
        breaker_failures=1000,
        breaker_seconds=0.3,
    )
    prepare(settings)
    return settings


@pytest.fixture
def made(settings):
    """Put the parts together as a process does, with some settings changed."""
    made = []

    def make(**changes):
        made.append(assemble(msgspec.structs.replace(settings, **changes)))
        return made[-1]

    yield make
    for parts in made:
        parts.database.engine.dispose()


@pytest.fixture
def services(made):
    return made()


@pytest.fixture(autouse=True)
def orderly(settings, neighbours):
    """Leave no order and no fault to the next test."""
    yield
    neighbours.mend()
    neighbours.catalog.line.let_through.clear()
    neighbours.notifications.line.let_through.clear()
    engine = sa.create_engine(settings.checkout_database_url)
    with engine.begin() as tx:
        tx.execute(sa.delete(database.orders))
    engine.dispose()


@pytest.fixture
def now():
    return dt.datetime.now(dt.timezone.utc)


@pytest.fixture
def guest(identity):
    guest_id = secrets.token_hex(8)
    email = f"{guest_id}@example.com"
    return Guest(guest_id, email, identity.token(guest_id, email))


@pytest.fixture
def product(neighbours):
    """A product of the test's own, ten in stock."""
    products = catalog.database.products
    product_id = f"thing-{secrets.token_hex(6)}"
    with neighbours.shelves.database.transaction() as tx:
        roses = sa.select(products).where(products.c.product_id == "roses-red-dozen")
        row = tx.execute(roses).one()._mapping
        values = dict(row) | {"product_id": product_id, "stock": 10}
        tx.execute(sa.insert(products).values(values))
    return product_id


@pytest.fixture
def stock(neighbours, product):
    return lambda: neighbours.shelves.catalog.product(product).stock


@pytest.fixture
def purchase(product, now):
    def wanted(**fields):
        return wire.CheckoutRequest(
            product_id=product,
            delivery_address="5 Main Street",
            delivery_date=now.date(),
            **fields,
        )

    return wanted


@pytest.fixture
def mail(neighbours, guest):
    def received():
        return [m["subject"] for m in neighbours.backends.mail(guest.email)]

    return received


@pytest.fixture
def settled(made, guest, now):
    """Sweep with a process of its own until nothing is left to do; the orders then."""
    finisher = made()
    row = database.orders.c
    left = sa.select(sa.func.count()).where(
        sa.or_(row.status == "pending", row.release_due, row.notify_due)
    )

    def done():
        finisher.sweep.once(now + dt.timedelta(minutes=1))
        with finisher.database.statement() as tx:
            return not tx.execute(left).scalar_one()

    def settle():
        until(done, "every order has ended and all is told")
        return finisher.orders.page(guest.guest_id, wire.OrderQuery(limit=100)).orders

    return settle


@pytest.fixture
def right(neighbours, settled, stock, mail):
    """Compare orders, stock, Stripe's books and the mailbox, when all has settled."""

    def check(statuses, quantity=1):
        ended = settled()
        assert sorted(order.status for order in ended) == sorted(statuses)
        for order in ended:
            charges = neighbours.backends.charges(order.order_id)
            assert charges == (order.status == "confirmed"), order
        assert stock() == 10 - quantity * statuses.count("confirmed")
        until(lambda: len(mail()) >= len(ended), "each guest is told")
        assert len(mail()) == len(ended)

    return check


# The flow ---------------------------------------------------------------------------


def test_the_migrations_make_the_table_that_the_code_names(services):
    with services.database.transaction() as tx:
        found = compare_metadata(MigrationContext.configure(tx), database.metadata)
    assert found == []


def test_a_purchase_is_charged_once_however_often_it_is_sent(
    services, guest, purchase, now, right
):
    bought = [services.checkout.buy(guest, "k", purchase(), now) for _ in "123"]
    assert {order.status for order in bought} == {Status.CONFIRMED}
    assert len({order.order_id for order in bought}) == 1
    right(["confirmed"])


def test_a_declined_card_gives_the_stock_back(services, guest, purchase, now, right):
    wanted = purchase(quantity=4, payment_method=DECLINED_CARD)
    assert services.checkout.buy(guest, "k", wanted, now).status is Status.DECLINED
    right(["declined"])


def test_more_than_there_is_ends_the_order(services, guest, purchase, now, right):
    order = services.checkout.buy(guest, "k", purchase(quantity=11), now)
    assert (order.status, order.message) == (Status.FAILED, orders.SOLD_OUT)
    right(["failed"])


def test_many_buyers_never_get_more_than_there_is(
    services, guest, purchase, now, right
):
    def buy(number):
        services.checkout.buy(guest, f"k{number}", purchase(quantity=3), now)

    buyers = [threading.Thread(target=buy, args=[n]) for n in range(8)]
    for buyer in buyers:
        buyer.start()
    for buyer in buyers:
        buyer.join()
    right(["confirmed"] * 3 + ["failed"] * 5, quantity=3)


def test_a_key_is_for_one_purchase_even_for_two_at_once(
    services, guest, purchase, now, right
):
    ready, refused = threading.Barrier(6), []

    def buy(number):
        ready.wait()
        try:
            services.checkout.buy(guest, "k", purchase(quantity=1 + number), now)
        except Unprocessable:
            refused.append(number)

    buyers = [threading.Thread(target=buy, args=[n]) for n in range(6)]
    for buyer in buyers:
        buyer.start()
    for buyer in buyers:
        buyer.join()
    assert len(refused) == 5
    [winner] = {0, 1, 2, 3, 4, 5} - set(refused)
    right(["confirmed"], quantity=1 + winner)


def test_two_who_finish_an_order_at_once_charge_it_once(
    services, guest, purchase, product, now, right
):
    order = accepted(services, guest, purchase(), now)
    ready = threading.Barrier(5)

    def finish():
        ready.wait()
        for _ in range(5):
            try:
                services.checkout.finish(order)
                return
            except PaymentsUnavailable:
                time.sleep(0.05)

    workers = [threading.Thread(target=finish) for _ in range(5)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    right(["confirmed"])


def accepted(services, guest, wanted, now):
    """An order that was written, and whose worker then died."""
    product = services.checkout._catalog.product(wanted.product_id)
    order = orders.start(guest.guest_id, secrets.token_hex(8), wanted, product, now)
    return services.orders.accept(order, guest.email)


def test_an_order_ends_once(services, guest, purchase, now, right):
    confirmed = services.checkout.buy(guest, "k", purchase(), now)
    assert services.orders.end(confirmed, Status.FAILED, "late", True) is None
    right(["confirmed"])


def test_who_does_not_know_of_the_payment_does_not_end_the_order(
    services, guest, purchase, now, right
):
    order = accepted(services, guest, purchase(), now)
    services.checkout._catalog.hold(order)
    services.checkout._payments.charge(order)
    assert services.orders.end(order, Status.FAILED, "late", True) is None
    right(["confirmed"])


# Lines that break -------------------------------------------------------------------

FAULTS = ["lost", "dropped", "500", "hang"]


@pytest.mark.parametrize("fault", FAULTS)
def test_one_bad_answer_of_the_catalogue_is_not_noticed(
    services, neighbours, guest, purchase, now, right, fault
):
    neighbours.catalog.line.break_next(fault, "fine", fault)
    order = services.checkout.buy(guest, "k", purchase(), now)
    assert order.status is Status.CONFIRMED
    right(["confirmed"])


@pytest.mark.parametrize("fault", FAULTS)
def test_without_an_answer_about_the_stock_the_order_is_kept(
    services, neighbours, guest, purchase, now, right, fault
):
    neighbours.catalog.line.break_next("fine", *[fault] * 3)
    with pytest.raises(Unavailable, match="kept and will be finished") as away:
        services.checkout.buy(guest, "k", purchase(), now)
    order_id = orders.order_id(guest.guest_id, "k")
    assert order_id in away.value.message
    assert away.value.retry_after
    assert services.orders.find(order_id).status is Status.PENDING
    neighbours.mend()
    right(["confirmed"])


def test_the_guest_may_send_it_again_themselves(
    services, neighbours, guest, purchase, now, right
):
    neighbours.catalog.line.break_next("fine", *["lost"] * 3)
    with pytest.raises(Unavailable):
        services.checkout.buy(guest, "k", purchase(), now)
    order = services.checkout.buy(guest, "k", purchase(), now)
    assert order.status is Status.CONFIRMED
    right(["confirmed"])


@pytest.mark.parametrize("fault", FAULTS)
def test_stock_that_could_not_be_given_back_is_given_back_later_and_once(
    services, neighbours, guest, purchase, now, right, fault
):
    neighbours.catalog.line.break_next("fine", "fine", *[fault] * 3)
    wanted = purchase(quantity=3, payment_method=DECLINED_CARD)
    assert services.checkout.buy(guest, "k", wanted, now).status is Status.DECLINED
    neighbours.mend()
    right(["declined"])


@pytest.mark.parametrize("fault", FAULTS)
def test_a_purchase_succeeds_whatever_becomes_of_its_notification(
    services, neighbours, guest, purchase, now, right, fault
):
    neighbours.notifications.line.break_next(fault)
    order = services.checkout.buy(guest, "k", purchase(), now)
    assert order.status is Status.CONFIRMED
    neighbours.mend()
    right(["confirmed"])


def test_while_the_catalogue_is_away_nothing_is_ordered(
    services, neighbours, guest, purchase, now
):
    with neighbours.catalog.away(), pytest.raises(Unavailable) as away:
        services.checkout.buy(guest, "k", purchase(), now)
    assert away.value.retry_after
    assert services.orders.find(orders.order_id(guest.guest_id, "k")) is None


def test_while_notifications_are_away_guests_are_told_later(
    services, neighbours, guest, purchase, now, mail, right
):
    with neighbours.notifications.away():
        for number in range(5):
            order = services.checkout.buy(guest, f"k{number}", purchase(), now)
            assert order.status is Status.CONFIRMED
        services.sweep.once(now + dt.timedelta(minutes=1))
        assert mail() == []
    right(["confirmed"] * 5)


def test_notifications_that_are_away_do_not_keep_stock_from_being_given_back(
    services, neighbours, guest, purchase, now, stock, right
):
    wanted = purchase(payment_method=DECLINED_CARD)
    with neighbours.notifications.away():
        for number in range(4):
            neighbours.catalog.line.break_next("fine", "fine", *["dropped"] * 3)
            services.checkout.buy(guest, f"k{number}", wanted, now)
        assert stock() == 6

        def given_back():
            services.sweep.once(now + dt.timedelta(minutes=1))
            return stock() == 10

        until(given_back, "the stock is given back")
    right(["declined"] * 4)


def test_a_catalogue_that_does_not_know_us_loses_no_order(
    services, made, guest, purchase, now, right
):
    stranger = made(checkout_service_key="x" * 32)
    with pytest.raises(Unavailable, match="catalogue"):
        stranger.checkout.buy(guest, "k", purchase(), now)
    right([])
    order = accepted(services, guest, purchase(), now)
    with pytest.raises(Unavailable, match="catalogue"):
        stranger.checkout.finish(order)
    services.orders.let_go(order.order_id)
    right(["confirmed"])


def test_what_the_catalogue_does_not_sell_is_not_found(services, guest, purchase, now):
    wanted = msgspec.structs.replace(purchase(), product_id="unicorn")
    with pytest.raises(NotFound, match="do not sell"):
        services.checkout.buy(guest, "k", wanted, now)


def test_random_faults_on_every_line(
    services, neighbours, guest, purchase, now, settled, stock, mail
):
    seed = random.randrange(2**32)
    dice = random.Random(seed)
    cards = ["pm_card_visa", DECLINED_CARD]

    def some(count):
        return dice.choices(["fine", "lost", "dropped", "500"], [6, 2, 1, 1], k=count)

    for number in range(30):
        neighbours.catalog.line.break_next(*some(4))
        neighbours.notifications.line.break_next(*some(1))
        wanted = purchase(payment_method=dice.choice(cards))
        for _ in range(2):
            try:
                services.checkout.buy(guest, f"k{number}", wanted, now)
                break
            except Unavailable:
                pass
    neighbours.mend()
    ended = settled()
    sold = [order for order in ended if order.status == "confirmed"]
    assert stock() == 10 - len(sold), f"seed {seed}"
    for order in ended:
        charged = neighbours.backends.charges(order.order_id)
        assert charged == (order in sold), f"seed {seed}"
    until(lambda: len(mail()) >= len(ended), "each guest is told")
    assert len(mail()) == len(ended), f"seed {seed}"


# Killed at every step ---------------------------------------------------------------

STEPS = {
    "accept": lambda parts: parts.orders,
    "hold": lambda parts: parts.checkout._catalog,
    "create": lambda parts: parts.checkout._payments._api,
    "remember_intent": lambda parts: parts.orders,
    "confirm": lambda parts: parts.checkout._payments._api,
    "end": lambda parts: parts.orders,
    "release": lambda parts: parts.checkout._catalog,
    "send": lambda parts: parts.checkout._notifications,
    "told": lambda parts: parts.orders,
}


def kill(parts, step, side):
    """Have this process die before or after a step."""
    owner = STEPS[step](parts)
    work = getattr(owner, step)

    def die(*args, **options):
        try:
            if side == "after":
                work(*args, **options)
        finally:
            raise Killed

    setattr(owner, step, die)


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("end", ["confirmed", "declined", "failed"])
def test_killed_at_any_step_the_order_comes_right(
    made, guest, purchase, now, right, end, step, side
):
    wanted = {
        "confirmed": purchase(),
        "declined": purchase(payment_method=DECLINED_CARD),
        "failed": purchase(quantity=11),
    }[end]
    dying = made()
    kill(dying, step, side)
    try:
        dying.checkout.buy(guest, "k", wanted, now)
        killed = False
    except Killed:
        killed = True
    reached = {
        "confirmed": STEPS.keys() - {"release"},
        "declined": STEPS.keys(),
        "failed": {"accept", "hold", "end", "send", "told"},
    }[end]
    assert killed == (step in reached)
    right([] if (step, side) == ("accept", "before") else [end])


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("step", ["hold", "confirm", "end", "release", "send", "told"])
def test_a_sweep_that_is_killed_is_followed_by_another(
    made, guest, purchase, now, right, step, side
):
    first, second = made(), made()
    kill(first, "hold", "after")
    with pytest.raises(Killed):
        first.checkout.buy(guest, "k", purchase(payment_method=DECLINED_CARD), now)
    time.sleep(0.3)
    kill(second, step, side)
    with pytest.raises(Killed):
        second.sweep.once(now + dt.timedelta(minutes=1))
    right(["declined"])


# Giving up --------------------------------------------------------------------------


@pytest.fixture
def old(now):
    return now - dt.timedelta(hours=1)


@pytest.mark.parametrize("held", [True, False])
def test_an_order_that_is_too_old_is_given_up_and_its_stock_given_back(
    services, guest, purchase, old, right, held
):
    order = accepted(services, guest, purchase(quantity=2), old)
    if held:
        services.checkout._catalog.hold(order)
    right(["failed"])


def test_who_comes_late_to_an_order_that_was_given_up_holds_and_charges_nothing(
    services, guest, purchase, old, right
):
    order = accepted(services, guest, purchase(quantity=2), old)
    right(["failed"])
    assert services.checkout.finish(order).status is Status.FAILED
    right(["failed"])


def test_who_held_stock_before_it_was_given_up_charges_nothing(
    services, guest, purchase, old, right
):
    order = accepted(services, guest, purchase(quantity=2), old)
    services.checkout._catalog.hold(order)
    right(["failed"])
    with pytest.raises(PaymentsUnavailable):
        services.checkout._payments.charge(order)
    right(["failed"])


def test_an_old_order_that_was_paid_is_confirmed_and_keeps_its_stock(
    services, neighbours, guest, purchase, old, right
):
    order = accepted(services, guest, purchase(), old)
    with (
        neighbours.backends.stripe_faults(
            drop_after=True, operations=["confirm", "retrieve"]
        ),
        pytest.raises(PaymentsUnavailable),
    ):
        services.checkout.finish(order)
    right(["confirmed"])


def test_a_paid_order_is_confirmed_while_the_catalogue_is_away(
    services, neighbours, guest, purchase, now, right
):
    order = accepted(services, guest, purchase(), now)
    with (
        neighbours.backends.stripe_faults(
            drop_after=True, operations=["confirm", "retrieve"]
        ),
        pytest.raises(PaymentsUnavailable),
    ):
        services.checkout.finish(order)
    with neighbours.catalog.away():
        finished = services.checkout.finish(services.orders.find(order.order_id))
    assert finished.status is Status.CONFIRMED
    right(["confirmed"])


def test_without_catalogue_an_old_order_ends_and_its_stock_waits(
    services, neighbours, guest, purchase, now, old, stock, right
):
    order = accepted(services, guest, purchase(quantity=2), old)
    services.checkout._catalog.hold(order)
    with neighbours.catalog.away():
        time.sleep(0.3)
        services.sweep.once(now + dt.timedelta(minutes=1))
        assert services.orders.find(order.order_id).status is Status.FAILED
        assert stock() == 8
    right(["failed"])


def test_without_stripe_the_order_is_kept(
    services, neighbours, guest, purchase, now, stock, right
):
    with (
        neighbours.backends.stripe_faults(refuse=True),
        pytest.raises(Unavailable, match="card processor now. Your order ord_"),
    ):
        services.checkout.buy(guest, "k", purchase(), now)
    assert stock() == 9
    right(["confirmed"])


# Patience ---------------------------------------------------------------------------


def callee(neighbours, **patience):
    known = {"answer": 0.3, "tries": 1, "rest": 0.3}
    return Callee("catalog", neighbours.catalog.url, Patience(**known | patience))


def health(callee, method="GET"):
    return callee.call(method, "/v1/health", headers={})


def test_the_breaker_opens_and_finds_out_when_the_callee_is_back(neighbours):
    asked = callee(neighbours, failures=3)
    line = neighbours.catalog.line
    line.break_next(*["500"] * 4)
    before = len(line.seen)
    for _ in range(8):
        with pytest.raises(Unavailable):
            health(asked)
    assert len(line.seen) == before + 3, "the breaker lets nothing through"
    time.sleep(0.4)
    with pytest.raises(Unavailable):
        health(asked)
    assert len(line.seen) == before + 4, "one call finds that it is still unwell"
    with pytest.raises(Unavailable):
        health(asked)
    assert len(line.seen) == before + 4
    time.sleep(0.4)
    assert [health(asked).status for _ in "123"] == [200] * 3


def test_a_slow_answer_holds_up_nobody_else(neighbours):
    asked = callee(neighbours, answer=20)
    neighbours.catalog.line.break_next("hang")
    seen = len(neighbours.catalog.line.seen)
    slow = threading.Thread(target=health, args=[asked])
    slow.start()
    until(lambda: len(neighbours.catalog.line.seen) > seen, "it has been asked")
    assert health(asked).status == 200
    assert slow.is_alive()
    neighbours.mend()
    slow.join(10)


def test_no_is_an_answer_and_opens_no_breaker(neighbours):
    asked = callee(neighbours, failures=2)
    told = [asked.call("GET", "/v1/products", headers={}).status for _ in range(5)]
    assert told == [401] * 5


@pytest.mark.parametrize(("method", "tries"), [("GET", 3), ("PUT", 3), ("POST", 1)])
def test_only_what_is_harmless_is_tried_again(neighbours, method, tries):
    line = neighbours.catalog.line
    line.break_next(*["500"] * tries)
    before = len(line.seen)
    with pytest.raises(Unavailable):
        health(callee(neighbours, tries=3), method)
    assert len(line.seen) == before + tries


def test_without_resilience_a_call_waits_for_ever_and_asks_once(neighbours):
    line = neighbours.catalog.line
    naive = callee(neighbours, off=True, tries=3, failures=1)
    line.break_next("500", "500")
    before = len(line.seen)
    for _ in "12":
        with pytest.raises(Unavailable):
            health(naive)
    assert len(line.seen) == before + 2, "no second try, and no breaker"
    line.break_next("hang", "hang")
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(health(naive)))
    waiting.start()
    until(lambda: len(line.seen) == before + 3, "it has been asked")
    with pytest.raises(Unavailable):
        health(callee(neighbours))
    assert waiting.is_alive()
    line.mend()
    waiting.join(10)
    assert [answer.status for answer in answers] == [200]


def test_only_with_resilience_is_a_slow_stripe_given_up(
    made, neighbours, guest, purchase, now, right
):
    with neighbours.backends.stripe_faults(latency_ms={"fixed": 1500}):
        with pytest.raises(Unavailable, match="card processor"):
            made().checkout.buy(guest, "k1", purchase(), now)
        naive = made(resilience="off").checkout.buy(guest, "k2", purchase(), now)
    assert naive.status is Status.CONFIRMED
    right(["confirmed"] * 2)


# Over HTTP --------------------------------------------------------------------------


@pytest.fixture
def client(settings):
    app = create_app(settings)
    yield app.test_client()
    app.extensions["checkout"].database.engine.dispose()


@pytest.fixture
def signed_in(guest):
    return {"Authorization": f"Bearer {guest.token}"}


def body(product, now, **fields):
    return {
        "productId": product,
        "deliveryAddress": "5 Main Street",
        "deliveryDate": now.date().isoformat(),
    } | fields


def test_a_purchase_over_http_passes_its_ids_and_its_deadline_along(
    client, neighbours, signed_in, product, now, right
):
    lines = neighbours.catalog.line, neighbours.notifications.line
    for line in lines:
        line.seen.clear()
    ids = {"Idempotency-Key": "k", "X-Request-Id": "from-the-gateway"}
    answer = client.post(
        "/v1/checkout", json=body(product, now), headers=signed_in | ids
    )
    assert answer.status_code == 200
    order_id = answer.json["order"]["orderId"]
    shown = client.get(f"/v1/orders/{order_id}", headers=signed_in).json
    assert shown == answer.json["order"]
    calls = [call for line in lines for call in line.seen]
    assert [method for method, _, _ in calls] == ["GET", "PUT", "PUT"]
    for _, _, headers in calls:
        assert headers["X_REQUEST_ID"] == "from-the-gateway"
        assert headers["X_ORDER_ID"] == order_id
        assert int(headers["X_DEADLINE"]) > time.time() * 1000
    assert len({headers["X_DEADLINE"] for _, _, headers in calls}) == 1
    right(["confirmed"])


def test_a_deadline_that_has_passed_is_not_worked_for(
    client, neighbours, signed_in, product, now
):
    neighbours.catalog.line.seen.clear()
    late = {"Idempotency-Key": "k", "X-Deadline": str(int(time.time() * 1000) - 1)}
    answer = client.post(
        "/v1/checkout", json=body(product, now), headers=signed_in | late
    )
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert neighbours.catalog.line.seen == []


def test_an_order_is_its_guests_own(client, identity, signed_in, product, now):
    headers = signed_in | {"Idempotency-Key": "k"}
    bought = client.post("/v1/checkout", json=body(product, now), headers=headers)
    path = f"/v1/orders/{bought.json['order']['orderId']}"
    other = {"Authorization": f"Bearer {identity.token('other', 'o@example.com')}"}
    assert client.get(path, headers=other).status_code == 404
    assert client.get("/v1/orders", headers=other).json == {"orders": []}
    assert client.get(path).status_code == 401


def test_what_the_catalogue_says_is_told_on(client, signed_in, product, now):
    headers = signed_in | {"Idempotency-Key": "k"}
    wanted = body("unicorn", now)
    answer = client.post("/v1/checkout", json=wanted, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (404, 404)
    assert "do not sell" in answer.json["message"]


def test_an_order_that_is_kept_is_told_with_its_id(
    client, neighbours, signed_in, guest, product, now, right
):
    neighbours.catalog.line.break_next("fine", *["dropped"] * 3)
    headers = signed_in | {"Idempotency-Key": "k"}
    answer = client.post("/v1/checkout", json=body(product, now), headers=headers)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert orders.order_id(guest.guest_id, "k") in answer.json["message"]
    right(["confirmed"])


def test_health_tells_of_its_own_dependencies_only(client, neighbours):
    with neighbours.catalog.away():
        told = client.get("/v1/health").json
    assert told["stage"] == "stage2_split_services"
    assert told["dependencies"] == {"database": "ok", "stripe": "ok"}
