"""What the drill must know of each stage: its crash points, its settings, its insides.

Everything else in the drill goes through the API and the stand-ins, which are the same
for every stage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

from sandbox.runner import RunningStage

from .lines import Lines
from .lives import Crashes
from .stage1 import Stage1
from .stage2 import Stage2
from .stage3 import Stage3
from .stage4 import Stage4


class StageUnderDrill(Protocol):
    """One stage's side of the drill.

    Attributes:
        port_base: the first of the ports that the drill runs it on.
        pace: how many times as long as at stage 1 things may take.
        synchronous: whether a guest waits for Stripe.
        at_once: how many calls at most come at the same moment.
        lanes: how many buyers lead lives with crashes at the same time.
        web_answers: whether who dies as `web` is who answers the guest.
        between: a pattern of the calls between services that faults hit.
    """

    port_base: int
    pace: float
    synchronous: bool
    at_once: int
    lanes: int
    web_answers: bool
    between: str

    @property
    def lives(self) -> Sequence[Crashes]:
        """The lives with crashes that visit every crash point."""

    @property
    def lines(self) -> Lines:
        """The lines between its services."""

    def environment(self, folder: Path) -> dict[str, str]:
        """The variables to start the stage with, over a folder shared with it."""

    def began(self, stage: RunningStage) -> None:
        """Learn where the stage runs."""

    def set_stock(self, product_id: str, stock: int) -> None:
        """Put so many of a product on the shelf."""

    def make_old(self, order_id: str) -> None:
        """Make a pending order so old that it is given up."""

    def break_places(self, **faults: Any) -> None:
        """Replace the faults of those who have tables and rooms, if there are any."""

    def tidy_up(self, patience: float) -> str:
        """Do what an operator does, until nothing is on its way any more.

        Args:
            patience: how many seconds that may take.

        Returns:
            What was done, if anything.
        """

    def left_over(
        self, orders: Sequence[dict[str, Any]]
    ) -> Iterable[tuple[str, str, str]]:
        """Tell which laws are broken of what this stage alone has.

        Args:
            orders: as their guests see them, when all have ended.

        Returns:
            The law, by whom it was broken, and how.
        """

    def close(self) -> None:
        """End what was begun beside the stage."""

    def plant(self, stage: RunningStage, bug: str) -> None:
        """Restart the stage's own processes with a bug in them, or with none ("")."""

    def order_machine(self, stripe_url: str) -> Any:
        """The state machine of this stage's orders, over a Stripe sandbox."""


UNDER_DRILL: dict[int, Callable[[], StageUnderDrill]] = {
    1: Stage1,
    2: Stage2,
    3: Stage3,
    4: Stage4,
}
