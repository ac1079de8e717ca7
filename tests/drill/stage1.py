"""Stage 1 under drill: a web worker serves the requests and sweeps."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg

from sandbox.runner import RunningStage
from sandbox.runner.stages import REPOSITORY

from . import serving
from .lines import NoLines
from .lives import DECLINED, at, each, fault
from .plain import Plain


class Stage1(Plain):
    """The monolith."""

    port_base = 8153
    pace = 1.0
    synchronous = True
    at_once = 200
    lanes = 4
    between = ""
    lines = NoLines()

    ORDERS = "concierge.order_store:OrderStore"
    STRIPE = "stripe._payment_intent_service:PaymentIntentService"
    MAIL = "concierge.notifications"
    POINTS = {
        "accept": f"{ORDERS}.accept",
        "reserve": "concierge.catalog:reserve",
        "create": f"{STRIPE}.create",
        "store": f"{ORDERS}.remember_intent",
        "attempt": f"{ORDERS}.raise_attempt",
        "confirm": f"{STRIPE}.confirm",
        "retrieve": f"{STRIPE}.retrieve",
        "cancel": f"{STRIPE}.cancel",
        "end": f"{ORDERS}.end",
        "announce": f"{MAIL}:announce",
        "give_back": "concierge.catalog:give_back",
        "let_go": f"{ORDERS}.let_go",
        "lease": f"{ORDERS}.lease",
        "resume": "concierge.checkout:Checkout.give_up_or_finish",
        "letter": "concierge.letters:letter",
        "send": f"{MAIL}:Mailer.send",
        "note": f"{MAIL}:Notifications._note",
        "answer": "concierge.orders:answer",
    }
    IN_CALL = "accept reserve create store confirm end announce letter send note answer"
    SWEPT = "resume create store confirm end announce"
    lives = [
        *each(at("web", IN_CALL)),
        *each(at("web", "end announce give_back"), card=DECLINED),
        # It ends as it is written, and goes to no card.
        *each(at("web", "accept reserve announce answer"), sold_out=True),
        *each(at("web", "attempt let_go"), faults=fault("error_after", "create")),
        *each(at("web", "retrieve"), faults=fault("drop_after", "confirm")),
        *each("web.store.after", at("web", "lease"), retried=True),
        *each("web.accept.after", at("sweep", SWEPT)),
        *each("web.end.after", at("sweep", "letter send note")),
        *each("web.accept.after", at("sweep", "give_back"), card=DECLINED),
        # An intent that was created but not stored: the sweep makes the second call.
        *each("web.create.after", at("sweep", "create store confirm")),
        # Paid, and nobody knows: the sweep confirms again and has to ask.
        *each("web.confirm.after", at("sweep", "retrieve end")),
        # Killed, taken up, killed again.
        *each("web.create.after", "sweep.store.after", at("sweep", "confirm end")),
        *each("web.store.after", at("sweep", "cancel end give_back"), old=True),
        *each("web.confirm.after", at("sweep", "cancel retrieve end"), old=True),
        *each("web.create.before", at("sweep", "end announce"), old=True),
    ]

    def __init__(self) -> None:
        self._database = (
            f"postgresql://postgres@127.0.0.1:{self.port_base + 30}/concierge"
        )
        self._folder = Path()

    def environment(self, folder: Path) -> dict[str, str]:
        self._folder = folder
        return serving.environment(
            folder,
            entries=["concierge.app"],
            points=self.POINTS,
            # Only a sender that was killed lets this run out; the drill waits for it.
            constants={f"{self.MAIL}:LEASE_SECONDS": 8.0},
        )

    def began(self, stage: RunningStage) -> None:
        """Nothing to learn: all that matters was known before."""

    def set_stock(self, product_id: str, stock: int) -> None:
        self._execute(
            "UPDATE products SET stock = %s WHERE product_id = %s", (stock, product_id)
        )

    def make_old(self, order_id: str) -> None:
        self._execute(
            "UPDATE orders SET created_at = created_at - interval '1 hour' "
            "WHERE order_id = %s AND status = 'pending'",
            (order_id,),
        )

    def close(self) -> None:
        self.lines.close()

    def plant(self, stage: RunningStage, bug: str) -> None:
        serving.plant(stage, self._folder, bug)

    def order_machine(self, stripe_url: str) -> Any:
        sys.path.insert(0, str(REPOSITORY / "stage1_monolith"))
        from .order_machine import order_machine
        from .shop1 import MonolithShop

        # Beside the stage's own database, where its sweep does not come.
        self._execute("DROP DATABASE IF EXISTS machine WITH (FORCE)", ())
        self._execute("CREATE DATABASE machine", ())
        address = self._database.removesuffix("concierge") + "machine"
        return order_machine(MonolithShop(address, stripe_url))

    def _execute(self, statement: str, values: Sequence[Any]) -> None:
        with psycopg.connect(self._database, autocommit=True) as connection:
            connection.execute(statement, values)
