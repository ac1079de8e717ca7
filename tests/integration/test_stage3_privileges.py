"""Least privilege of stage 3, both ways, on the policies that are deployed.

MiniStack enforces them: each grant is needed by something that a test does, and what is
not granted is refused.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.runner import RunningStage
from tests.grants import Grant, grants, shipped
from tests.probes import World, assert_needed, probe_of
from tests.refusals import let_in

# It starts the whole stage.
pytestmark = pytest.mark.full

GRANTS = grants(3)


@pytest.fixture(scope="module")
def world(serverless: RunningStage) -> Iterator[World]:
    world = World(serverless)
    world.schedule("disable")
    yield world
    world.schedule("enable")


@pytest.mark.parametrize("grant", GRANTS, ids=str)
def test_without_a_grant_something_fails(grant: Grant, world: World):
    assert_needed(grant, probe_of(grant), world)


@pytest.mark.parametrize("role", shipped(3))
def test_a_role_is_refused_what_it_has_no_business_with(role: str, world: World):
    assert let_in(world, role) == {}
