"""Sam commits an import of what is not there; who can still be served, who can ship?"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import requests

from sandbox.runner import RunningStage, StartError, asking
from sandbox.runner.stages import STAGES
from sandbox.runner.state import RUN_ROOT, Places
from tests.guest import Guest

from . import fleets, functions, strips
from .experiment import Experiment, Results
from .lab import Lab
from .pages import ITEM
from .watching import (
    PRODUCT,
    Mark,
    Watch,
    downtimes,
    listed,
    still_down,
    what_was_down,
)

PATIENCE_SECONDS = 60.0
ASK_SECONDS, ASK_PAUSE_SECONDS = 10.0, 0.2
PLENTY = 1_000_000
BROKEN_LINE = "import nothing_like_that"
# How long it takes to see that something is wrong.
NOTICE_SECONDS = 4.0
FUNCTION = "nlu-api"
SHIPPED, TAKEN_BACK = "Sam ships", "taken back"
SAMS = "chat"  # what guests do with it
STOPPED, ROLLED, SERVICES, FUNCTIONS = (
    "monolith, stopped and started",
    "monolith behind nginx, replaced while it serves",
    "services, `nlu` replaced",
    "function of `nlu` deployed",
)


def run(lab: Lab) -> Results:
    """Deploy Sam's commit in each way, and then Alex's, while guests come."""
    found = {}
    with (
        _copy(lab, 1) as folder,
        fleets.fleet(lab, 1, {"MONOLITH": str(folder)}) as running,
    ):
        watch = Watch(running, partial(fleets.fill, running, PRODUCT, PLENTY))
        sams = folder / "concierge" / "dialogue.py"
        found[STOPPED] = _tried(lab, STOPPED, watch, partial(_stop, running, sams))
        both_in_one = partial(_replace, running, sams, "web", "web")
        found[ROLLED] = _tried(lab, ROLLED, watch, both_in_one)
    with (
        _copy(lab, 2) as folder,
        lab.stage(replace(STAGES[2], folder=str(folder))) as running,
    ):
        watch = Watch(running)
        sams = folder / "nlu" / "dialogue.py"
        each_his_own = partial(_replace, running, sams, "nlu", "catalog")
        found[SERVICES] = _tried(lab, SERVICES, watch, each_his_own)
    with lab.stage(3) as running:
        watch = Watch(running)
        found[FUNCTIONS] = _tried(lab, FUNCTIONS, watch, partial(_deploy, running))
    return {"ways": found, "notice_seconds": NOTICE_SECONDS}


@contextmanager
def _copy(lab: Lab, number: int) -> Iterator[Path]:
    """Copy a stage's sources, so that nobody's checkout is broken; remove them."""
    folder = RUN_ROOT / f"{lab.run_name(number)}-sources"
    shutil.rmtree(folder, ignore_errors=True)
    leave = shutil.ignore_patterns("__pycache__", ".env")
    shutil.copytree(STAGES[number].path, folder, ignore=leave)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _tried(
    lab: Lab, title: str, watch: Watch, ship: Callable[[Mark], bool]
) -> dict[str, Any]:
    alex = False

    def happen(mark: Mark) -> None:
        nonlocal alex
        alex = ship(mark)

    found = watch.during(happen, before=2.0, after=6.0)
    alexs = "Alex could ship" if alex else "Alex could not ship"
    lab.say(f"{title}: {what_was_down(found['asks'])}; {alexs}")
    return found | {"alex_ships": alex}


def _stop(running: RunningStage, sams: Path, mark: Mark) -> bool:
    """Stop the old one, and start what does not start; then take it back."""
    good = sams.read_text(encoding="utf-8")
    _break(sams)
    mark(SHIPPED)
    fleets.stop(running)
    came_up = fleets.start(running)
    time.sleep(NOTICE_SECONDS)
    mark(TAKEN_BACK)
    sams.write_text(good, encoding="utf-8")
    if not fleets.start(running):
        raise StartError("The monolith does not come up again; see .run/.")
    return came_up


def _replace(
    running: RunningStage, sams: Path, his: str, alexs: str, mark: Mark
) -> bool:
    """Replace Sam's part by what does not start, and then Alex's; tell if that went."""
    good = sams.read_text(encoding="utf-8")
    _break(sams)
    mark(SHIPPED)
    if asking.ask(Places(RUN_ROOT, running.name), his, PATIENCE_SECONDS).done:
        raise StartError("What cannot be imported was taken for ready.")
    time.sleep(NOTICE_SECONDS)
    mark("Alex ships")
    answer = asking.ask(Places(RUN_ROOT, running.name), alexs, PATIENCE_SECONDS)
    sams.write_text(good, encoding="utf-8")
    return answer.done


def _deploy(running: RunningStage, mark: Mark) -> bool:
    """Deploy what cannot be imported; Lambda does not look. Then take it back.

    Returns:
        Whether the catalogue answers with Alex's line; a deployment ends old workers.
    """
    good, guest = functions.code(running, FUNCTION), Guest(running)
    mark(SHIPPED)
    functions.deploy(
        running, FUNCTION, functions.with_line(good, "app.py", BROKEN_LINE)
    )
    time.sleep(NOTICE_SECONDS)
    mark("Alex ships")
    alexs = functions.code(running, "catalog-api")
    functions.deploy(
        running, "catalog-api", functions.with_line(alexs, "app.py", "# Alex's")
    )
    ships = _answers(guest)
    mark(TAKEN_BACK)
    functions.deploy(running, FUNCTION, good)
    return ships


def _answers(guest: Guest) -> bool:
    """Ask the catalogue until it answers; its first worker takes a while to start."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        with suppress(requests.RequestException):
            if guest.get("/products", timeout=ASK_SECONDS).ok:
                return True
        time.sleep(ASK_PAUSE_SECONDS)
    return False


def _break(file: Path) -> None:
    with file.open("a", encoding="utf-8") as source:
        source.write(f"\n{BROKEN_LINE}\n")


def plot(results: Results, file: Path) -> None:
    """Draw what guests got, way by way."""
    watched = {
        f"{title.replace('`', '')}: Alex {_can(way)} ship": way
        for title, way in results["ways"].items()
    }
    strips.draw(file, watched, "Sam deploys a broken commit of the conversation")


def _can(way: dict[str, Any]) -> str:
    return "can" if way["alex_ships"] else "cannot"


def paragraph(results: Results) -> str:
    """Tell who was down, and whether Alex could ship meanwhile."""
    ways = results["ways"]
    told = ";\n".join(
        f"{ITEM}{title}: {what_was_down(way['asks'])}, and Alex {_can(way)} ship"
        for title, way in ways.items()
    )
    follows = [_told_waiting(ways)]
    seconds = {title: downtimes(ways[title]["asks"]) for title in (SERVICES, FUNCTIONS)}
    if seconds[FUNCTIONS][SAMS] > seconds[SERVICES][SAMS]:
        follows.append(_told_unseen(ways[FUNCTIONS]))
    if others := listed([n for n, s in seconds[FUNCTIONS].items() if s and n != SAMS]):
        follows.append(
            f"Sam's line is not in what answers {others}: new workers start there too, "
            "once Alex has shipped, and all of them on one machine."
        )
    return (
        "Sam's commit does not import. What guests noticed, by the way it was "
        f"shipped:\n\n{told}.\n\n{' '.join(follows)}"
    )


def _told_waiting(ways: dict[str, dict[str, Any]]) -> str:
    """Tell whether Alex waited at the monolith only, and guests with them."""
    if ways[ROLLED]["alex_ships"] or not ways[SERVICES]["alex_ships"]:
        return "That Alex waits at the monolith and only there was not seen this time."
    if any(max(downtimes(ways[way]["asks"]).values()) for way in (ROLLED, SERVICES)):
        return "The monolith has one door, and Sam's commit stands in it."
    return (
        "Whoever looks whether the new program answers before the old one is stopped "
        "has no downtime, monolith or not. What remains of the claim is the waiting: "
        "the monolith has one door, and Sam's commit stands in it."
    )


def _told_unseen(way: dict[str, Any]) -> str:
    """Tell how long the chat was down when nobody had looked at what was shipped."""
    at = dict(way["marks"])
    noticed = at[TAKEN_BACK] - at[SHIPPED]
    asks = way["asks"][SAMS]
    last, _, took = asks[-1]
    return (
        "The newer stage lost here: Lambda takes any code, nobody looked whether it "
        "can be imported, and the chat was down. The line was taken back after "
        f"{noticed:.0f} s, for so we made it (a person takes minutes); "
    ) + (
        f"the chat had not answered yet {last + took - at[TAKEN_BACK]:.0f} s later, "
        "when we looked no longer."
        if still_down(asks)
        else "the chat answered again when new workers had started, which takes "
        "seconds on a busy laptop and is no measure of Amazon's."
    )


EXPERIMENT = Experiment(
    name="broken-commit",
    claim="Alex's feature waits for Sam's broken commit",
    page="docs/tutorial/2-split-services.md#alex-no-longer-waits-for-sam",
    seconds=200,
    stages=(1, 2, 3),
    run=run,
    plot=plot,
    paragraph=paragraph,
)
