"""A running stage under drill, and the stand-ins around it that the drill commands."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests

from sandbox.runner import RunningStage, started
from sandbox.runner.state import RUN_ROOT

from .client import Buyer, buyers
from .crash_points import CrashPoints
from .lines import Faults
from .stages import UNDER_DRILL, StageUnderDrill

TIMEOUT_SECONDS = 30
PLENTY = 1_000_000


@dataclass
class World:
    """All that a scenario works with.

    Attributes:
        stage: where the stage runs.
        under: what is known of this stage.
        crash: its crash points.
        seed: of all that is drawn at random.
        judged: the orders of earlier scenarios.
        products: the ids of what can be bought.
    """

    stage: RunningStage
    under: StageUnderDrill
    crash: CrashPoints
    seed: int
    judged: set[str] = field(default_factory=set)
    products: list[str] = field(default_factory=list)

    def chance(self, of_what: str) -> random.Random:
        """A source of chance that follows from the seed."""
        return random.Random(f"{self.seed}:{of_what}")

    def fresh_buyers(self, count: int) -> list[Buyer]:
        """Guests who have bought nothing yet."""
        return buyers(self.stage, count)

    def fill_shelves(self, stock: int) -> None:
        """Put so many of every product on the shelf."""
        for product_id in self.products:
            self.under.set_stock(product_id, stock)

    def break_stripe(self, **faults: Any) -> None:
        """Replace the faults of the Stripe sandbox; its README names them."""
        self._stripe("PUT", "faults", json=faults)

    def heal(self) -> None:
        """Take every fault away."""
        self._stripe("DELETE", "faults")
        self.break_mail()
        self.under.break_places()
        self.under.lines.set(Faults())

    def break_calls(self, **faults: Any) -> None:
        """Replace the faults of calls between services; `lines.Faults` names them."""
        self.under.lines.set(Faults(**{"only": self.under.between} | faults))

    def injected(self) -> int:
        """How many faults the Stripe sandbox injected since they were set."""
        return sum(self._stripe("GET", "faults")["injected"].values())

    def charges(self) -> dict[str, dict[str, Any]]:
        """The Stripe sandbox's ledger, summed up for each order id."""
        orders: dict[str, dict[str, Any]] = self._stripe("GET", "ledger?view=orders")[
            "orders"
        ]
        return orders

    def break_mail(self, **faults: Any) -> None:
        """Replace the faults of the mail server; the local AWS has none."""
        if self.stage.aws_endpoint_url:
            return
        url = f"{self.stage.mailbox_url}/_sandbox/faults"
        requests.put(url, json=faults, timeout=TIMEOUT_SECONDS).raise_for_status()

    def mails(self) -> list[dict[str, Any]]:
        """All mail that was received."""
        answer = self._mailbox("GET")
        mails: list[dict[str, Any]] = answer.json()
        return mails

    def empty_mailbox(self) -> None:
        """Throw the mail of earlier scenarios away."""
        self._mailbox("DELETE")

    def _stripe(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        url = f"{self.stage.stripe_url}/_sandbox/{path}"
        answer = requests.request(method, url, timeout=TIMEOUT_SECONDS, **options)
        answer.raise_for_status()
        body: dict[str, Any] = answer.json()
        return body

    def _mailbox(self, method: str) -> requests.Response:
        answer = requests.request(
            method,
            f"{self.stage.mailbox_url}/",
            headers={"Accept": "application/json"},
            timeout=TIMEOUT_SECONDS,
        )
        answer.raise_for_status()
        return answer


@contextmanager
def world(stage: int, seed: int) -> Iterator[World]:
    """Start a stage with no data of earlier runs, and take it into the drill.

    Args:
        stage: its number.
        seed: of all that is drawn at random.

    Raises:
        KeyError: there is no drill for this stage yet.
    """
    under = UNDER_DRILL[stage]()
    name = f"stage{stage}-drill"
    shutil.rmtree(RUN_ROOT / name, ignore_errors=True)
    folder = (RUN_ROOT / name / "drill").resolve()
    environment = under.environment(folder)
    crash = CrashPoints(folder)
    base = under.port_base
    try:
        with started(stage, name=name, port_base=base, env=environment) as running:
            under.began(running)
            ours = World(running, under, crash, seed)
            ours.products = [*ours.fresh_buyers(1)[0].products()]
            yield ours
    finally:
        under.close()
