"""Stage 4 on the laptop: no order is lost, charged twice or told of twice.

What happens here to messages is what queues do: they come again, they come late, they
are put aside. Nothing is concluded about crowds.
"""

from __future__ import annotations

import io
import subprocess
import sys
import time
import zipfile
from contextlib import contextmanager

import boto3
import pytest
import requests

from sandbox.runner import RunningStage
from sandbox.runner.stages import REPOSITORY
from tests.contract.outside import Ledger, until
from tests.faulty import Suppliers
from tests.guest import Guest

QUEUE = "charge-order"
DEAD_LETTERS = f"{QUEUE}-dead-letters"
OUTAGE_SECONDS = 15

# It starts the whole stage.
pytestmark = pytest.mark.full


class Operator:
    """Who looks after the queues: with the commands of `make`, and underneath them.

    Args:
        stage: the running stage.
    """

    def __init__(self, stage: RunningStage) -> None:
        account = {
            "endpoint_url": stage.aws_endpoint_url,
            "region_name": stage.region,
            "aws_access_key_id": "test",
            "aws_secret_access_key": "test",
        }
        self.stage = stage
        self.sqs = boto3.client("sqs", **account)
        self.functions = boto3.client("lambda", **account)
        self._dynamodb = boto3.resource("dynamodb", **account)

    def does(self, *words: str) -> str:
        command = [sys.executable, "-m", "deployment", *words]
        command += ["--stage", "4", "--run", self.stage.name]
        done = subprocess.run(
            command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def table(self, service: str):
        return self._dynamodb.Table(self.stage.tables[service])

    def send(self, queue: str, *bodies: str) -> None:
        for body in bodies:
            self.sqs.send_message(QueueUrl=self.stage.queues[queue], MessageBody=body)

    def take(self, queue: str) -> str:
        """Take one message away from a queue for good; return its body."""
        url = self.stage.queues[queue]

        def look():
            return self.sqs.receive_message(QueueUrl=url).get("Messages")

        (message,) = until(look, f"a message is in {queue}")
        self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return message["Body"]

    def empty(self, queue: str) -> None:
        self.sqs.purge_queue(QueueUrl=self.stage.queues[queue])

    def count(self, queue: str) -> int:
        names = ("", "NotVisible", "Delayed")
        asked = [f"ApproximateNumberOfMessages{name}" for name in names]
        said = self.sqs.get_queue_attributes(
            QueueUrl=self.stage.queues[queue], AttributeNames=asked
        )
        return sum(int(number) for number in said["Attributes"].values())

    @contextmanager
    def giving_up_after(self, seconds: int):
        """Have payments give orders up when they are so old, inside the block."""
        name = "concierge-local-payments-charge"
        found = self.functions.get_function_configuration(FunctionName=name)
        usual = found["Environment"]["Variables"]

        def told(**more: str) -> None:
            self.functions.update_function_configuration(
                FunctionName=name, Environment={"Variables": usual | more}
            )

        told(ORDER_GIVE_UP_SECONDS=str(seconds))
        try:
            yield
        finally:
            told()

    def sweep_as_if_later(self) -> None:
        """Sweep when every pending order has waited long enough."""
        orders = self.table("checkout")
        for item in orders.scan()["Items"]:
            if "due" in item:
                orders.update_item(
                    Key={"order_id": item["order_id"]},
                    UpdateExpression="SET due = :past",
                    ExpressionAttributeValues={":past": 1},
                )
        self.functions.invoke(FunctionName="concierge-local-checkout-sweep")


@pytest.fixture(scope="module")
def stage(with_queues):
    return with_queues


@pytest.fixture(scope="module")
def operator(stage):
    return Operator(stage)


@pytest.fixture(scope="module")
def ledger(stage):
    return Ledger(stage.stripe_url)


@pytest.fixture
def guest(stage):
    return Guest(stage)


@pytest.fixture
def paused(operator):
    """Nobody charges, until the test resumes it."""
    operator.does("pause", "--queue", QUEUE)
    yield
    operator.does("resume", "--queue", QUEUE)


def accepted(guest, **fields):
    answer = guest.buy(fields.pop("productId", "candy-jar"), **fields)
    assert answer.status_code == 202
    order_id = answer.json()["order"]["orderId"]
    assert answer.headers["Location"] == f"/v1/orders/{order_id}"
    return order_id


def ends(guest, order_id):
    def ended():
        order = guest.order(order_id)
        return order["status"] if order["status"] != "pending" else None

    return until(ended, f"{order_id} ends", 90)


def test_what_is_accepted_waits_while_nobody_charges(guest, operator, ledger, paused):
    order_id = accepted(guest)
    row = next(r for r in operator.does("queues").splitlines() if r.startswith(QUEUE))
    assert row.split()[1] == "1"
    assert row.endswith("paused")
    assert "4 hours after it was accepted" in operator.does("pause", "--queue", QUEUE)
    assert guest.order(order_id)["status"] == "pending"
    assert ledger.of(order_id) == {}
    operator.does("resume", "--queue", QUEUE)
    assert ends(guest, order_id) == "confirmed"


def test_a_message_that_comes_three_times_charges_once_and_tells_once(
    guest, operator, ledger, paused, stage
):
    order_id = accepted(guest)
    body = operator.take(QUEUE)
    operator.send(QUEUE, body, body, body)
    operator.does("resume", "--queue", QUEUE)
    assert ends(guest, order_id) == "confirmed"
    until(lambda: not any(map(operator.count, stage.queues)), "the queues are empty")
    assert ledger.charges(order_id) == 1
    assert "Item" in operator.table("receipts").get_item(Key={"order_id": order_id})
    story = operator.does("order", "--id", order_id)
    assert story.count("message done") >= 3
    assert story.count("guest told") == 1
    assert story.count("sale recorded first=True") == 1


def test_a_message_that_is_lost_is_sent_again_by_the_sweep(
    guest, operator, ledger, paused
):
    order_id = accepted(guest)
    operator.take(QUEUE)
    operator.does("resume", "--queue", QUEUE)
    operator.sweep_as_if_later()
    assert ends(guest, order_id) == "confirmed"
    assert ledger.charges(order_id) == 1


def test_a_dead_letter_is_confirmed_after_a_redrive(guest, operator, ledger, paused):
    order_id = accepted(guest)
    operator.send(DEAD_LETTERS, operator.take(QUEUE))
    operator.does("resume", "--queue", QUEUE)
    assert "1 dead letter" in operator.does("redrive", "--queue", QUEUE)
    assert ends(guest, order_id) == "confirmed"
    assert ledger.charges(order_id) == 1
    assert operator.count(DEAD_LETTERS) == 0


def test_poison_is_put_aside_and_the_others_go_on(guest, operator):
    operator.send(QUEUE, "poison", '{"order": {}}')
    orders = [accepted(guest) for _ in range(5)]
    assert {ends(guest, order_id) for order_id in orders} == {"confirmed"}
    until(lambda: operator.count(DEAD_LETTERS) == 2, "both are dead letters", 180)


def test_after_a_poisoned_deployment_one_redrive_confirms_everything_once(
    guest, operator, ledger
):
    name = "concierge-local-payments-charge"
    where = operator.functions.get_function(FunctionName=name)["Code"]["Location"]
    good = requests.get(where, timeout=30).content
    operator.empty(DEAD_LETTERS)
    operator.functions.update_function_code(FunctionName=name, ZipFile=poisoned(good))
    orders = {accepted(guest) for _ in range(5)}

    def dead():
        return operator.count(DEAD_LETTERS) >= len(orders)

    until(dead, "all are dead letters", 180)
    assert {guest.order(order_id)["status"] for order_id in orders} == {"pending"}
    operator.functions.update_function_code(FunctionName=name, ZipFile=good)
    operator.does("redrive", "--queue", QUEUE)
    assert {ends(guest, order_id) for order_id in orders} == {"confirmed"}
    assert {ledger.charges(order_id) for order_id in orders} == {1}
    until(lambda: operator.count(QUEUE) == 0, "the queue is empty")


def poisoned(package):
    """Return a package of payments that fails on every message, after it has begun."""
    work = "self._store.begin(asked)"
    whole = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(package)) as good,
        zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as bad,
    ):
        for entry in good.infolist():
            data = good.read(entry)
            if entry.filename == "chalicelib/charging.py":
                assert work.encode() in data
                data = data.replace(work.encode(), f"{{}}[{work}]".encode())
            bad.writestr(entry, data)
    return whole.getvalue()


def test_an_outage_of_the_card_processor_delays_orders_and_loses_none(
    guest, operator, ledger
):
    dead_before = operator.count(DEAD_LETTERS)
    with ledger.going_wrong(refuse=True):
        orders = [accepted(guest) for _ in range(8)]
        until(ledger.injected, "somebody has tried to charge")
        # Until messages have come again, in vain as well.
        time.sleep(OUTAGE_SECONDS)
        assert {guest.order(o)["status"] for o in orders} == {"pending"}
    assert {ends(guest, order_id) for order_id in orders} == {"confirmed"}
    assert [ledger.charges(order_id) for order_id in orders] == [1] * len(orders)
    assert operator.count(DEAD_LETTERS) == dead_before


@pytest.fixture(scope="module")
def suppliers(stage):
    return Suppliers(stage)


TABLE = {"productId": "table-rooftop"}


def test_a_table_is_held_paid_and_confirmed(guest, ledger, suppliers):
    order_id = accepted(guest, **TABLE)
    assert ends(guest, order_id) == "confirmed"
    assert suppliers.states().get(order_id) == "confirmed"
    assert ledger.charges(order_id) == 1


def test_a_table_is_let_go_when_the_card_is_declined(guest, suppliers):
    card = "pm_card_visa_chargeDeclined"
    order_id = accepted(guest, paymentMethod=card, **TABLE)
    assert ends(guest, order_id) == "declined"
    assert suppliers.states().get(order_id) == "released"


def test_a_full_restaurant_costs_nothing(guest, ledger, suppliers):
    with suppliers.going_wrong(full=["table-rooftop"]):
        order_id = accepted(guest, **TABLE)
        assert ends(guest, order_id) == "failed"
    assert ledger.of(order_id) == {}


def test_who_paid_for_a_table_that_was_not_kept_gets_the_money_back(
    guest, ledger, suppliers
):
    # It ends between the two calls to Stripe, which keep their distance.
    with suppliers.going_wrong(hold_seconds=0.1):
        order_id = accepted(guest, **TABLE)
        assert ends(guest, order_id) == "failed"
    assert ledger.of(order_id)["succeeded_charges"] == 1
    assert ledger.charges(order_id) == 0


def test_a_supplier_that_is_away_delays_its_guests_and_charges_none(
    guest, ledger, suppliers
):
    with suppliers.going_wrong(refuse=True):
        order_id = accepted(guest, **TABLE)
        until(lambda: suppliers.injected() > 1, "they were asked, and asked again", 90)
        assert guest.order(order_id)["status"] == "pending"
        assert ledger.of(order_id) == {}
    assert ends(guest, order_id) == "confirmed"
    assert ledger.charges(order_id) == 1


def test_a_paid_table_whose_supplier_falls_silent_is_given_back_at_last(
    guest, operator, ledger, suppliers
):
    with operator.giving_up_after(12), ledger.going_wrong(latency_ms={"fixed": 1200}):
        order_id = accepted(guest, **TABLE)
        until(lambda: suppliers.states().get(order_id) == "held", "the table is held")
        with suppliers.going_wrong(refuse=True):
            assert ends(guest, order_id) == "failed"
            assert ledger.of(order_id)["succeeded_charges"] == 1
            assert ledger.charges(order_id) == 0
            assert "You get back all" in guest.order(order_id)["message"]
        # And the place goes to somebody else, once they are there again.
        until(
            lambda: suppliers.states().get(order_id) == "released", "it is let go", 90
        )


def test_a_declined_card_ends_the_order_with_one_delivery(guest, operator, ledger):
    order_id = accepted(guest, paymentMethod="pm_card_visa_chargeDeclined")
    assert ends(guest, order_id) == "declined"
    story = operator.does("order", "--id", order_id)
    charges = [line for line in story.splitlines() if "payments-charge" in line]
    assert [line for line in charges if "delivery=2" in line] == []
    assert ledger.charges(order_id) == 0
