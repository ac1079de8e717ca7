"""Exact percentiles, also of what several processes have counted."""

import pytest

from load_tests import latencies
from load_tests.journeys.tails import Tails, table
from load_tests.latencies import Latencies


def test_percentiles_are_exact_to_three_digits():
    found = latencies.of([each / 1000 for each in range(1, 1001)])
    assert len(found) == 1000
    for percent in (50, 95, 99, 99.9, 100):
        assert found.percentile(percent) == pytest.approx(percent / 100, rel=1e-3)


def test_what_takes_forever_counts_as_an_hour():
    assert latencies.of([1e6]).longest == pytest.approx(3600, rel=1e-3)


def test_nothing_has_no_percentile():
    with pytest.raises(ValueError, match="measure for longer"):
        Latencies().percentile(50)


def test_workers_are_added_up():
    master, workers = Tails(), (Tails(), Tails())
    for number, worker in enumerate(workers, start=1):
        worker.record("GET /orders", number / 10, failed=number == 2)
        master.add(worker.taken())
        assert worker.taken() == {}
    (row,) = master.rows()
    assert (row.name, row.requests, row.failures) == ("GET /orders", 2, 1)
    assert row.seconds[0] == pytest.approx(0.1, rel=1e-3)
    assert row.seconds[-1] == pytest.approx(0.2, rel=1e-3)
    assert "GET /orders" in table([row], seconds=4).splitlines()[1]
