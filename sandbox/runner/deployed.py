"""What the deployment of a stage on the local AWS tells of itself.

The part `deploy` writes it when all of it is there; until then there is nothing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FILE = "deployment.json"


def forget(run_dir: Path) -> None:
    """Throw away what an earlier run wrote."""
    (run_dir / FILE).unlink(missing_ok=True)


def read(run_dir: Path) -> dict[str, Any]:
    """Return what the deployment tells, nothing until it is complete.

    Args:
        run_dir: the folder of the run's data.
    """
    try:
        found: dict[str, Any] = json.loads((run_dir / FILE).read_text("utf-8"))
    except FileNotFoundError:
        return {}
    return found
