"""The shipped policies against the probes of them; no stage is asked.

`tests/integration/test_stage3_privileges.py` takes each grant away from a stage.
"""

from __future__ import annotations

import pytest

from tests.grants import Grant, grants, less, shipped
from tests.probes import PROBES, probe_of

GRANTS = grants(3)


def unmatched(found: list[Grant]) -> set[str]:
    """Return probes without a grant, and grants without a probe."""
    granted = {str(grant) for grant in found if not grant.action.startswith("logs:")}
    probed = {f"{role} {words}" for role, probes in PROBES.items() for words in probes}
    return granted ^ probed


def test_each_grant_has_a_probe_and_each_probe_a_grant():
    assert unmatched(GRANTS) == set()
    assert all(map(probe_of, GRANTS))


@pytest.mark.parametrize("grant", GRANTS, ids=str)
def test_a_policy_with_one_action_too_few_is_noticed(grant: Grant, monkeypatch):
    """The planted bug: what is shipped lacks one grant."""
    whole = shipped(3)
    planted = whole | {grant.role: less(whole[grant.role], grant)}
    monkeypatch.setattr("tests.grants.shipped", lambda stage: planted)
    assert len(grants(3)) == len(GRANTS) - 1
    assert str(grant) not in {str(found) for found in grants(3)}
    if not grant.action.startswith("logs:"):
        assert unmatched(grants(3)) == {str(grant)}


def test_a_policy_with_one_action_too_many_is_noticed():
    more = Grant(3, "nlu-api", "dynamodb:Scan", "table/${DialogueTable}", (0, 2, 0))
    assert unmatched([*GRANTS, more]) == {str(more)}


def test_every_function_may_write_its_lines():
    for role in shipped(3).keys() - {"guest"}:
        lines = {g.action for g in GRANTS if g.role == role and "logs:" in g.action}
        assert lines == {
            "logs:CreateLogGroup",
            "logs:CreateLogStream",
            "logs:PutLogEvents",
        }
