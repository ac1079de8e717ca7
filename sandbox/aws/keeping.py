"""What the local AWS knows, kept as a whole: all of its services, or as it was before.

MiniStack writes a file a service when it has ended every call, and a call that runs can
last half a minute: whoever stops it while a crowd is there kills it first, and has
nothing. So its state is written before anything is ended, and now and then before that,
for whom it is killed. The files are made aside and put in place together: a bucket that
is there and a stack that does not know of it are a deployment that cannot go on.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from shutil import rmtree
from typing import Any

# Beside the state: being written, and whole but not yet in place.
DRAFT, WHOLE = "state.new", "state.whole"
# Of the time that a service's state may be changed under the hands of who reads it.
TRIES = 5
PAUSE_SECONDS = 0.05

log = logging.getLogger("keeping")
States = Mapping[str, Callable[[], Any]]


class Unsettled(Exception):
    """The state cannot be kept as it is now; the message says why."""


def keep(states: States, folder: Path, words: Callable[[str, Any], str]) -> None:
    """Put the state of all services in place of what was kept before.

    Args:
        states: what returns the state of each, or None if it has none.
        folder: where MiniStack reads it from.
        words: writes the state of a service, which it is told first.

    Raises:
        Unsettled: it cannot be kept now; what was kept before is still there.
    """
    written = {name: _written(name, state, words) for name, state in states.items()}
    draft = folder.with_name(DRAFT)
    rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    for name, state in written.items():
        if state is not None:
            (draft / f"{name}.json").write_text(state, "utf-8")
    settle(folder)
    draft.rename(folder.with_name(WHOLE))
    settle(folder)


def settle(folder: Path) -> None:
    """Put in place what was written whole and not put there, for the writer died."""
    whole = folder.with_name(WHOLE)
    if not whole.is_dir():
        return
    folder.mkdir(parents=True, exist_ok=True)
    for file in whole.iterdir():
        file.replace(folder / file.name)
    whole.rmdir()


def is_there(folder: Path) -> bool:
    """Tell whether a state was ever kept there."""
    return any(folder.glob("*.json"))


def _written(
    name: str, state: Callable[[], Any], words: Callable[[str, Any], str]
) -> str | None:
    """Return a service's state in words; None if it has none to keep.

    Raises:
        Unsettled: it changes too quickly to be read.
    """
    for _ in range(TRIES):
        try:
            known = state()
            return None if known is None else words(name, known)
        except RuntimeError as error:  # "changed size during iteration"
            log.debug("%s changes while it is read: %s", name, error)
            time.sleep(PAUSE_SECONDS)
    raise Unsettled(f"The state of {name} changes too quickly to be kept.")
