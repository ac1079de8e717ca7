"""Faults of the mail server for experiments, set while it runs."""

from __future__ import annotations

import random
from typing import Annotated

import msgspec


class Faults(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What goes wrong with the next mail; by default nothing does.

    Attributes:
        refuse: answer 451 to the sender, "try again later".
        hang: do not answer until the fault is taken away.
        lose_answer: keep the mail, then drop the connection before saying so.
        latency_ms: wait before the answer, in milliseconds.
        share: the part of all mail that the faults above hit, 0 to 1.
    """

    refuse: bool = False
    hang: bool = False
    lose_answer: bool = False
    latency_ms: Annotated[int, msgspec.Meta(ge=0, le=600_000)] = 0
    share: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0


class FaultSwitch:
    """Holds the faults of the moment; the page sets them, the SMTP server asks."""

    def __init__(self) -> None:
        self.faults = Faults()

    def drawn(self) -> Faults:
        """Return the faults for one mail: the set ones, or none outside the share."""
        faults = self.faults
        hit = random.random() < faults.share  # noqa: S311 (an experiment, no secret)
        return faults if hit else Faults()
