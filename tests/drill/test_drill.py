"""The drill of every stage as tests: a sample of it, or more of it with SIZE=full.

Stages 3 and 4 take half a minute to start, and a second for each worker that was
killed: a sample of them is of the full size.
"""

import os
from collections.abc import Iterator

import pytest

from tests.drill.report import as_markdown
from tests.drill.scenarios import EVERY, of_stage
from tests.drill.sizes import size_of
from tests.drill.world import World, world

FULL = os.environ.get("SIZE") == "full"
NAME = "full" if FULL else "tenth"
SEED = int(os.environ.get("DRILL_SEED", "20261123"))
IN_PROCESSES = [1, 2]
STAGES = [*IN_PROCESSES, 3, 4] if FULL else IN_PROCESSES

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="module", params=STAGES, ids="stage{}".format)
def under_drill(request: pytest.FixtureRequest) -> Iterator[World]:
    with world(request.param, SEED) as ours:
        yield ours


@pytest.mark.parametrize("name", EVERY)
def test_the_stage_stands(under_drill: World, name: str) -> None:
    size = size_of(under_drill.stage.stage, NAME)
    if under_drill.stage.stage in IN_PROCESSES:
        size = size.share(len(IN_PROCESSES))
    figure = EVERY[name](under_drill, size)
    print(as_markdown([figure]))
    assert figure.met, "\n" + as_markdown([figure])


def stands(stage: int, name: str) -> bool:
    """Tell whether a stage is put through a scenario here."""
    sample = {3: ("kills", "faults"), 4: ("kills", "repeats")}
    return name in sample.get(stage, of_stage(stage))
