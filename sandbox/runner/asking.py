"""What another terminal asks of a run: `python -m sandbox.runner restart 2 nlu`.

A request is a file in the run's folder; so is its answer. The runner looks for one
whenever it looks after its parts.
"""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .state import Places, read_state

STEP_SECONDS = 0.1


@dataclass(frozen=True)
class Request:
    """Replace a service.

    Attributes:
        id: of the request.
        service: by its name.
    """

    id: str
    service: str


@dataclass(frozen=True)
class Answer:
    """What became of a request.

    Attributes:
        id: of the request.
        done: whether it was done.
        words: what happened, for a person.
    """

    id: str
    done: bool
    words: str


def ask(places: Places, service: str, patience: float) -> Answer:
    """Ask a run to replace a service, and wait for the answer.

    Args:
        places: of the run.
        service: by its name.
        patience: seconds to wait.

    Raises:
        ValueError: there is no such run, or it did not answer in time.
    """
    if read_state(places) is None:
        raise ValueError(f"{places.name} is not running (or not ready yet).")
    request = Request(uuid.uuid4().hex, service)
    _write(_request_file(places), asdict(request))
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        told = _read(_answer_file(places))
        if told and told["id"] == request.id:
            _answer_file(places).unlink(missing_ok=True)
            return Answer(**told)
        if read_state(places) is None:
            raise ValueError(f"{places.name} has stopped meanwhile.")
        time.sleep(STEP_SECONDS)
    raise ValueError(f"{places.name} did not answer within {patience:g} s.")


def take(places: Places) -> Request | None:
    """Take the request that waits, if there is one."""
    told = _read(_request_file(places))
    _request_file(places).unlink(missing_ok=True)
    return Request(**told) if told else None


def answer(places: Places, told: Answer) -> None:
    """Answer a request."""
    _write(_answer_file(places), asdict(told))


def _request_file(places: Places) -> Path:
    return places.data / "restart.request"


def _answer_file(places: Places) -> Path:
    return places.data / "restart.answer"


def _write(path: Path, told: dict[str, Any]) -> None:
    draft = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    draft.write_text(json.dumps(told), encoding="utf-8")
    draft.replace(path)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found
