"""Least privilege of stage 3, both ways, on the policies that are deployed.

MiniStack enforces them: each grant is needed by something that a test does, and what is
not granted is refused.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.runner import RunningStage
from tests import refusals
from tests.grants import Grant, grants, shipped
from tests.probes import World, probe_of

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
    probe = probe_of(grant)
    assert probe, f"Nothing needs {grant}: take it away, or add a probe of it."
    with world.roles.without(grant):
        assert not probe(world), f"it worked without {grant}"
    assert probe(world), f"it failed with {grant}, too"


@pytest.mark.parametrize("role", shipped(3))
def test_a_role_is_refused_what_it_has_no_business_with(role: str, world: World):
    tried = refusals.table(world, role)
    assert len(tried) > refusals.AT_LEAST
    let_in = {words: said for words, said in refusals.refused(tried) if said}
    assert let_in == {}
