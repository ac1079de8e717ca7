"""What the drill changes inside the processes of a stage, and when.

The environment says it: `DRILL_DIR`, the folder that drill and processes share;
`DRILL_POINTS`, a JSON object of crash points, `{"create": "module:Class.method"}`;
`DRILL_CONSTANTS`, one of module constants, so that waiting is short; `DRILL_ENTRIES`, a
list of the modules that only a serving process imports. A function of Lambda has two
more: `DRILL_SERVICE`, since each service's modules are called `chalicelib` in it and
have the service's name here, and `DRILL_ACTOR`, whose points it reaches.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections import defaultdict
from pathlib import Path
from types import ModuleType
from typing import Any

from .after_import import Action, AfterImport
from .crash import Crash, watch_noting, watch_sending

WATCHED = {"send": watch_sending, "note": watch_noting}


class Changes:
    """The changes to make, by the module that they are made to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._entries = json.loads(os.environ["DRILL_ENTRIES"])
        self._service = os.environ.get("DRILL_SERVICE", "")
        self._constants = _by_module("DRILL_CONSTANTS")
        self._points = _by_module("DRILL_POINTS", of_values=True)
        self._planted: dict[str, Action] = {}

    def wants(self, name: str) -> bool:
        """Whether a module of this name is to be changed."""
        if name in self._entries:
            self._begin()
        return self._named(name) in self._constants | self._points | self._planted

    def make(self, module: ModuleType) -> None:
        """Change a module that was just imported."""
        name = self._named(module.__name__)
        for constant, value in self._constants[name]:
            setattr(module, constant, value)
        if plant := self._planted.get(name):
            plant(module)
        crash = Crash(self._folder, os.environ.get("DRILL_ACTOR"))
        for path, point in self._points[name]:
            crash.wrap(module, path, point, WATCHED.get(point))

    def _begin(self) -> None:
        """Learn which bug is planted in this process, and tell that it serves.

        A server's parent process lives longer than one bug, and its children have its
        modules: what it has imported is changed now.
        """
        (self._folder / "serving" / str(os.getpid())).touch()
        name = (self._folder / "planted").read_text().strip()
        if name:
            bug = importlib.import_module(f"tests.drill.planted.{name}")
            self._planted = dict(bug.PATCHES)
            for loaded in self._planted.keys() & sys.modules.keys():
                self._planted.pop(loaded)(sys.modules[loaded])

    def _named(self, module: str) -> str:
        """Name a module as the drill does."""
        package, dot, rest = module.partition(".")
        return f"{self._service}.{rest}" if dot and package == "chalicelib" else module


def install() -> None:
    """Change the product's modules as they are imported."""
    changes = Changes(Path(os.environ["DRILL_DIR"]))
    sys.meta_path.insert(0, AfterImport(changes.wants, changes.make))


def _by_module(
    variable: str, of_values: bool = False
) -> defaultdict[str, list[tuple[str, Any]]]:
    """Group `module:path` of the keys, or of the values, by module."""
    grouped = defaultdict(list)
    for name, value in json.loads(os.environ[variable]).items():
        where, other = (value, name) if of_values else (name, value)
        module, _, path = where.partition(":")
        grouped[module].append((path, other))
    return grouped
