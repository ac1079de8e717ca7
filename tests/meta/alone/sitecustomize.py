"""Hides packages, as if they were not installed: put this folder on PYTHONPATH.

`HIDDEN_PACKAGES` names them, with commas between.
"""

import importlib.abc
import os
import sys

HIDDEN = frozenset(os.environ.get("HIDDEN_PACKAGES", "").split(","))


class Hiding(importlib.abc.MetaPathFinder):
    """Finds nothing, and keeps others from finding what is hidden."""

    def find_spec(self, fullname, path=None, target=None):
        """Stand in the way of a hidden package's top, and of nothing else."""
        if fullname in HIDDEN:
            raise ModuleNotFoundError(
                f"{fullname} is not in this service's requirements.txt",
                name=fullname,
            )


sys.meta_path.insert(0, Hiding())
