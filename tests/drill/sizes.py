"""How much of each scenario a run does.

`full` is what `make test SIZE=full` runs, `tenth` a tenth of it, `drill` what
`make drill` runs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Size:
    """The numbers of one size.

    Attributes:
        kills: processes killed.
        faults: faults injected at Stripe, at least.
        fault_orders: orders placed meanwhile, at least.
        buyers: how many want the ten that there are.
        outage_seconds: how long Stripe is down.
        machine_runs: runs of the order's state machine.
        machine_steps: steps of each.
        bugs: how many bugs are planted, at most.
        repeated: how many orders have every message of theirs three times.
        poisoned: how many orders are poison.
        among: among how many.
        sample: whether some of the crash points are enough. Else each is visited, if
            need be by more kills.
    """

    kills: int
    faults: int
    fault_orders: int
    buyers: int
    outage_seconds: float
    machine_runs: int
    machine_steps: int
    bugs: int
    repeated: int = 0
    poisoned: int = 0
    among: int = 0
    sample: bool = False

    def share(self, stages: int) -> Size:
        """What one of so many stages does where all of them run.

        The kills are counted for all stages together. In a sample everything is, but
        for what has no sense when there is less of it.
        """
        shared = ["kills"]
        if self.sample:
            shared += ["faults", "fault_orders", "machine_runs", "bugs"]
        return replace(self, **{name: getattr(self, name) // stages for name in shared})


SIZES = {
    "tenth": Size(20, 50, 100, 20, 2, 10, 30, 4, sample=True),
    "full": Size(200, 500, 1_000, 200, 20, 100, 30, 99),
    "drill": Size(1_000, 5_000, 10_000, 200, 60, 500, 50, 99),
}
# Stages 3 and 4. MiniStack starts a process in the place of each worker that was
# killed, a second of a processor, and every call goes through all of it: `drill` is
# what ends within an hour or so on two cores.
ON_LAMBDA = {
    "tenth": Size(6, 5, 10, 20, 2, 2, 20, 1, 10, 1, 10, sample=True),
    "full": Size(12, 20, 40, 20, 10, 5, 30, 2, 50, 5, 50, sample=True),
    "drill": Size(1_000, 150, 300, 100, 60, 30, 30, 99, 150, 10, 150),
}


def size_of(stage: int, name: str) -> Size:
    """Return how much a run of a stage does.

    Args:
        stage: its number.
        name: of the size.
    """
    return (ON_LAMBDA if stage in (3, 4) else SIZES)[name]
