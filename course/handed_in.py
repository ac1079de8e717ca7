"""What is graded: the files of a student, in the place of the shipped ones."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType


def path(name: str) -> Path:
    """Return a file of what is graded.

    Args:
        name: of the file, from the folder that one works in.
    """
    return Path(os.environ["EXERCISE_FOLDER"]) / name


def module(file: str, name: str) -> ModuleType:
    """Load a file as a module, for all who import one of that name from now on.

    Its relative imports lead to the shipped modules beside it, or to others that were
    loaded so before.

    Args:
        file: of what is graded.
        name: of the module, with its packages.
    """
    spec = importlib.util.spec_from_file_location(name, path(file))
    if spec is None or spec.loader is None:
        raise ValueError(f"{file} is no module of Python.")
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[name] = loaded
    spec.loader.exec_module(loaded)
    package, _, last = name.rpartition(".")
    if package:
        setattr(sys.modules[package], last, loaded)
    return loaded
