"""What the drill wants to change is there: its points, its constants, its bugs.

A function of another name would only be seen by a drill that waits for it in vain.
"""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from typing import Any

import pytest

from sandbox.runner.stages import STAGES
from tests.drill.inside.crash import Crash
from tests.drill.lives import Crashes
from tests.drill.planted import OF_STAGE
from tests.drill.scenarios.planted import PROBES
from tests.drill.stages import UNDER_DRILL


def source(stage: int, module: str) -> Path | None:
    """Return the file of a module as the drill names it; None if it is not of ours."""
    package, _, name = module.partition(".")
    folder = STAGES[stage].path / package
    if not folder.is_dir():
        return None
    library = folder / "chalicelib"
    return (library if library.is_dir() else folder) / f"{name}.py"


def names(path: Path) -> set[str]:
    """Return the functions, methods and constants of a file."""
    found = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if hasattr(target, "id")}
        elif isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{part.name}" for part in node.body if _named(part)}
        elif _named(node):
            found.add(node.name)
    return found


def _named(node: Any) -> bool:
    return isinstance(node, ast.FunctionDef)


@pytest.mark.parametrize("stage", UNDER_DRILL)
def test_every_point_is_there_and_visited(stage: int) -> None:
    under = UNDER_DRILL[stage]()
    try:
        visited = {point.split(".")[1] for life in under.lives for point in life.points}
        assert visited == under.POINTS.keys()
        for where in under.POINTS.values():
            module, _, name = where.partition(":")
            path = source(stage, module)
            assert path is None or name in names(path), where
    finally:
        under.close()


@pytest.mark.parametrize("stage", [3, 4])
def test_every_constant_is_there(stage: int) -> None:
    for where in UNDER_DRILL[stage]().CONSTANTS:
        module, _, name = where.partition(":")
        path = source(stage, module)
        assert path is not None
        assert name in names(path), where


@pytest.mark.parametrize(
    ("stage", "bug"), [(stage, bug) for stage in OF_STAGE for bug in OF_STAGE[stage]]
)
def test_every_bug_has_a_place_and_a_probe(stage: int, bug: str) -> None:
    module = importlib.import_module(f"tests.drill.planted.{bug}")
    assert module.PROBE in PROBES
    places = [source(stage, name) for name in module.PATCHES]
    assert hasattr(module, "deploy") or any(path and path.exists() for path in places)


def test_every_actor_has_points() -> None:
    for stage in (3, 4):
        under = UNDER_DRILL[stage]()
        actors = {point.split(".")[0] for life in under.lives for point in life.points}
        assert actors == set(under.ACTORS.values())


def test_lives_are_told_apart() -> None:
    lives: list[Crashes] = [*UNDER_DRILL[4]().lives]
    assert len(lives) == len({repr(life) for life in lives})


def test_a_point_may_put_to_sleep_instead(tmp_path: Path) -> None:
    for part in ("armed", "fired"):
        (tmp_path / part).mkdir()
    module = importlib.import_module("types").SimpleNamespace(work=lambda: "done")
    Crash(tmp_path, "charge").wrap(module, "work", "store")
    (tmp_path / "armed" / "charge.store.before").write_text("0.01")
    assert module.work() == "done"
    assert not [*(tmp_path / "armed").iterdir()]
    assert not [*(tmp_path / "fired").iterdir()]
