"""The monolith's storage against real PostgreSQL."""

import datetime as dt
import threading
import uuid

import msgspec
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from concierge import catalog, orders, partner, rate_limits, wire
from concierge.database import Database, metadata, products, rate_counters
from concierge.errors import (
    Conflict,
    Forbidden,
    NotFound,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    Unprocessable,
)
from concierge.setup import prepare


def credentials(password="correct horse battery", email=None):
    return wire.Credentials(
        email=email or f"{uuid.uuid4().hex}@example.com", password=password
    )


@pytest.fixture
def guest_id(services, now):
    account = credentials()
    services.identity.sign_up(account, now)
    return services.identity.guest(services.identity.log_in(account, now).token, now)


@pytest.fixture
def product(services):
    """A product of the test's own, ten in stock."""
    product_id = f"thing-{uuid.uuid4().hex[:12]}"
    with services.database.transaction() as tx:
        roses = sa.select(products).where(products.c.product_id == "roses-red-dozen")
        row = tx.execute(roses).one()._mapping
        values = dict(row) | {"product_id": product_id, "stock": 10}
        tx.execute(sa.insert(products).values(values))
    return services.catalog.product(product_id)


def order_of(guest_id, product, now, **fields):
    purchase = wire.CheckoutRequest(
        product_id=product.product_id,
        delivery_address="5 Main Street",
        delivery_date=now.date(),
        **fields,
    )
    return orders.start(guest_id, uuid.uuid4().hex, purchase, product, now)


def stock(services, product):
    return services.catalog.product(product.product_id).stock


def test_the_migrations_make_the_tables_that_the_code_names(services):
    with services.database.transaction() as tx:
        assert compare_metadata(MigrationContext.configure(tx), metadata) == []


def test_preparing_again_keeps_the_stock_and_renews_the_price(services, settings):
    changed = sa.update(products).where(products.c.product_id == "roses-white")
    with services.database.transaction() as tx:
        tx.execute(changed.values(stock=7, unit_amount=1))
    prepare(settings)
    found = services.catalog.product("roses-white")
    assert found.stock == 7
    assert found.unit_amount > 1


def test_a_database_that_is_away_is_unavailable_and_not_a_crash():
    away = Database("postgresql+psycopg://postgres@127.0.0.1:9/none")
    assert not away.reachable()
    with pytest.raises(Unavailable, match="try again"), away.transaction():
        pass


def test_an_error_does_not_carry_what_was_to_be_written_into_the_log(services):
    wrong = sa.text("INSERT INTO nowhere VALUES (:password_hash)")
    with (
        pytest.raises(sa.exc.ProgrammingError) as failed,
        services.database.statement() as tx,
    ):
        tx.execute(wrong, {"password_hash": "hash-of-ada"})
    assert "hash-of-ada" not in str(failed.value)


def test_a_token_is_good_until_it_ends(services, now):
    account = credentials()
    services.identity.sign_up(account, now)
    session = services.identity.log_in(account, now)
    assert services.identity.guest(session.token, now)
    with pytest.raises(Unauthorized):
        services.identity.guest(session.token, session.expires_at)


def test_a_token_is_worth_nothing_after_logging_out(services, now):
    account = credentials()
    services.identity.sign_up(account, now)
    one, other = (services.identity.log_in(account, now) for _ in range(2))
    services.identity.log_out(one.token)
    with pytest.raises(Unauthorized):
        services.identity.guest(one.token, now)
    assert services.identity.guest(other.token, now)


def test_an_address_is_taken_in_capitals_too(services, now):
    account = credentials()
    services.identity.sign_up(account, now)
    shouted = wire.Credentials(email=account.email.upper(), password=account.password)
    with pytest.raises(Conflict, match="Sign in instead"):
        services.identity.sign_up(shouted, now)
    assert services.identity.log_in(shouted, now)


def test_wrong_passwords_are_refused_alike_and_then_slowed_down(services, now):
    account = credentials()
    services.identity.sign_up(account, now)
    words = set()
    for email in [account.email, "nobody@example.com"]:
        with pytest.raises(Unauthorized) as refused:
            services.identity.log_in(credentials("another one", email), now)
        words.add(str(refused.value))
    assert len(words) == 1
    with services.database.transaction() as tx:
        for _ in range(20):
            rate_limits.count(tx, f"log-in:{account.email}", now)
    with pytest.raises(TooManyRequests) as slowed:
        services.identity.log_in(account, now)
    assert 1 <= slowed.value.retry_after <= 60


def test_calls_are_counted_by_the_minute(services):
    name, noon = uuid.uuid4().hex, dt.datetime(2026, 11, 23, 12, tzinfo=dt.timezone.utc)
    with services.database.transaction() as tx:
        assert [rate_limits.count(tx, name, noon) for _ in range(3)] == [1, 2, 3]
        assert rate_limits.counted(tx, name, noon) == 3
        assert rate_limits.count(tx, name, noon + dt.timedelta(minutes=1)) == 1


def test_counters_of_the_past_do_not_pile_up(services):
    guessed, then = uuid.uuid4().hex, dt.datetime(2026, 11, 23, tzinfo=dt.timezone.utc)
    ours = rate_counters.c.name.startswith(guessed)
    left = sa.select(sa.func.count()).select_from(rate_counters).where(ours)
    with services.database.transaction() as tx:
        for number in range(7):
            rate_limits.count(tx, f"{guessed}-{number}", then)
        assert tx.execute(left).scalar_one() == 7
        later = then + dt.timedelta(minutes=2)
        assert rate_limits.count(tx, f"{guessed}-anew", later) == 1
        assert tx.execute(left).scalar_one() == 1


def test_a_partner_is_let_in_by_its_newest_key_only(services, now):
    name, old, new = (uuid.uuid4().hex for _ in range(3))
    with services.database.transaction() as tx:
        partner.enrol(tx, name, old, 1)
        partner.enrol(tx, name, new, 1)
    services.partners.admit(new, now)
    with pytest.raises(TooManyRequests):
        services.partners.admit(new, now)
    for key in (old, None, ""):
        with pytest.raises(Forbidden, match="X-Api-Key"):
            services.partners.admit(key, now)


def test_a_key_that_is_no_longer_set_opens_nothing(services, settings, now):
    key = uuid.uuid4().hex
    prepare(msgspec.structs.replace(settings, partner_api_key=key))
    services.partners.admit(key, now)
    prepare(settings)
    with pytest.raises(Forbidden):
        services.partners.admit(key, now)


def test_pages_of_products_hold_each_once_and_in_order(services):
    seen, cursor = [], {}
    while True:
        page = services.catalog.page(wire.ProductQuery(limit=7, **cursor))
        seen += [product.product_id for product in page.products]
        if not isinstance(page.next_cursor, str):
            break
        cursor = {"cursor": page.next_cursor}
    assert seen == sorted(set(seen))
    assert len(seen) >= 40


@pytest.mark.parametrize(
    "text", ["rose", "ROSE red", "%", "_", "\\", "\0", "(", "a" * 200, "ros\0es"]
)
def test_any_text_can_be_searched_for(services, text):
    for found in services.catalog.page(wire.ProductQuery(text=text)).products:
        known = f"{found.name} {found.description} {found.category}".lower()
        assert "ros" in known or not text.isalpha()


def test_filters_hold_together(services):
    query = wire.ProductQuery(category="flowers", min_amount=3000, max_amount=4500)
    found = services.catalog.page(query).products
    assert found
    assert all(p.category == "flowers" for p in found)
    assert all(3000 <= p.unit_amount <= 4500 for p in found)


def test_accepting_takes_from_the_stock_once(services, guest_id, product, now):
    order = order_of(guest_id, product, now, quantity=4)
    assert services.orders.accept(order) == order
    assert services.orders.accept(order) is None
    assert stock(services, product) == 6


def test_an_order_for_more_than_there_is_fails_at_once(
    services, guest_id, product, now
):
    failed = services.orders.accept(order_of(guest_id, product, now, quantity=11))
    assert failed.status is orders.Status.FAILED
    assert failed.message == orders.SOLD_OUT
    assert stock(services, product) == 10


def test_many_at_once_never_oversell(services, guest_id, product, now):
    ready = threading.Barrier(8)
    results = []

    def buyer():
        ready.wait()
        for _ in range(5):
            results.append(services.orders.accept(order_of(guest_id, product, now)))

    buyers = [threading.Thread(target=buyer) for _ in range(8)]
    for thread in buyers:
        thread.start()
    for thread in buyers:
        thread.join()
    pending = [order for order in results if order.status is orders.Status.PENDING]
    assert (len(results), len(pending), stock(services, product)) == (40, 10, 0)


@pytest.mark.parametrize("status", ["declined", "failed"])
def test_an_order_that_ends_unpaid_gives_back_its_stock_once(
    services, guest_id, product, now, status
):
    order = services.orders.accept(order_of(guest_id, product, now, quantity=3))
    assert services.orders.end(order, orders.Status(status), "No.")
    assert services.orders.end(order, orders.Status(status), "No.") is None
    assert services.orders.end(order, orders.Status.CONFIRMED, "Yes.") is None
    assert stock(services, product) == 10


def test_an_order_that_changed_since_it_was_read_is_not_ended(
    services, guest_id, product, now
):
    order = services.orders.accept(order_of(guest_id, product, now))
    assert services.orders.remember_intent(order.order_id, "pi_1") == "pi_1"
    assert services.orders.end(order, orders.Status.FAILED, orders.GIVEN_UP) is None
    assert services.orders.find(order.order_id).status is orders.Status.PENDING


def test_the_first_intent_that_is_remembered_stays(services, guest_id, product, now):
    order = services.orders.accept(order_of(guest_id, product, now))
    assert services.orders.remember_intent(order.order_id, "pi_1") == "pi_1"
    assert services.orders.remember_intent(order.order_id, "pi_2") == "pi_1"
    current = services.orders.find(order.order_id)
    services.orders.end(current, orders.Status.CONFIRMED, orders.CONFIRMED)
    assert services.orders.remember_intent(order.order_id, "pi_3") is None


def test_an_attempt_is_raised_once_however_many_saw_it_fail(
    services, guest_id, product, now
):
    order = services.orders.accept(order_of(guest_id, product, now))
    for _ in range(3):
        services.orders.raise_attempt(order.order_id, 1)
    assert services.orders.find(order.order_id).payment_attempt == 2


def test_an_order_is_leased_to_one_until_it_is_let_go(services, guest_id, product, now):
    order = services.orders.accept(order_of(guest_id, product, now))
    assert services.orders.lease(order.order_id) is None
    services.orders.let_go(order.order_id)
    assert services.orders.lease(order.order_id) == order
    assert services.orders.lease(order.order_id) is None


def test_another_guests_order_is_as_if_it_were_not_there(
    services, guest_id, product, now
):
    order = services.orders.accept(order_of(guest_id, product, now))
    words = set()
    for order_id in (order.order_id, "ord_" + 24 * "0"):
        with pytest.raises(NotFound) as missing:
            services.orders.of_guest("guest_other", order_id)
        words.add(str(missing.value))
    assert len(words) == 1


def test_pages_of_orders_hold_each_once_newest_first(services, guest_id, product, now):
    made = [
        services.orders.accept(
            order_of(guest_id, product, now + dt.timedelta(microseconds=n // 2))
        ).order_id
        for n in range(7)
    ]
    seen, query = [], wire.OrderQuery(limit=2)
    while True:
        page = services.orders.page(guest_id, query)
        seen += page.orders
        if not isinstance(page.next_cursor, str):
            break
        query = wire.OrderQuery(limit=2, cursor=page.next_cursor)
    assert sorted(order.order_id for order in seen) == sorted(made)
    times = [order.created_at for order in seen]
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize("cursor", ["x", "9" * 200, "-", "ord_0-1"])
def test_a_cursor_that_is_none_is_refused(services, guest_id, cursor):
    with pytest.raises(Unprocessable, match="Start without one"):
        services.orders.page(guest_id, wire.OrderQuery(cursor=cursor))


def test_stock_is_never_negative_even_by_mistake(services, product):
    with pytest.raises(sa.exc.IntegrityError), services.database.transaction() as tx:
        catalog.give_back(tx, product.product_id, -11)


def reserve_and_fail(connection, product):
    with connection as tx:
        assert catalog.reserve(tx, product.product_id, 4)
        raise RuntimeError("afterwards")


def test_an_error_in_a_transaction_undoes_all_of_it(services, product):
    assert stock(services, product) == 10  # the connection served a lone statement
    with pytest.raises(RuntimeError):
        reserve_and_fail(services.database.transaction(), product)
    assert stock(services, product) == 10


def test_a_statement_alone_is_kept_whatever_comes_after_it(services, product):
    with pytest.raises(RuntimeError):
        reserve_and_fail(services.database.statement(), product)
    assert stock(services, product) == 6
