"""Stage 4 under drill: workers of Lambda die, and queues deliver again.

Each function has points of its own: `web` is what guests call, `charge` takes orders
out of the queue, `hear`, `notify` and `record` hear how they ended, `catalog` is asked
for stock, and `sweep` sends again what has not ended. A message whose worker is killed
comes again when its visibility timeout ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sandbox.runner import RunningStage
from tests.faulty import Suppliers

from .lives import DECLINED, at, each, fault
from .queues import Queues
from .serverless import Serverless
from .suppliers import left_over

# How long a message is hidden from others, in seconds; six times what a function may
# take on AWS, where nobody waits for a drill.
HIDDEN_SECONDS = 10
TABLE = "table-rooftop"


class Stage4(Serverless):
    """The asynchronous checkout."""

    port_base = 8453
    synchronous = False
    # Longer than a message is hidden from the others.
    sleeper = ("charge.store.before", 25.0)

    ORDERS = "payments"
    # Longer than a message is hidden: it is the queue that delivers again first.
    LEASE_SECONDS = 15
    ON_LINES = ("notifications-notify",)
    CONSTANTS = {
        "checkout.order_store:LONGEST_WAIT_SECONDS": 30.0,
        "payments.charging:SHORTEST_PAUSE_SECONDS": 1.0,
        "payments.charging:LONGEST_PAUSE_SECONDS": 1.0,
        "payments.consumer:LONGEST_PAUSE_SECONDS": 5.0,
        "payments.consumer:LONGEST_PAUSE_WHEN_AWAY_SECONDS": 5.0,
        "payments.breaker:OPEN_SECONDS": 1.0,
        "notifications.consumer:LONGEST_PAUSE_SECONDS": 5.0,
        "notifications.consumer:LONGEST_PAUSE_WHEN_AWAY_SECONDS": 5.0,
    }
    ORDER_STORE = "checkout.order_store:OrderStore"
    STORE = "payments.payment_store:PaymentStore"
    STRIPE = "stripe._payment_intent_service:PaymentIntentService"
    POINTS = {
        # In checkout: accepting, hearing, sending again.
        "ask_price": "checkout.catalog:Catalog.product",
        "accept": f"{ORDER_STORE}.accept",
        "enqueue": "checkout.charge_queue:ChargeQueue.send",
        "answer": "checkout.orders:answer",
        "hear": "checkout.checkout:Checkout.hear",
        "hear_end": f"{ORDER_STORE}.end",
        "heard": "checkout.consumer:Consumer.take",
        "take_again": f"{ORDER_STORE}.take_again",
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
        "give_back": f"{STORE}.give_back",
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
        *each(at("charge", "end publish ask_release released"), card=DECLINED),
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
            at("charge", "give_back refund end let_place_go"),
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

    def began(self, stage: RunningStage) -> None:
        """Learn where queues and suppliers are, and let messages come again soon."""
        super().began(stage)
        self.suppliers = Suppliers(stage)
        self.queues = Queues(self.functions.client("sqs"), stage.queues)
        self.queues.hide_for(HIDDEN_SECONDS)

    def break_places(self, **faults: Any) -> None:
        self.suppliers.break_down(**faults)

    def tidy_up(self, patience: float) -> str:
        redriven = self.queues.tidy_up(patience)
        return f"{redriven} dead letters redriven" if redriven else ""

    def left_over(self, orders: Sequence[dict[str, Any]]) -> list[tuple[str, str, str]]:
        return [*self.queues.left_over(), *left_over(self.suppliers, orders)]

    def order_machine(self, stripe_url: str) -> Any:
        from .order_machine import order_machine
        from .shop4 import AsyncShop

        return order_machine(AsyncShop(self.packages(), stripe_url))
