"""Stage 4 under drill: workers of Lambda die, and queues deliver again.

Each function has points of its own: `web` is what guests call, `charge` takes orders
out of the queue, `hear`, `notify` and `record` hear how they ended, `catalog` is asked
for stock, and `sweep` sends again what has not ended. A message whose worker is killed
comes again when its visibility timeout ends.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from sandbox.runner import RunningStage

from . import serving
from .functions import Clock, Functions
from .lines import FaultyLines, Lines, NoLines
from .lives import DECLINED, at, each, fault
from .queues import Queues
from .suppliers import Suppliers

# How long a message is hidden from others, in seconds; six times what a function may
# take on AWS, where nobody waits for a drill.
HIDDEN_SECONDS = 10
SWEEP_SECONDS = 1.0
TABLE = "table-rooftop"


class Stage4:
    """The asynchronous checkout."""

    port_base = 8453
    pace = 4.0
    synchronous = False
    at_once = 10
    between = "[A-Z]+ /_aws/"

    ORDERS = "checkout.order_store:OrderStore"
    STORE = "payments.payment_store:PaymentStore"
    STRIPE = "stripe._payment_intent_service:PaymentIntentService"
    POINTS = {
        # In checkout: accepting, hearing, sending again.
        "ask_price": "checkout.catalog:Catalog.product",
        "accept": f"{ORDERS}.accept",
        "enqueue": "checkout.charge_queue:ChargeQueue.send",
        "answer": "checkout.orders:answer",
        "hear": "checkout.checkout:Checkout.hear",
        "hear_end": f"{ORDERS}.end",
        "heard": "checkout.consumer:Consumer.take",
        "take_again": f"{ORDERS}.take_again",
        # In payments: charging and publishing.
        "begin": f"{STORE}.begin",
        "ask_hold": "payments.catalog:Catalog.hold",
        "ask_place": "payments.supplier:Supplier.hold",
        "create": f"{STRIPE}.create",
        "store": f"{STORE}.remember_intent",
        "attempt": f"{STORE}.raise_attempt",
        "confirm": f"{STRIPE}.confirm",
        "retrieve": f"{STRIPE}.retrieve",
        "cancel": f"{STRIPE}.cancel",
        "book": "payments.supplier:Supplier.confirm",
        "refund": "stripe._refund_service:RefundService.create",
        "end": f"{STORE}.end",
        "ask_release": "payments.catalog:Catalog.release",
        "publish": "payments.topic:Topic.tell",
        "let_place_go": "payments.supplier:Supplier.release",
        "released": f"{STORE}.released",
        "charged": "payments.consumer:Consumer.take",
        # In catalog; `move` and `mark` are the writes themselves.
        "hold": "catalog.reservations:Reservations.hold",
        "release": "catalog.reservations:Reservations.release",
        "move": "catalog.database:Table.together",
        "mark": "catalog.database:Table.write_new",
        # In notifications and receipts.
        "notice": "notifications.notices:Notices.take",
        "account": "notifications.notifications:Notifications.account",
        "send": "notifications.notifications:Notifications.mail",
        "note": "notifications.notices:Notices.told",
        "told": "notifications.consumer:Consumer.take",
        "record": "receipts.receipts:Receipts.record",
        "recorded": "receipts.consumer:Consumer.take",
    }
    ACTORS = {
        "checkout-api": "web",
        "checkout-hear_outcomes": "hear",
        "checkout-sweep": "sweep",
        "catalog-api": "catalog",
        "payments-charge": "charge",
        "notifications-notify": "notify",
        "receipts-record": "record",
    }
    CHARGED = "begin ask_hold create store confirm end publish charged"
    ENDED = "end publish charged"
    lives = [
        *each(at("web", "ask_price accept enqueue answer")),
        *each(at("charge", CHARGED)),
        *each(at("catalog", "hold move")),
        *each(at("hear", "hear hear_end heard")),
        *each(at("notify", "notice account send note told")),
        *each(at("record", "record recorded")),
        # Written and not sent: the sweep sends it, and dies.
        *each("web.accept.after", at("sweep", "take_again enqueue")),
        *each("web.accept.after", at("charge", "begin publish")),
        # Declined: the stock is given back.
        *each(at("charge", "end ask_release publish released"), card=DECLINED),
        *each(at("catalog", "release mark"), card=DECLINED),
        # Sold out: that is an end as well.
        *each(at("charge", "ask_hold end publish"), sold_out=True),
        *each(at("catalog", "mark"), sold_out=True),
        *each("catalog.mark.after", at("charge", "end"), sold_out=True),
        # Stripe fails, or its answer is lost.
        *each(at("charge", "attempt"), faults=fault("error_after", "create")),
        *each(at("charge", "retrieve"), faults=fault("drop_after", "confirm")),
        # Tables: held, paid, kept; or let go; or paid, not kept, and given back.
        *each(at("charge", "ask_place book"), product=TABLE),
        *each(at("charge", "let_place_go released"), product=TABLE, card=DECLINED),
        *each(at("charge", ENDED), product=TABLE, places={"full": [TABLE]}),
        *each(
            at("charge", "refund end let_place_go"),
            product=TABLE,
            places={"hold_seconds": 0.001},
        ),
        *each("charge.book.after", at("charge", "book end publish"), product=TABLE),
        # The stock is held, and payments does not know; an answer lost twice.
        *each("charge.ask_hold.after", at("charge", "ask_hold create")),
        *each("catalog.move.after", at("catalog", "hold mark")),
        # An intent that was created but not stored, and one that is stored.
        *each("charge.create.after", at("charge", "create store confirm")),
        *each("charge.store.after", at("charge", "confirm end")),
        # Paid, and nobody knows: it is confirmed again, and has to be asked for.
        *each("charge.confirm.after", at("charge", "retrieve end publish")),
        # Ended, and nobody was told; told, and the message is there still.
        *each("charge.end.after", at("charge", "publish charged")),
        *each("charge.publish.after", at("charge", "publish")),
        *each("charge.charged.after", at("notify", "notice")),
        # Killed, taken up, killed again, and a letter that may be sent twice.
        *each("charge.create.after", "charge.store.after", at("charge", "confirm")),
        *each("hear.hear_end.after", at("hear", "hear_end")),
        *each("notify.notice.after", at("notify", "send note")),
        *each("record.record.after", at("record", "record")),
        # Given up: with a reservation, with an intent, and with one that is paid.
        *each("charge.ask_hold.after", at("charge", "end ask_release"), old=True),
        *each("charge.store.after", at("charge", "cancel end publish"), old=True),
        *each("charge.confirm.after", at("charge", "cancel retrieve end"), old=True),
    ]

    def __init__(self) -> None:
        self.lines: Lines = NoLines()
        self._folder = Path()
        self._undo: Callable[[Functions], None] = _nothing

    def environment(self, folder: Path) -> dict[str, str]:
        self._folder = folder
        serving.prepare(folder)
        return {
            "NLU_ENGINE": "rules",
            "ORDER_LEASE_SECONDS": "8",
            "ORDER_GIVE_UP_SECONDS": "600",
        }

    def began(self, stage: RunningStage) -> None:
        """Come in, shorten what is waited for, and set the clock that sweeps."""
        base = self.port_base
        self._stage = stage
        self.lines = lines = FaultyLines(base)
        self.functions = Functions(stage, self._folder)
        self.suppliers = Suppliers(f"http://127.0.0.1:{base + 40}")
        self.queues = Queues(self.functions.client("sqs"), stage.queues)
        self.queues.hide_for(HIDDEN_SECONDS)
        catalog = stage.service_apis["catalog"]
        self.functions.let_in(
            self.ACTORS,
            self.POINTS,
            constants={
                "checkout.order_store:LONGEST_WAIT_SECONDS": 20.0,
                "payments.charging:PAUSE_SECONDS": 1.0,
                "payments.consumer:LONGEST_PAUSE_SECONDS": 5.0,
                "notifications.consumer:LONGEST_PAUSE_SECONDS": 5.0,
                "payments.breaker:OPEN_SECONDS": 1.0,
            },
            settings={
                "CATALOG_API_URL": f"{lines.url}/_aws/execute-api/{catalog}/v1",
                "STRIPE_TIMEOUT_SECONDS": "1",
                "STRIPE_RATE": "1000",
            },
            # What notifications ask of AWS goes over the lines as well.
            own={"notifications-notify": {"AWS_ENDPOINT_URL": lines.url}},
        )
        self._clock = Clock(
            lambda: self.functions.invoke("checkout-sweep"), SWEEP_SECONDS
        )

    def close(self) -> None:
        self._clock.stop()
        self.lines.close()

    def set_stock(self, product_id: str, stock: int) -> None:
        self.functions.dynamodb.update_item(
            TableName=self._stage.tables["catalog"],
            Key={"pk": {"S": f"product#{product_id}"}},
            UpdateExpression="SET #stock = :stock",
            ExpressionAttributeNames={"#stock": "stock"},
            ExpressionAttributeValues={":stock": {"N": str(stock)}},
        )

    def make_old(self, order_id: str) -> None:
        # It may have ended meanwhile.
        with contextlib.suppress(ClientError):
            self.functions.dynamodb.update_item(
                TableName=self._stage.tables["payments"],
                Key={"order_id": {"S": order_id}},
                UpdateExpression="SET created_at = :old",
                ConditionExpression="#status = :pending",
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues={
                    ":old": {"S": "2020-01-01T00:00:00.000000+00:00"},
                    ":pending": {"S": "pending"},
                },
            )

    def break_places(self, **faults: Any) -> None:
        """Replace the faults of the suppliers; their README names them."""
        self.suppliers.break_down(**faults)

    def plant(self, stage: RunningStage, bug: str) -> None:
        self._undo(self.functions)
        self._undo = _nothing
        if bug:
            planted = importlib.import_module(f"tests.drill.planted.{bug}")
            if hasattr(planted, "deploy"):
                planted.deploy(self.functions)
                self._undo = planted.undo
        self.functions.plant(bug)

    def tidy_up(self, patience: float) -> str:
        redriven = self.queues.tidy_up(patience)
        return f"{redriven} dead letters redriven" if redriven else ""

    def left_over(self, orders: Sequence[dict[str, Any]]) -> list[tuple[str, str, str]]:
        return [*self.queues.left_over(), *self.suppliers.left_over(orders)]

    def order_machine(self, stripe_url: str) -> Any:
        raise NotImplementedError


def _nothing(functions: Functions) -> None:
    """There is nothing to undo."""
