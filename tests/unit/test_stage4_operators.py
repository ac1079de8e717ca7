"""What who looks after stage 4 is told: of an order, and of how long one may wait."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from deployment import __main__ as command
from deployment import queues, redrive, stacks, story
from deployment.settings import REPOSITORY, Deployment, SettingsError

HERE = Deployment(4, "test", "http://127.0.0.1:9", {})
CHARGES, LETTERS = ("arn:aws:sqs:r:1:concierge-test-" + n for n in ("charges", "mail"))


class Lambda:
    """Lambda, with a function for each of two queues; one of them gives orders up."""

    def __init__(self):
        self.enabled = {}

    def get_paginator(self, name):
        found = [
            {"EventSourceArn": arn, "FunctionArn": arn[-4:], "UUID": arn[-4:]}
            for arn in (LETTERS, CHARGES)
        ]
        return SimpleNamespace(paginate=lambda: [{"EventSourceMappings": found}])

    def get_function_configuration(self, **asked):
        gives_up = asked["FunctionName"] == "rges"
        told = {"ORDER_GIVE_UP_SECONDS": "14400"} if gives_up else {}
        return {"Environment": {"Variables": told}}

    def update_event_source_mapping(self, **asked):
        self.enabled[asked["UUID"]] = asked["Enabled"]


@pytest.fixture
def functions(monkeypatch):
    """A deployment with two queues, whose addresses are their ARNs."""
    found = {"charge-order": CHARGES, "notifications": LETTERS}
    there = found | {f"{name}{queues.DEAD}": "dead" for name in found}
    functions = Lambda()
    monkeypatch.setattr(queues, "there", lambda deployment: there)
    monkeypatch.setattr(queues, "arn", lambda url: url)
    for module in (queues, redrive):
        monkeypatch.setattr(module, "client", lambda name: functions)
    return functions


def said(command_line, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["deployment", *command_line, "--stage", "4"])
    monkeypatch.setattr(command, "_find_local", lambda arguments: None)
    monkeypatch.setattr(command, "deployment", lambda *names: HERE)
    status = command.main()
    told = capsys.readouterr()
    return status, told.out + told.err


def test_whoever_pauses_orders_is_told_how_long_they_may_wait(
    functions, monkeypatch, capsys
):
    _, told = said(["pause", "--queue", "charge-order"], monkeypatch, capsys)
    assert functions.enabled == {"rges": False}
    assert "4 hours after it was accepted" in told
    assert "ORDER_GIVE_UP_SECONDS" in told


def test_whoever_redrives_orders_is_told_too(functions, monkeypatch, capsys):
    monkeypatch.setattr(command, "redrive", lambda chosen, queue: 3)
    _, told = said(["redrive", "--queue", "charge-order"], monkeypatch, capsys)
    assert "3 dead letters" in told
    assert "4 hours after" in told


@pytest.mark.parametrize(
    "words",
    [["pause", "--queue", "notifications"], ["resume", "--queue", "charge-order"]],
)
def test_nobody_else_is(words, functions, monkeypatch, capsys):
    _, told = said(words, monkeypatch, capsys)
    assert "ORDER_GIVE_UP_SECONDS" not in told


def test_the_setting_that_is_looked_for_is_the_one_that_payments_has():
    parameters = REPOSITORY / "stage4_async/payments/.chalice/parameters.json"
    told = json.loads(parameters.read_text("utf-8"))
    variables = told["Resources"]["Charge"]["Properties"]["Environment"]["Variables"]
    assert queues.GIVE_UP in variables


@pytest.mark.parametrize("order_id", ["", "ord_", "ord_1", "candy", "ord_" + 25 * "0"])
def test_what_is_no_order_is_not_asked_for(order_id, monkeypatch, capsys):
    def nobody(name):
        raise AssertionError("AWS was asked")

    monkeypatch.setattr(story, "client", nobody)
    monkeypatch.setattr(stacks, "outputs", nobody)
    status, told = said(["order", "--id", order_id], monkeypatch, capsys)
    assert status == 1
    assert "Say ID=ord_" in told


def test_an_order_that_is_not_there_is_said_to_be_missing(monkeypatch):
    monkeypatch.setattr(story, "_noted", lambda deployment, order_id: {})
    with pytest.raises(SettingsError, match="There is no order"):
        [*story.told(HERE, "ord_" + 24 * "0")]
