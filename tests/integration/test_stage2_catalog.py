"""The catalogue alone: products, and stock reserved under an order's id."""

import secrets
import threading
import time

import msgspec
import pytest
import requests
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from catalog import callers, internal
from catalog.app import create_app
from catalog.config import Settings
from catalog.database import metadata, products, reservations
from catalog.errors import Unprocessable
from catalog.products import load_products
from catalog.services import assemble
from catalog.setup import prepare
from shop import CHECKOUT_KEY, NLU_KEY, Served


@pytest.fixture(scope="module")
def settings(backends, identity):
    return Settings(
        catalog_database_url=backends.database("catalog"),
        identity_url=identity.url,
        redis_url=f"redis://127.0.0.1:{backends.nobody_port}",
        checkout_service_key=CHECKOUT_KEY,
        nlu_service_key=NLU_KEY,
    )


@pytest.fixture(scope="module")
def services(settings):
    prepare(settings)
    parts = assemble(settings)
    yield parts
    parts.database.engine.dispose()


@pytest.fixture(scope="module")
def served(services, settings):
    served = Served(create_app(settings))
    yield served
    served.stop()


@pytest.fixture
def product(services):
    """A product of the test's own, ten in stock."""
    product_id = f"thing-{secrets.token_hex(6)}"
    with services.database.transaction() as tx:
        roses = sa.select(products).where(products.c.product_id == "roses-red-dozen")
        row = tx.execute(roses).one()._mapping
        values = dict(row) | {"product_id": product_id, "stock": 10}
        tx.execute(sa.insert(products).values(values))
    return product_id


@pytest.fixture
def stock(services, product):
    return lambda: services.catalog.product(product).stock


@pytest.fixture
def reserved(services, product):
    """Reserve some of the product and return the answer's state."""

    def reserve(order_id, quantity=1):
        wanted = internal.ReservationRequest(product_id=product, quantity=quantity)
        return services.reservations.hold(order_id, wanted).state

    return reserve


def an_order():
    return f"ord_{secrets.token_hex(12)}"


def at_once(work, count):
    """Do something in many threads at once and return what they returned."""
    ready, results = threading.Barrier(count), []

    def run(number):
        ready.wait()
        results.append(work(number))

    threads = [threading.Thread(target=run, args=[n]) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == count
    return results


def test_the_migrations_make_the_tables_that_the_code_names(services):
    with services.database.transaction() as tx:
        assert compare_metadata(MigrationContext.configure(tx), metadata) == []


def test_preparing_again_keeps_the_stock(services, settings, product, stock, reserved):
    reserved(an_order(), 4)
    prepare(settings)
    assert stock() == 6


def test_reserving_again_takes_nothing_more(stock, reserved):
    order_id = an_order()
    assert [reserved(order_id, 3) for _ in "123"] == ["held"] * 3
    assert stock() == 7


def test_a_refusal_stays_one_even_when_there_is_enough_again(services, stock, reserved):
    first, second = an_order(), an_order()
    assert reserved(first, 8) == "held"
    assert reserved(second, 3) == "refused"
    services.reservations.release(first)
    assert reserved(second, 3) == "refused"
    services.reservations.release(second)
    assert stock() == 10


def test_releasing_gives_back_once(services, stock, reserved):
    order_id = an_order()
    reserved(order_id, 3)
    for _ in "123":
        services.reservations.release(order_id)
    assert stock() == 10
    assert reserved(order_id, 3) == "refused"
    assert stock() == 10


def test_a_reservation_that_comes_after_its_release_holds_nothing(
    services, stock, reserved
):
    order_id = an_order()
    services.reservations.release(order_id)
    assert reserved(order_id) == "refused"
    assert stock() == 10


def test_an_order_cannot_reserve_two_things(reserved):
    order_id = an_order()
    reserved(order_id, 1)
    with pytest.raises(Unprocessable, match="another product or quantity"):
        reserved(order_id, 2)


def test_nothing_is_held_of_what_we_do_not_sell(services):
    wanted = internal.ReservationRequest(product_id="unicorn", quantity=1)
    assert services.reservations.hold(an_order(), wanted).state == "refused"


def test_many_buyers_never_get_more_than_there_is(stock, reserved):
    states = at_once(lambda _: reserved(an_order()), 25)
    assert states.count("held") == 10
    assert stock() == 0


def test_one_order_reserved_by_many_at_once_is_held_once(stock, reserved):
    order_id = an_order()
    assert at_once(lambda _: reserved(order_id, 2), 12) == ["held"] * 12
    assert stock() == 8


def test_reserving_and_releasing_at_once_leaves_nothing_held(services, stock, reserved):
    for _ in range(10):
        order_id = an_order()

        def race(number, order_id=order_id):
            if number % 2:
                services.reservations.release(order_id)
            else:
                reserved(order_id, 2)

        at_once(race, 6)
        assert stock() == 10


def test_each_state_of_the_stock_is_accounted_for(services, product, stock, reserved):
    at_once(lambda n: reserved(an_order(), 1 + n % 3), 12)
    held = sa.select(sa.func.sum(reservations.c.quantity)).where(
        reservations.c.product_id == product, reservations.c.state == "held"
    )
    with services.database.statement() as tx:
        assert stock() + tx.execute(held).scalar_one() == 10


def as_service(key=CHECKOUT_KEY, caller="checkout"):
    return {callers.HEADER: callers.sign(caller, "catalog", key)}


@pytest.fixture
def ask(served):
    """Call the service over HTTP."""

    def call(method, path, **options):
        return requests.request(method, served.url + path, timeout=10, **options)

    return call


def test_a_guest_reads_products(ask, identity):
    token = {"Authorization": f"Bearer {identity.token('g', 'g@example.com')}"}
    page = ask("GET", "/v1/products?category=flowers&limit=2", headers=token).json()
    assert len(page["products"]) == 2
    one = ask("GET", f"/v1/products/{page['nextCursor']}", headers=token)
    assert one.json() == page["products"][-1]


@pytest.mark.parametrize("path", ["/v1/products", "/v1/products/candy-jar"])
def test_products_are_for_guests(ask, path):
    assert ask("GET", path).status_code == 401
    assert ask("GET", path, headers=as_service()).status_code == 401


def test_the_dialogue_reads_every_product_as_the_file_has_it(ask):
    answer = ask("GET", "/v1/internal/products", headers=as_service(NLU_KEY, "nlu"))
    told = {product.pop("productId"): product for product in answer.json()["products"]}
    for product in load_products():
        assert told[product.product_id]["keywords"] == list(product.keywords)
        assert told[product.product_id]["occasions"] == list(product.occasions)
        assert told[product.product_id]["serves"] == product.serves
        assert told[product.product_id]["pack"] == product.pack


def test_checkout_reads_one_product(ask, product):
    path = "/v1/internal/products"
    one = ask("GET", f"{path}?productId={product}", headers=as_service()).json()
    assert [found["productId"] for found in one["products"]] == [product]
    none = ask("GET", f"{path}?productId=no-such-thing", headers=as_service())
    assert none.json() == {"products": []}
    bad = ask("GET", f"{path}?productId=NO;SUCH", headers=as_service())
    assert bad.status_code == 400


def test_a_reservation_over_http(ask, product, stock):
    order_id = an_order()
    path = f"/v1/internal/reservations/{order_id}"
    wanted = {"productId": product, "quantity": 2}
    answer = ask("PUT", path, json=wanted, headers=as_service())
    assert answer.json() == {"orderId": order_id, "state": "held"}
    assert stock() == 8
    assert ask("DELETE", path, headers=as_service()).status_code == 204
    assert ask("DELETE", path, headers=as_service()).status_code == 204
    assert stock() == 10


def test_nothing_is_held_or_given_back_for_who_waits_no_more(ask, product, stock):
    path = f"/v1/internal/reservations/{an_order()}"
    wanted = {"productId": product, "quantity": 2}
    late = {"X-Deadline": str(int(time.time() * 1000) - 1)}
    refused = ask("PUT", path, json=wanted, headers=as_service() | late)
    assert refused.status_code == refused.json()["code"] == 503
    assert int(refused.headers["Retry-After"]) >= 1
    assert stock() == 10
    soon = {"X-Deadline": str(int(time.time() * 1000) + 60_000)}
    assert ask("PUT", path, json=wanted, headers=as_service() | soon).ok
    assert ask("DELETE", path, headers=as_service() | late).status_code == 503
    assert stock() == 8


@pytest.mark.parametrize(
    # Signed when the test runs: a service's token lives for seconds only.
    ("sign", "status"),
    [
        (dict, 401),
        (lambda: {callers.HEADER: "garbage"}, 401),
        (lambda: as_service("x" * 32), 401),
        (lambda: as_service(CHECKOUT_KEY, "stranger"), 401),
        (
            lambda: {
                callers.HEADER: callers.sign("checkout", "identity", CHECKOUT_KEY)
            },
            401,
        ),
        (lambda: as_service(NLU_KEY, "nlu"), 403),
    ],
)
def test_only_checkout_reserves(ask, product, stock, sign, status):
    path = f"/v1/internal/reservations/{an_order()}"
    wanted = {"productId": product, "quantity": 2}
    assert ask("PUT", path, json=wanted, headers=sign()).status_code == status
    assert ask("DELETE", path, headers=sign()).status_code == status
    assert stock() == 10


@pytest.mark.parametrize(
    ("order_id", "wanted", "status"),
    [
        ("ord_1", {"productId": "candy-jar", "quantity": 1}, 404),
        (an_order(), {"productId": "candy-jar", "quantity": 0}, 400),
        (an_order(), {"productId": "candy-jar"}, 400),
        (an_order(), {"productId": "candy-jar", "quantity": 1, "price": 1}, 400),
    ],
)
def test_a_reservation_that_makes_no_sense_is_refused(ask, order_id, wanted, status):
    path = f"/v1/internal/reservations/{order_id}"
    answer = ask("PUT", path, json=wanted, headers=as_service())
    assert answer.status_code == answer.json()["code"] == status


def test_health_tells_of_the_database(ask, settings):
    assert ask("GET", "/v1/health").json()["dependencies"] == {"database": "ok"}
    nowhere = "postgresql+psycopg://postgres@127.0.0.1:9/none"
    away = create_app(msgspec.structs.replace(settings, catalog_database_url=nowhere))
    assert away.test_client().get("/v1/health").json["status"] == "degraded"
