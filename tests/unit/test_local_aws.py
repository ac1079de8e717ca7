"""The local AWS, where it differs from MiniStack as it comes."""

import pytest

from sandbox.aws import server


@pytest.mark.parametrize(("wanted", "there_are"), [(2, 2), (4, 4), (12, 4), (5, 4)])
def test_a_queue_has_few_workers_at_once(monkeypatch, wanted, there_are):
    monkeypatch.setattr(server, "allowed", lambda *mapping: wanted)
    assert server.at_once({}, {}, {}) == there_are


def test_ministack_still_asks_how_many_may_work_at_once():
    mapping = {"ScalingConfig": {"MaximumConcurrency": 12}}
    assert server.allowed(mapping, {}, {}) == 12
    assert server.at_once(mapping, {}, {}) == server.AT_ONCE
