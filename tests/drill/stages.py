"""What the drill must know of each stage: its crash points, its settings, its insides.

Everything else in the drill goes through the API and the stand-ins, which are the same
for every stage.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import psutil
import psycopg
import requests

from sandbox.runner import RunningStage
from sandbox.runner.stages import REPOSITORY

PORT_BASE = 8153
INSIDE = Path(__file__).parent / "inside"
BOTH = ("before", "after")
DECLINED = "pm_card_visa_chargeDeclined"


@dataclass(frozen=True)
class Crashes:
    """One life of an order with crashes in it.

    Attributes:
        points: where a process dies, one after the other, without `before` or `after`
            for the last, which dies at both in turn.
        card: the payment method.
        faults: of the Stripe sandbox, from the start of the purchase.
        old: whether the order is made so old, after the first crash, that it is given
            up instead of finished.
        retried: whether later points are reached by the client's own retry.
    """

    points: tuple[str, ...]
    card: str = "pm_card_visa"
    faults: dict[str, Any] | None = None
    old: bool = False
    retried: bool = False


class StageUnderDrill(Protocol):
    """One stage's side of the drill."""

    lives: Sequence[Crashes]

    def environment(self, folder: Path) -> dict[str, str]:
        """The variables to start the stage with, over a folder shared with it."""

    def set_stock(self, product_id: str, stock: int) -> None:
        """Put so many of a product on the shelf."""

    def make_old(self, order_id: str) -> None:
        """Make a pending order so old that it is given up."""

    def plant(self, stage: RunningStage, bug: str) -> None:
        """Restart the stage's own processes with a bug in them, or with none ("")."""

    def order_machine(self, stripe_url: str) -> Any:
        """The state machine of this stage's orders, over a Stripe sandbox."""


def _each(*names: str, **how: Any) -> list[Crashes]:
    """Crash before and after each of these, which follow the same earlier crashes."""
    *earlier, points = names
    return [
        Crashes((*earlier, f"{point}.{when}"), **how)
        for point in points.split()
        for when in BOTH
    ]


def _fault(kind: str, operation: str) -> dict[str, Any]:
    return {kind: True, "operations": [operation], "times": 1}


def _at(actor: str, names: str) -> str:
    return " ".join(f"{actor}.{name}" for name in names.split())


class Stage1:
    """The monolith: a web worker serves the requests and sweeps."""

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
        *_each(_at("web", IN_CALL)),
        *_each(_at("web", "end announce give_back"), card=DECLINED),
        *_each(_at("web", "attempt let_go"), faults=_fault("error_after", "create")),
        *_each(_at("web", "retrieve"), faults=_fault("drop_after", "confirm")),
        *_each("web.store.after", _at("web", "lease"), retried=True),
        *_each("web.accept.after", _at("sweep", SWEPT)),
        *_each("web.end.after", _at("sweep", "letter send note")),
        *_each("web.accept.after", _at("sweep", "give_back"), card=DECLINED),
        # An intent that was created but not stored: the sweep makes the second call.
        *_each("web.create.after", _at("sweep", "create store confirm")),
        # Paid, and nobody knows: the sweep confirms again and has to ask.
        *_each("web.confirm.after", _at("sweep", "retrieve end")),
        # Killed, taken up, killed again.
        *_each("web.create.after", "sweep.store.after", _at("sweep", "confirm end")),
        *_each("web.store.after", _at("sweep", "cancel end give_back"), old=True),
        *_each("web.confirm.after", _at("sweep", "cancel retrieve end"), old=True),
        *_each("web.create.before", _at("sweep", "end announce"), old=True),
    ]

    def __init__(self) -> None:
        self._database = f"postgresql://postgres@127.0.0.1:{PORT_BASE + 30}/concierge"
        self._folder = Path()

    def environment(self, folder: Path) -> dict[str, str]:
        self._folder = folder
        (folder / "serving").mkdir(parents=True)
        (folder / "planted").write_text("")
        return {
            "PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(INSIDE)]),
            "DRILL_DIR": str(folder),
            "DRILL_ENTRY": "concierge.app",
            "DRILL_POINTS": json.dumps(self.POINTS),
            # Only a sender that was killed lets this run out; the drill waits for it.
            "DRILL_CONSTANTS": json.dumps({f"{self.MAIL}:LEASE_SECONDS": 8.0}),
            "NLU_ENGINE": "rules",
            "ORDER_LEASE_SECONDS": "1.5",
            "ORDER_GIVE_UP_SECONDS": "600",
            "SWEEP_SECONDS": "0.3",
            "STRIPE_TIMEOUT_SECONDS": "1",
            "LOG_LEVEL": "WARNING",
        }

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

    def plant(self, stage: RunningStage, bug: str) -> None:
        (self._folder / "planted").write_text(bug)
        for process in psutil.Process(stage.runner_pid).children(recursive=True):
            serving = self._folder / "serving" / str(process.pid)
            if serving.exists():
                serving.unlink()
                process.send_signal(signal.SIGKILL)
                process.wait(10)
        _wait_for_health(stage)

    def order_machine(self, stripe_url: str) -> Any:
        sys.path.insert(0, str(REPOSITORY / "stage1_monolith"))
        from . import order_machine

        # Beside the stage's own database, where its sweep does not come.
        self._execute("DROP DATABASE IF EXISTS machine WITH (FORCE)", ())
        self._execute("CREATE DATABASE machine", ())
        address = self._database.removesuffix("concierge") + "machine"
        around = order_machine.surroundings(address, stripe_url)
        return order_machine.order_machine(around)

    def _execute(self, statement: str, values: Sequence[Any]) -> None:
        with psycopg.connect(self._database, autocommit=True) as connection:
            connection.execute(statement, values)


def _wait_for_health(stage: RunningStage, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if requests.get(f"{stage.api_url}/health", timeout=5).ok:
                return
        except requests.RequestException:
            time.sleep(0.1)
    raise TimeoutError(f"{stage.name} did not come back within {seconds} s")


UNDER_DRILL = {1: Stage1}
