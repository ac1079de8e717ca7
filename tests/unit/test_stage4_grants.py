"""The shipped policies of stage 4 against the probes of them; no stage is asked.

`tests/integration/test_stage4_privileges.py` takes each grant away from a stage.
"""

from __future__ import annotations

import pytest

from tests.grants import Grant, carried_over, grants, less, shipped
from tests.probes_of_queues import PROBES, probe_of

LINES = {"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"}
GRANTS = [grant for grant in grants(4) if grant.role not in carried_over()]


def unmatched(found: list[Grant]) -> set[str]:
    """Return probes without a grant, and grants without a probe."""
    granted = {str(grant) for grant in found if grant.action not in LINES}
    probed = {f"{role} {words}" for role, probes in PROBES.items() for words in probes}
    return granted ^ probed


def test_what_stage_3_has_proven_is_the_same_here():
    # Their code is the same as well: tests/meta/carried_over.py.
    carried = {"catalog-api", "catalog-stock_shelves", "nlu-api", "guest"}
    assert carried_over() == carried


def test_each_other_grant_has_a_probe_and_each_probe_a_grant():
    assert unmatched(GRANTS) == set()
    assert all(map(probe_of, GRANTS))
    assert {grant.role for grant in GRANTS} == shipped(4).keys() - carried_over()


def test_every_function_may_write_its_lines():
    for role in shipped(4).keys() - {"guest"}:
        lines = {g.action for g in grants(4) if g.role == role and "logs:" in g.action}
        assert lines == LINES


@pytest.mark.parametrize("grant", GRANTS, ids=str)
def test_a_policy_with_one_action_too_few_is_noticed(grant: Grant, monkeypatch):
    """The planted bug: what is shipped lacks one grant."""
    whole = shipped(4)
    planted = whole | {grant.role: less(whole[grant.role], grant)}
    monkeypatch.setattr("tests.grants.shipped", lambda stage: planted)
    left = [g for g in grants(4) if g.role in PROBES]
    assert len(left) == len(GRANTS) - 1
    if grant.action not in LINES:
        assert unmatched(left) == {str(grant)}
