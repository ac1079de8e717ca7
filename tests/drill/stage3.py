"""Stage 3 under drill: workers of Lambda die in the middle of a call.

`web` is what guests call, `catalog` what checkout calls, `sweep` what the clock calls.
API Gateway tells a guest whose worker died to come again.
"""

from __future__ import annotations

from typing import Any

from .lives import DECLINED, at, each, fault
from .serverless import Serverless


class Stage3(Serverless):
    """The serverless services."""

    port_base = 8353
    synchronous = True
    # One sweep ends the orders of all of them: whose kill comes first ends it.
    lanes = 3
    # Shorter than the function may run.
    sleeper = ("web.store.before", 6.0)

    ORDERS = "checkout"
    # Longer than either function may run, as at AWS; a drill waits for it.
    LEASE_SECONDS = 13
    TIMEOUTS = {"checkout-api": 11, "checkout-sweep": 12}
    CONSTANTS = {"checkout.sweep:LONGEST_SECONDS": 5.0}
    ORDER_STORE = "checkout.order_store:OrderStore"
    STRIPE = "stripe._payment_intent_service:PaymentIntentService"
    MAIL = "checkout.notifications:Notifications"
    POINTS = {
        "ask_price": "checkout.catalog:Catalog.product",
        "accept": f"{ORDER_STORE}.accept",
        "ask_hold": "checkout.catalog:Catalog.hold",
        "create": f"{STRIPE}.create",
        "store": f"{ORDER_STORE}.remember_intent",
        "attempt": f"{ORDER_STORE}.raise_attempt",
        "confirm": f"{STRIPE}.confirm",
        "retrieve": f"{STRIPE}.retrieve",
        "cancel": f"{STRIPE}.cancel",
        "end": f"{ORDER_STORE}.end",
        "ask_release": "checkout.catalog:Catalog.release",
        "account": f"{MAIL}.account",
        "send": f"{MAIL}.mail",
        "note": f"{ORDER_STORE}.done",
        "let_go": f"{ORDER_STORE}.let_go",
        "lease": f"{ORDER_STORE}.lease",
        "resume": "checkout.checkout:Checkout.give_up_or_finish",
        "tell": "checkout.checkout:Checkout.tell_others",
        "answer": "checkout.orders:answer",
        # In catalog; `move` and `mark` are the writes themselves.
        "hold": "catalog.reservations:Reservations.hold",
        "release": "catalog.reservations:Reservations.release",
        "move": "catalog.database:Table.together",
        "mark": "catalog.database:Table.write_new",
    }
    ACTORS = {
        "checkout-api": "web",
        "checkout-sweep": "sweep",
        "catalog-api": "catalog",
    }
    BOUGHT = "ask_price accept ask_hold create store confirm"
    TOLD = "account send note"
    SWEPT = "resume ask_hold create store confirm end tell send note"
    lives = [
        *each(at("web", f"{BOUGHT} end {TOLD} answer")),
        *each(at("catalog", "hold move")),
        *each(at("web", f"end ask_release {TOLD}"), card=DECLINED),
        *each(at("catalog", "release mark move"), card=DECLINED),
        *each(at("web", "accept ask_hold end send answer"), sold_out=True),
        *each(at("catalog", "hold mark"), sold_out=True),
        *each(at("web", "attempt let_go"), faults=fault("error_after", "create")),
        *each(at("web", "retrieve"), faults=fault("drop_after", "confirm")),
        *each("web.store.after", at("web", "lease"), retried=True),
        # The sweep goes on, and dies; or who answers it does.
        *each("web.accept.after", at("sweep", SWEPT)),
        *each("web.accept.after", at("catalog", "hold")),
        *each("web.end.after", at("sweep", "tell send note")),
        *each("web.end.after", at("sweep", "ask_release"), card=DECLINED),
        *each("web.end.after", at("catalog", "release"), card=DECLINED),
        # The stock is held, and the order does not know; an answer lost twice.
        *each("web.ask_hold.after", at("sweep", "ask_hold")),
        *each("catalog.move.after", at("catalog", "hold")),
        # An intent that was created but not stored: the sweep makes the second call.
        *each("web.create.after", at("sweep", "create store confirm")),
        # Paid, and nobody knows: the sweep confirms again and has to ask.
        *each("web.confirm.after", at("sweep", "retrieve end")),
        # Killed, taken up, killed again.
        *each("web.create.after", "sweep.store.after", at("sweep", "confirm end")),
        # Given up: with a reservation, with none, and with one that is paid.
        *each("web.store.after", at("sweep", "cancel end ask_release"), old=True),
        *each("web.accept.after", at("sweep", "end tell"), old=True),
        *each("web.confirm.after", at("sweep", "cancel retrieve end"), old=True),
    ]

    def order_machine(self, stripe_url: str) -> Any:
        from .order_machine import order_machine
        from .shop3 import ServerlessShop

        return order_machine(ServerlessShop(self.packages(), stripe_url))
