"""The generated pages of the reference have everything, and notice what is new."""

from __future__ import annotations

import copy
import json
import shutil

import msgspec
import pytest

from course import contract, costs, messages, stacks
from course.stacks import STAGE4
from load_tests.costs import prices
from load_tests.limits import settings
from tests.meta.pages import DOCS

REFERENCE = DOCS / "reference"


def page(name):
    return (REFERENCE / name).read_text(encoding="utf-8")


# The contract


def test_every_operation_of_the_contract_is_on_its_page():
    told = contract.operations(contract.read())
    assert len(told) > 10
    for method, path, _ in told:
        assert f"| {method} | `{path}` |" in page("contract.md")


def test_a_new_operation_changes_the_page():
    changed = copy.deepcopy(contract.read())
    new = {"summary": "Give a tip", "tags": ["checkout"], "responses": {"200": {}}}
    changed["paths"]["/tips"] = {"post": new}
    assert "| POST | `/tips` | Give a tip | nothing |" in contract.page(changed)
    assert contract.page(changed) != contract.page()


def test_the_site_shows_the_whole_contract_without_fetching_it():
    written = contract.script()
    shown = json.loads(written.removeprefix("globalThis.contract = ").rstrip(";\n"))
    assert shown["paths"].keys() == contract.read()["paths"].keys()


# Queues and events


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("AWS::SQS::Queue", "QueueName"),
        ("AWS::SNS::Topic", "TopicName"),
        ("AWS::CloudWatch::Alarm", "AlarmName"),
    ],
)
def test_every_queue_topic_and_alarm_is_on_the_page(kind, name):
    declared = stacks.resources(STAGE4, kind).values()
    assert declared
    for told in declared:
        assert f"`{stacks.called(told[name])}`" in page("messages.md")


def test_every_consumer_and_every_event_is_on_the_page():
    for taker in stacks.consumers():
        assert f"taken by | `{taker.service}` (`{taker.function}`)" in page(
            "messages.md"
        )
    for told in stacks.resources(STAGE4, "AWS::SNS::Subscription").values():
        for event in told.get("FilterPolicy", {}).get("event", []):
            assert f"`{event}`" in page("messages.md")


def test_every_field_of_a_message_is_on_the_page():
    path = STAGE4 / "checkout" / "chalicelib"
    for name, _ in stacks.fields(path / "charge_order.py", "ChargeOrder"):
        assert f"| `{name}` |" in page("messages.md")
    for name, _ in stacks.fields(path / "order_event.py", "OrderEvent"):
        camel = msgspec.defstruct("One", [(name, int)], rename="camel")
        (field,) = msgspec.structs.fields(camel)
        assert f"| `{field.encode_name}` |" in page("messages.md")


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("resources.yaml", "maxReceiveCount: 6", "maxReceiveCount: 7"),
        ("resources.yaml", "event: [order-confirmed]", "event: [order-failed]"),
        ("payments/app.py", "batch_size=5", "batch_size=6"),
        ("receipts/.chalice/policy-record.json", "sqs:DeleteMessage", "sns:Publish"),
    ],
)
def test_a_change_of_the_stack_changes_the_page(file, old, new, tmp_path):
    ignored = shutil.ignore_patterns("deployments", "__pycache__", "data")
    stage = shutil.copytree(STAGE4, tmp_path / "stage", ignore=ignored)
    text = (stage / file).read_text(encoding="utf-8")
    assert old in text
    text = text.replace(old, new)
    if "policy" in file:
        text = text.replace("${ReceiptsQueue}", "${OrderEvents}")
    (stage / file).write_text(text, encoding="utf-8")
    assert messages.page(stage) != messages.page()


def test_a_queue_that_nobody_explained_is_found():
    with pytest.raises(ValueError, match="Say in course/messages.py"):
        messages.meaning("a-new-queue")


# Costs and limits


def test_every_price_and_quota_is_on_its_page():
    for name in prices.prices().prices:
        assert f"| `{name}` |" in page("costs.md")
    for name in ("concurrency", "pollers at most", "endpoint rate"):
        assert f"| {name} |" in page("limits.md")
    assert settings.QUOTAS.is_file()


def test_every_quota_says_what_it_counts_and_where_it_was_read():
    sourced = [
        told
        for told in settings.quotas().values()
        if isinstance(told, dict) and "source" in told
    ]
    assert len(sourced) > 5
    for told in sourced:
        values = told.keys() - {"source", "units", "verified"}
        assert values == told["units"].keys()


def test_a_new_price_changes_the_page(tmp_path, monkeypatch):
    file = tmp_path / "prices.yaml"
    text = prices.FILE.read_text(encoding="utf-8")
    new = "  a_new_thing: {unit: things, price: 7, source: assumed}\n"
    file.write_text(text.replace("prices:\n", f"prices:\n{new}", 1), encoding="utf-8")
    before = costs.costs()
    monkeypatch.setattr(prices, "FILE", file)
    assert costs.costs() != before
    assert "| `a_new_thing` | 7 |" in costs.costs()
