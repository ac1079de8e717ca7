"""Stage 2 under drill: callers die, and so do those whom they call.

`web` is a process that serves a request, of whichever service, `sweep` one that works
without. A point named `ask_...` is the caller's: before it the call was not sent, after
it the answer has come. The callee's point is the other side of that: before it nothing
was done, after it everything is done and the answer is lost.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg

from sandbox.runner import RunningStage
from sandbox.runner.stages import REPOSITORY, STAGES
from sandbox.runner.state import RUN_ROOT

from . import serving
from .lines import FaultyLines
from .lives import DECLINED, at, each, fault
from .plain import Plain

KILLED = ("catalog", "checkout", "notifications")


class Stage2(Plain):
    """The split services."""

    # Apart from the ports of the other tests, which its own hundred has no room for.
    port_base = 9253
    pace = 1.0
    synchronous = True
    at_once = 200
    lanes = 4
    between = ""

    ORDERS = "checkout.order_store:OrderStore"
    STRIPE = "stripe._payment_intent_service:PaymentIntentService"
    STOCK = "catalog.reservations"
    MAIL = "notifications.notifications"
    POINTS = {
        # In checkout.
        "ask_price": "checkout.catalog:Catalog.product",
        "accept": f"{ORDERS}.accept",
        "ask_hold": "checkout.catalog:Catalog.hold",
        "create": f"{STRIPE}.create",
        "store": f"{ORDERS}.remember_intent",
        "attempt": f"{ORDERS}.raise_attempt",
        "confirm": f"{STRIPE}.confirm",
        "retrieve": f"{STRIPE}.retrieve",
        "cancel": f"{STRIPE}.cancel",
        "end": f"{ORDERS}.end",
        "ask_release": "checkout.catalog:Catalog.release",
        "ask_letter": "checkout.notifications:Notifications.send",
        "told": f"{ORDERS}.told",
        "let_go": f"{ORDERS}.let_go",
        "lease": f"{ORDERS}.lease",
        "resume": "checkout.checkout:Checkout.give_up_or_finish",
        "tell": "checkout.checkout:Checkout.tell_others",
        "answer": "checkout.orders:answer",
        # In catalog; `take` and `put_back` are within the transaction.
        "hold": f"{STOCK}:Reservations.hold",
        "take": f"{STOCK}:_take",
        "release": f"{STOCK}:Reservations.release",
        "put_back": f"{STOCK}:_give_back",
        # In notifications.
        "announce": f"{MAIL}:Notifications.announce",
        "letter": "notifications.letters:letter",
        "send": f"{MAIL}:Mailer.send",
        "note": f"{MAIL}:Notifications._note",
    }
    BOUGHT = "ask_price accept ask_hold hold take create store confirm"
    TOLD = "ask_letter announce told"
    GIVEN_BACK = "ask_release release put_back"
    SWEPT = "resume ask_hold create store confirm end tell ask_letter told"
    lives = [
        *each(at("web", f"{BOUGHT} end {TOLD} answer")),
        *each(at("sweep", "letter send note")),
        *each(at("web", f"end {GIVEN_BACK} {TOLD}"), card=DECLINED),
        *each(at("web", f"accept ask_hold hold take end {TOLD} answer"), sold_out=True),
        *each(at("web", "attempt let_go"), faults=fault("error_after", "create")),
        *each(at("web", "retrieve"), faults=fault("drop_after", "confirm")),
        *each("web.store.after", at("web", "lease"), retried=True),
        # The sweep goes on, and dies; or who answers it does.
        *each("web.accept.after", at("sweep", "resume ask_hold create store confirm")),
        *each(
            "web.accept.after", at("sweep", f"end {TOLD}".replace("announce", "tell"))
        ),
        *each("web.accept.after", at("web", "hold take announce")),
        *each("web.end.after", at("sweep", "tell ask_letter told")),
        *each("web.end.after", at("web", "announce")),
        *each("web.end.after", at("sweep", "tell ask_release told"), card=DECLINED),
        *each("web.end.after", at("web", "release put_back announce"), card=DECLINED),
        # Refused, and nobody heard it; it must be refused again.
        *each("web.hold.after", at("web", "hold"), sold_out=True),
        *each("web.ask_hold.after", at("sweep", "ask_hold end"), sold_out=True),
        # The stock is held, and the order does not know; an answer lost twice.
        *each("web.ask_hold.after", at("sweep", "ask_hold")),
        *each("web.hold.after", at("web", "hold")),
        *each("web.release.after", at("web", "release"), card=DECLINED),
        *each("web.announce.after", at("web", "announce")),
        # An intent that was created but not stored: the sweep makes the second call.
        *each("web.create.after", at("sweep", "ask_hold create store confirm")),
        # Paid, and nobody knows: the sweep confirms again and has to ask.
        *each("web.confirm.after", at("sweep", "retrieve end")),
        # Killed, taken up, killed again.
        *each("web.create.after", "sweep.store.after", at("sweep", "confirm end")),
        # Given up: with a reservation, with none, and with one nobody knows of.
        *each("web.store.after", at("sweep", "cancel end ask_release"), old=True),
        *each("web.store.after", at("web", "release put_back"), old=True),
        *each("web.accept.after", at("sweep", "end ask_release told"), old=True),
        *each("web.accept.after", at("web", "release announce"), old=True),
        *each("web.ask_hold.after", at("web", "release put_back"), old=True),
        *each("web.confirm.after", at("sweep", "cancel retrieve end"), old=True),
    ]

    def __init__(self) -> None:
        internal = next(
            port.offset
            for port in STAGES[2].ports
            if port.variable == "GATEWAY_INTERNAL_PORT"
        )
        self.lines = FaultyLines(self.port_base + internal)
        self._folder = Path()
        self._password = ""

    def environment(self, folder: Path) -> dict[str, str]:
        self._folder = folder
        return serving.environment(
            folder,
            entries=[f"{name}.app" for name in KILLED],
            points=self.POINTS,
            # Only a sender that was killed lets this run out; the drill waits for it.
            constants={f"{self.MAIL}:LEASE_SECONDS": 8.0},
        ) | {
            "CATALOG_URL": self.lines.url,
            "NOTIFICATIONS_URL": self.lines.url,
            "WEB_CONCURRENCY": "2",
            "CALL_TIMEOUT_SECONDS": "1",
            "CALL_DEADLINE_SECONDS": "3",
            "BREAKER_SECONDS": "0.5",
        }

    def began(self, stage: RunningStage) -> None:
        """Learn the password of the one user who may see every database."""
        secrets = json.loads((RUN_ROOT / stage.name / "secrets.json").read_text())
        self._password = secrets["databases"]["postgres"]

    def set_stock(self, product_id: str, stock: int) -> None:
        self._execute(
            "catalog",
            "UPDATE products SET stock = %s WHERE product_id = %s",
            (stock, product_id),
        )

    def make_old(self, order_id: str) -> None:
        """Make it old, and end its lease: whoever holds that has slept too long."""
        self._execute(
            "checkout",
            "UPDATE orders SET created_at = created_at - interval '1 hour', "
            "leased_until = clock_timestamp() "
            "WHERE order_id = %s AND status = 'pending'",
            (order_id,),
        )

    def close(self) -> None:
        self.lines.close()

    def plant(self, stage: RunningStage, bug: str) -> None:
        # Each service's own port: 1 to 5, in the order of the alphabet but for nlu.
        ports = [self.port_base + STAGES[2].service(name).offsets[0] for name in KILLED]
        health = [f"http://127.0.0.1:{port}/v1/health" for port in ports]
        serving.plant(stage, self._folder, bug, health)

    def order_machine(self, stripe_url: str) -> Any:
        sys.path.insert(0, str(REPOSITORY / "stage2_split_services"))
        from .order_machine import order_machine
        from .shop2 import SplitShop

        # Beside the stage's own databases, where its sweeps do not come.
        for name in KILLED:
            database = f"machine_{name}"
            self._execute(
                "postgres", f"DROP DATABASE IF EXISTS {database} WITH (FORCE)"
            )
            self._execute("postgres", f"CREATE DATABASE {database}")
        urls = {name: self._url(f"machine_{name}") for name in KILLED}
        return order_machine(SplitShop(urls, stripe_url))

    def _url(self, database: str) -> str:
        server = f"127.0.0.1:{self.port_base + 30}"
        return f"postgresql://postgres:{self._password}@{server}/{database}"

    def _execute(
        self, database: str, statement: str, values: Sequence[Any] = ()
    ) -> None:
        with psycopg.connect(self._url(database), autocommit=True) as connection:
            connection.execute(statement, values)
