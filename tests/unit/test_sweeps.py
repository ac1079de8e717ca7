"""Sweeps: an order that raises what nobody thought of keeps no other waiting."""

from __future__ import annotations

import datetime as dt
import importlib
from types import SimpleNamespace

import pytest

from tests.chalice_apps import application

NOW = dt.datetime(2026, 11, 23, tzinfo=dt.timezone.utc)


class Rows:
    """Orders, or ends of orders, that are leased one after the other."""

    def __init__(self, *names):
        self.waiting = [SimpleNamespace(order_id=name) for name in names]
        self.ends = [SimpleNamespace(order=order) for order in self.waiting]
        self.done = []

    def lease_abandoned(self, now):
        return self.waiting.pop(0) if self.waiting else None

    def lease_loose_end(self, now):
        return self.ends.pop(0) if self.ends else None

    def send_next(self):
        if not self.waiting:
            return False
        self.work(self.waiting.pop(0))
        return True

    def work(self, order, now=None):
        if order.order_id == "bad":
            raise KeyError("planted")
        self.done.append(order.order_id)
        return True

    def tell_others(self, ended):
        return self.work(ended.order)

    def let_go(self, order_id):
        raise AssertionError("nobody is away")

    # What a sweep knows as its checkout.
    give_up_or_finish = work


@pytest.fixture(params=[1, 2, 3])
def swept(request):
    """Sweep a stage's orders; return the sweep's module too."""
    if request.param == 3:
        with application("checkout", stage=3) as app:
            yield app.part("sweep")
    else:
        package = {1: "concierge", 2: "checkout"}[request.param]
        yield importlib.import_module(f"{package}.sweep")


def test_an_order_that_raises_keeps_no_other_from_being_finished(swept, caplog):
    rows, letters = Rows("bad", "good"), Rows()
    others = [letters] if swept.__name__.startswith("concierge") else []
    assert swept.Sweep(rows, rows, *others).once(NOW) == 2
    assert "good" in rows.done
    assert "bad" in {getattr(record, "order_id", "") for record in caplog.records}


@pytest.mark.parametrize("stage", [2, 3])
def test_an_end_that_raises_keeps_no_other_from_being_told(stage):
    rows = Rows("bad", "good")
    rows.waiting = []
    if stage == 3:
        with application("checkout", stage=3) as app:
            app.part("sweep").Sweep(rows, rows).once(NOW)
    else:
        importlib.import_module("checkout.sweep").Sweep(rows, rows).once(NOW)
    assert rows.done == ["good"]


def test_a_letter_that_raises_keeps_no_other_from_being_sent():
    for package, sweep in (
        ("concierge", lambda kind, letters: kind(Rows(), Rows(), letters).once(NOW)),
        ("notifications", lambda kind, letters: kind(letters).once()),
    ):
        letters = Rows("bad", "good")
        sweep(importlib.import_module(f"{package}.sweep").Sweep, letters)
        assert letters.done == ["good"], package
