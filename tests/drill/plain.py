"""What the drill does of queues and suppliers where a stage has none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class Plain:
    """A stage of which all can be read through its API and the stand-ins."""

    # `web` may be somebody whom the one who answers the guest can do without.
    web_answers = False

    def break_places(self, **faults: Any) -> None:
        """Nobody else has the tables and rooms."""

    def tidy_up(self, patience: float) -> str:
        return ""

    def left_over(
        self, orders: Sequence[dict[str, Any]]
    ) -> Sequence[tuple[str, str, str]]:
        return ()
