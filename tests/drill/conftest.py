"""Leaves out what a stage is not put through."""

import pytest

from tests.drill import test_drill


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    left_out = [item for item in items if not _is_meant(item)]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


def _is_meant(item: pytest.Item) -> bool:
    if not isinstance(item, pytest.Function) or not hasattr(item, "callspec"):
        return True
    asked = item.callspec.params
    return "under_drill" not in asked or test_drill.stands(
        asked["under_drill"], asked["name"]
    )
