"""Least privilege of stage 4, both ways, on the policies that are deployed.

What is carried over from stage 3 with its policy is proven there, in
`test_stage3_privileges.py`; that it is the same is held by
`tests/unit/test_stage4_grants.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.runner import RunningStage
from tests.grants import Grant, carried_over, grants, shipped
from tests.probes import assert_needed
from tests.probes_of_queues import WorldOfQueues, probe_of
from tests.refusals import let_in

# It starts the whole stage.
pytestmark = pytest.mark.full

GRANTS = [grant for grant in grants(4) if grant.role not in carried_over()]


@pytest.fixture(scope="module")
def world(with_queues: RunningStage) -> Iterator[WorldOfQueues]:
    world = WorldOfQueues(with_queues)
    with world.at_rest():
        yield world


@pytest.mark.parametrize("grant", GRANTS, ids=str)
def test_without_a_grant_something_fails(grant: Grant, world: WorldOfQueues):
    assert_needed(grant, probe_of(grant), world)


@pytest.mark.parametrize("role", shipped(4))
def test_a_role_is_refused_what_it_has_no_business_with(
    role: str, world: WorldOfQueues
):
    assert let_in(world, role) == {}
