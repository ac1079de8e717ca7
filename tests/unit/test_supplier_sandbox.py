"""The suppliers' stand-in: bookings by reference, each step as often as one likes."""

from __future__ import annotations

import threading

import pytest
import requests

from sandbox.supplier.bookings import Bookings
from sandbox.supplier.server import Server
from tests.chalice_apps import application

WISH = {"item": "table-rooftop", "quantity": 2, "date": "2099-01-01"}


@pytest.fixture
def url(tmp_path):
    server = Server(0, Bookings(tmp_path / "bookings.sqlite"))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def ask(method, url, **options):
    return requests.request(method, url, timeout=10, **options)


def faults(url, **wrong):
    assert ask("PUT", f"{url}/_sandbox/faults", json=wrong).ok


def test_a_booking_is_held_confirmed_and_let_go_however_often(url):
    booking = f"{url}/bookings/ord_1"
    for _ in range(2):
        assert ask("PUT", booking, json=WISH).json() == {"state": "held"}
    for _ in range(2):
        answer = ask("PUT", f"{booking}/confirmation")
        assert answer.json() == {"state": "confirmed"}
    assert ask("PUT", booking, json=WISH).json() == {"state": "confirmed"}
    for _ in range(2):
        assert ask("DELETE", booking).ok
    assert ask("PUT", booking, json=WISH).json() == {"state": "released"}
    assert ask("PUT", f"{booking}/confirmation").status_code == 409
    (known,) = ask("GET", f"{url}/_sandbox/bookings").json()["bookings"]
    assert known == WISH | {"reference": "ord_1", "state": "released"}


def test_who_let_go_first_gets_nothing_later(url):
    assert ask("DELETE", f"{url}/bookings/ord_1").ok
    answer = ask("PUT", f"{url}/bookings/ord_1", json=WISH)
    assert answer.json() == {"state": "released"}


def test_what_is_full_stays_refused(url):
    faults(url, full=["table-rooftop"])
    answer = ask("PUT", f"{url}/bookings/ord_1", json=WISH)
    assert answer.json() == {"state": "refused"}
    ask("DELETE", f"{url}/_sandbox/faults")
    answer = ask("PUT", f"{url}/bookings/ord_1", json=WISH)
    assert answer.json() == {"state": "refused"}


def test_what_is_held_too_long_lapses(url):
    ask("PUT", f"{url}/bookings/ord_1", json=WISH)
    faults(url, hold_seconds=-1)
    answer = ask("PUT", f"{url}/bookings/ord_1/confirmation")
    assert (answer.status_code, answer.json()) == (409, {"state": "lapsed"})


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "/bookings/ord_1", {"item": 1}, 400),
        ("PUT", "/bookings/ord_1/confirmation", None, 409),
        ("GET", "/bookings/ord_1", None, 404),
        ("PUT", "/_sandbox/faults", {"loud": True}, 400),
        ("GET", "/_sandbox/nothing", None, 404),
    ],
)
def test_what_makes_no_sense_is_told_so(url, method, path, body, status):
    assert ask(method, url + path, json=body).status_code == status


def test_payments_asks_it_and_knows_when_it_is_away(url):
    with application("payments", stage=4) as app:
        order = app.part("charge_order").read(message()).order
        errors = app.part("errors")
        supplier = app.part("supplier").Supplier(url)
        assert supplier.hold(order)
        assert supplier.confirm(order.order_id)
        supplier.release(order.order_id)
        assert not supplier.hold(order)
        assert not supplier.confirm(order.order_id)
        faults(url, refuse=True)
        with pytest.raises(errors.Unavailable):
            supplier.hold(order)
        known = ask("GET", f"{url}/_sandbox/faults").json()
        assert known["settings"]["refuse"] is True
        assert known["injected"] == {"refuse": 1}
        nobody = app.part("supplier").Supplier(None)
        assert nobody.hold(order)
        assert nobody.confirm(order.order_id)


def message():
    from tests.unit.test_stage4_payments import asked

    return asked()
