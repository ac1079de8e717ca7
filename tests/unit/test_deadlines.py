"""Deadlines as a service keeps them."""

import time

import pytest
import requests
from checkout import deadlines, web
from checkout.services import Punctual
from flask import Flask, g


def milliseconds(seconds_from_now):
    return str(int((time.time() + seconds_from_now) * 1000))


def seconds(seconds_from_now):
    return f"{time.time() + seconds_from_now:.3f}"


@pytest.fixture
def app():
    app = Flask("somebody")
    app.worked = 0
    web.guard(app)
    deadlines.keep(app)

    @app.post("/work")
    def work():
        app.worked += 1
        return {"left": deadlines.left(1000)}

    return app


@pytest.mark.parametrize(
    "late",
    [
        lambda: {deadlines.DEADLINE: milliseconds(-1)},
        lambda: {deadlines.DEADLINE: "0"},
        lambda: {deadlines.RECEIVED: seconds(-deadlines.SECONDS - 1)},
    ],
    ids=["just now", "long ago", "received long ago"],
)
def test_what_comes_after_its_deadline_is_refused_and_not_done(app, late):
    answer = app.test_client().post("/work", headers=late())
    assert answer.status_code == answer.json["code"] == 503
    assert int(answer.headers["Retry-After"]) >= 1
    assert app.worked == 0


@pytest.mark.parametrize(
    ("told", "most"),
    [
        (dict, deadlines.SECONDS),
        (lambda: {deadlines.DEADLINE: milliseconds(3)}, 3),
        # Nobody has longer than we would wait ourselves, or by a clock that is ahead.
        (lambda: {deadlines.DEADLINE: milliseconds(3600)}, deadlines.SECONDS),
        (lambda: {deadlines.RECEIVED: seconds(3600)}, deadlines.SECONDS),
        (lambda: {deadlines.RECEIVED: seconds(-4)}, deadlines.SECONDS - 4),
        (lambda: {deadlines.DEADLINE: "soon"}, deadlines.SECONDS),
        (lambda: {deadlines.DEADLINE: "9" * 400}, deadlines.SECONDS),
        (lambda: {deadlines.RECEIVED: "nan"}, deadlines.SECONDS),
        (lambda: {deadlines.RECEIVED: "yesterday"}, deadlines.SECONDS),
    ],
)
def test_the_nearest_deadline_counts(app, told, most):
    answer = app.test_client().post("/work", headers=told())
    assert 0 < answer.json["left"] <= most + 0.001  # headers are rounded


def test_outside_of_a_request_nothing_is_shortened():
    assert deadlines.left(7) == 7


@pytest.fixture
def sent(monkeypatch):
    timeouts = []
    monkeypatch.setattr(
        requests.Session,
        "request",
        lambda self, *args, **options: timeouts.append(options["timeout"]),
    )
    return timeouts


def test_stripe_gets_no_longer_than_the_guest_waits(app, sent):
    with app.test_request_context():
        g.deadline = time.time() + 2
        Punctual().request("post", "https://stripe.invalid", timeout=5)
        Punctual().request("post", "https://stripe.invalid", timeout=1)
    Punctual().request("post", "https://stripe.invalid", timeout=5)
    assert 0 < sent[0] <= 2
    assert sent[1:] == [1, 5]


def test_stripe_is_not_asked_when_nobody_waits(app, sent):
    with app.test_request_context():
        g.deadline = time.time() - 1
        with pytest.raises(requests.Timeout):
            Punctual().request("post", "https://stripe.invalid", timeout=5)
    assert sent == []
