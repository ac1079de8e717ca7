"""The drill of every stage as tests: a sample of it, or all of it with SIZE=full."""

import os
from collections.abc import Iterator

import pytest

from tests.drill.report import as_markdown
from tests.drill.scenarios import SCENARIOS
from tests.drill.sizes import SIZES
from tests.drill.stages import UNDER_DRILL
from tests.drill.world import World, world

SIZE = SIZES["full" if os.environ.get("SIZE") == "full" else "tenth"].share(
    len(UNDER_DRILL)
)
SEED = int(os.environ.get("DRILL_SEED", "20261123"))

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="module", params=UNDER_DRILL, ids="stage{}".format)
def under_drill(request: pytest.FixtureRequest) -> Iterator[World]:
    with world(request.param, SEED) as ours:
        yield ours


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_stage_stands(under_drill: World, name: str) -> None:
    figure = SCENARIOS[name](under_drill, SIZE)
    print(as_markdown([figure]))
    assert figure.met, "\n" + as_markdown([figure])
