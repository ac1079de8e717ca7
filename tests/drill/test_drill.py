"""The drill as tests: a tenth of each scenario, all of it with SIZE=full."""

import os
from collections.abc import Iterator

import pytest

from tests.conftest import STAGE
from tests.drill.report import as_markdown
from tests.drill.scenarios import SCENARIOS
from tests.drill.sizes import SIZES
from tests.drill.world import World, world

SIZE = SIZES["full" if os.environ.get("SIZE") == "full" else "tenth"]
SEED = int(os.environ.get("DRILL_SEED", "20261123"))

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="module")
def under_drill() -> Iterator[World]:
    with world(STAGE, SEED) as ours:
        yield ours


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_stage_stands(under_drill: World, name: str) -> None:
    figure = SCENARIOS[name](under_drill, SIZE)
    print(as_markdown([figure]))
    assert figure.met, "\n" + as_markdown([figure])
