"""The limits: closed forms against simulations, and settings against the stages.

Simulations have seeds and their own clock: nothing here depends on this machine.
"""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from load_tests.costs import figures, servers
from load_tests.costs.prices import prices
from load_tests.costs.stages import STAGES
from load_tests.costs.usage import Usage
from load_tests.limits import settings, simulation
from load_tests.limits.function_limits import duration
from load_tests.limits.queueing import (
    Pollers,
    drain_seconds,
    refused,
    throttled,
    worker_throughput,
)
from load_tests.limits.resource import at_peak
from load_tests.limits.resources import resources
from load_tests.limits.server_limits import held_connections
from load_tests.limits.spike import pollers, spike

WITHIN = 0.05
MANY = Usage(Decimal(100_000), peak=Decimal(50))


def close(predicted):
    return pytest.approx(predicted, rel=WITHIN)


def found(stage, usage, name):
    return next(each for each in resources(stage, usage) if name in each.name)


# Closed forms against simulations


@pytest.mark.parametrize(
    ("cpu", "wait"),
    [
        (0.0144, 0.310),  # a checkout: Stripe is waited for
        (0.0053, 0.0015),  # a message: the lock is waited for
        (0.0062, 0.010),  # a mix
        (0.020, 0.140),  # threads and lock are just enough for each other
    ],
)
def test_what_a_worker_finishes(cpu, wait):
    simulated = simulation.busy_worker(8, cpu, wait, seconds=600, seed=1)
    assert simulated == close(worker_throughput(8, cpu, wait))


def test_stage_1_finishes_what_comes_until_it_breaks_where_the_model_says():
    together = found(1, MANY, "both together")
    threads = found(1, MANY, "threads")
    workers = int(threads.there) // settings.threads()
    cpu = found(1, MANY, "monolith, 2 x t3.micro: processors").asked / together.asked
    wait = threads.asked / together.asked - cpu

    def served(share):
        rate = together.there * share
        run = simulation.serving(rate, workers, 8, cpu, wait, seconds=60, seed=2)
        return run / together.there

    assert served(0.8) == close(0.8)
    assert served(1.3) == close(1)


@pytest.mark.parametrize(("rate", "each", "many"), [(600, 0.2, 100), (400, 0.3, 100)])
def test_what_lambda_refuses_beyond_its_concurrency(rate, each, many):
    run = simulation.places(rate, each, many, seconds=200, seed=3)
    assert run.share_refused == close(refused(rate * each, many))


@pytest.mark.parametrize(
    ("rate", "limit", "burst"), [(104, 25, 25), (750, 500, 1000), (600, 500, 50)]
)
def test_what_a_token_bucket_refuses(rate, limit, burst):
    run = simulation.bucket(rate, limit, burst, seconds=60, seed=4)
    assert run.share_refused == close(throttled(rate, 60, limit, burst))


@pytest.mark.parametrize(
    ("backlog", "rate", "each", "growing"),
    [
        (2000, 5, 0.45, Pollers(8, 300, 8)),  # as many as Stripe can take
        (3000, 4, 0.45, Pollers(5, 300, 1250)),  # empty while they still grow
        (3000, 30, 0.45, Pollers(5, 300, 50)),  # grown after nine seconds
        (1500, 40, 0.45, Pollers(5, 300, 60)),  # at first more come than go
    ],
)
def test_when_a_queue_is_empty(backlog, rate, each, growing):
    simulated = simulation.drained(backlog, rate, each, growing, seed=5)
    assert simulated == close(drain_seconds(backlog, rate, each, growing))


def test_stage_3_refuses_first_where_the_model_says():
    ours = found(3, MANY, "our own limit")
    usage = replace(MANY, users=Decimal(int(ours.breaks_at(100_000) * 1.25)))
    rates = dict(at_peak(usage))
    guests = found(3, usage, "our own limit").asked
    del rates["sign_in"]  # Cognito's
    rates["preflight"] = guests - sum(rates.values())
    lasting = dict.fromkeys(rates, 0.0)
    for call in figures.functions(3).calls:
        if call.operation:
            lasting[call.operation] += float(call.times) * duration(call)
    doors = simulation.Doors(settings.api_rate(3), 50, 1000, 25)
    run = simulation.passing(rates, lasting, doors, seconds=60, seed=6)
    assert run.at_api.share_refused == close(throttled(625, 60, 500, 50))
    assert run.at_lambda.refused == run.at_stripe.refused == 0


def test_postgresql_refuses_first_where_the_model_says():
    each, work = found(2, MANY, "PostgreSQL's connections"), figures.services()
    last = int(each.breaks_at(float(MANY.users)))

    def played(users):
        usage = replace(MANY, users=Decimal(users))
        chosen = servers.fleets(usage, work, prices())
        pools = [
            settings.pooled(service)
            for service, fleet in chosen.items()
            for _ in range(int(fleet.vcpus))
        ]
        return simulation.filled(pools, 225, seed=8), held_connections(usage, work)

    run, held = played(last - 1)
    assert (run.refused, run.finished) == (0, held)
    run, held = played(last)
    assert run.refused > 0
    assert run.share_refused == close((held - 225) / held)


def test_lambda_is_as_busy_as_littles_law_says():
    rates = dict(at_peak(MANY))
    lasting = dict.fromkeys(rates, 0.0)
    for call in figures.functions(3).calls:
        if call.operation:
            lasting[call.operation] += float(call.times) * duration(call)
    doors = simulation.Doors(10_000, 10_000, 1000, 25)
    run = simulation.passing(rates, lasting, doors, seconds=120, seed=7)
    assert run.busy == close(found(3, MANY, "concurrent calls").asked)


# What is known without a simulation


def test_eight_threads_and_a_stripe_of_300_ms_finish_26_checkouts_a_second():
    assert worker_throughput(8, 0, 0.3) == pytest.approx(26.7, abs=0.05)
    assert worker_throughput(8, 0.01, 0) == 100
    assert worker_throughput(8, 0, 0) == math.inf


def test_stripe_rejects_three_quarters_of_the_published_spike():
    assert throttled(104, 1e6, 25, 25) == pytest.approx(0.76, abs=0.005)


def test_pollers_take_four_minutes_to_grow():
    assert pollers().ramp_seconds / 60 == pytest.approx(4.15)
    assert pollers().at(0) == 5
    assert pollers().at(60) == 305
    assert pollers().at(10**6) == 1250


def test_a_queue_that_is_filled_faster_than_emptied_never_ends():
    assert drain_seconds(10, 20, 1, Pollers(5, 0, 5)) == math.inf
    assert drain_seconds(0, 1, 1, Pollers(5, 0, 5)) == 0


@given(st.integers(1, 64), st.floats(1e-4, 1), st.floats(1e-4, 10))
def test_a_worker_is_bound_by_its_threads_and_by_its_processor(threads, cpu, wait):
    most = worker_throughput(threads, cpu, wait)
    assert most <= 1 / cpu * (1 + 1e-9)
    assert most <= threads / (cpu + wait) * (1 + 1e-9)
    assert most >= 1 / (cpu + wait) * (1 - 1e-9)
    assert most <= worker_throughput(threads + 1, cpu, wait) * (1 + 1e-9)


@given(st.floats(0.01, 500), st.integers(1, 300))
def test_more_places_refuse_less(offered, places):
    assert 0 <= refused(offered, places + 1) <= refused(offered, places) <= 1


@given(
    st.floats(0, 1e5),
    st.floats(0, 4),
    st.floats(0, 1e4),
    st.floats(0, 1000),
    st.floats(6, 1250),
)
def test_a_longer_queue_is_empty_later(backlog, rate, more, a_minute, most):
    growing = Pollers(5, 60 + a_minute, most)
    shorter = drain_seconds(backlog, rate, 1, growing)
    assert 0 <= shorter <= drain_seconds(backlog + more, rate, 1, growing) + 1e-6


# The model over users


@pytest.mark.parametrize("stage", [3, 4])  # of 1 and 2 the instances grow, too
def test_what_breaks_does_so_exactly_there(stage):
    few = replace(MANY, users=Decimal(1000))
    for each in resources(stage, few):
        at = each.breaks_at(1000)
        if math.isfinite(at):
            there = replace(few, users=Decimal(at))
            assert found(stage, there, each.name).used == pytest.approx(1)


def test_the_pools_of_all_services_share_one_database():
    pools = {service: settings.pooled(service) for service in ("checkout", "nlu")}
    assert pools == {"checkout": 12, "nlu": 0}
    each = found(2, MANY, "PostgreSQL's connections")
    # Four services with a pool, two instances of two workers each.
    assert f"({4 * 4 * 12} held of 225)" in each.name
    work, last = figures.services(), int(each.breaks_at(float(MANY.users)))
    held = [
        held_connections(replace(MANY, users=Decimal(users)), work)
        for users in (last - 1, last)
    ]
    assert held[0] <= 225 < held[1]


def test_stage_4_needs_stripe_for_the_mean_only():
    payments = found(4, MANY, "payments:")
    checkouts = found(3, MANY, "Stripe, an endpoint")
    assert payments.asked * 50 == pytest.approx(checkouts.asked)
    assert found(4, MANY, "as fast as the queue").breaks_at(1) == math.inf


def test_a_slow_stripe_takes_the_monoliths_threads():
    quick, slow = (
        next(each for each in resources(1, MANY, ms) if "both" in each.name)
        for ms in (300, 30_000)
    )
    assert slow.there < quick.there / 2


def test_a_spike_breaks_the_synchronous_checkout_and_not_the_queue():
    became = spike(replace(MANY, users=Decimal(300_000)))
    assert became.refused > 0.5
    assert 0 < became.drain < math.inf


def test_our_own_settings_are_read_from_the_stages():
    assert settings.threads() == 8
    assert settings.connections() == 12
    assert (settings.api_rate(3), settings.api_burst(3)) == (500, 1000)
    assert settings.consumers() >= 1
    assert settings.charged_a_second() * 2 <= settings.paced_rate() <= 25
    # Little's law: a slower Stripe keeps as many busy with fewer payments.
    assert settings.charged_a_second(2000) < settings.charged_a_second()


def test_a_setting_that_has_moved_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "REPOSITORY", tmp_path)
    (tmp_path / "gunicorn.conf.py").write_text("threads = 8")
    with pytest.raises(settings.SettingNotFound, match=r"settings\.py in step"):
        settings.threads(tmp_path)


def test_the_command_names_what_breaks_first_and_refuses_nonsense():
    command = [sys.executable, "-m", "load_tests.limits", "--users"]
    done = subprocess.run([*command, "100000"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("breaks first") == len(STAGES)
    wrong = subprocess.run([*command, "0"], capture_output=True, text=True)
    assert wrong.returncode == 2
    assert "above 0" in wrong.stderr
