"""What is kept of an experiment: its results as JSON and its plot as PNG."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sandbox.runner.state import RUN_ROOT

from .experiment import Results

RUNS = RUN_ROOT / "experiments"
SAVED = Path(__file__).resolve().parents[1] / "results" / "experiments"


def folder(name: str, measured: str) -> Path:
    """Return where a run's files go.

    Args:
        name: of the experiment.
        measured: when it began, in ISO 8601.
    """
    time = measured[:19].replace("-", "").replace(":", "").replace("T", "-")
    return RUNS / f"{name}-{time}"


def save(
    result: dict[str, Any], plot: Callable[[Results, Path], None], path: Path
) -> None:
    """Write a result and its plot, so that a reader sees both or the old ones.

    Args:
        result: with its machine, commit and date.
        plot: draws what it has as `results`.
        path: without an ending.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    drafts = {end: path.with_name(f".{path.name}{end}") for end in (".json", ".png")}
    words = json.dumps(result, indent=1, ensure_ascii=False) + "\n"
    drafts[".json"].write_text(words, encoding="utf-8")
    plot(result["results"], drafts[".png"])
    for end, draft in drafts.items():
        draft.replace(path.with_name(path.name + end))


def saved(name: str) -> dict[str, Any]:
    """Return the committed result of an experiment.

    Raises:
        LookupError: there is none; the message says how to get one.
    """
    path = SAVED / f"{name}.json"
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LookupError(
            f"No {path}. Run it first: make experiment NAME={name} SAVE=yes"
        ) from None
    return found
