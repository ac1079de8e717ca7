"""Sam commits an import of what is not there; who can still be served, who can ship?"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from sandbox.runner import RunningStage, StartError, asking
from sandbox.runner.stages import STAGES
from sandbox.runner.state import RUN_ROOT, Places

from . import fleets, functions, strips
from .experiment import Experiment, Results
from .lab import Lab
from .pages import ITEM
from .watching import PRODUCT, Mark, Watch, downtimes, what_was_down

PATIENCE_SECONDS = 60.0
PLENTY = 1_000_000
BROKEN_LINE = "import nothing_like_that"
# How long it takes to see that something is wrong and to take it back.
NOTICE_SECONDS = 4.0
FUNCTION = "nlu-api"
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
    mark("Sam ships")
    fleets.stop(running)
    came_up = fleets.start(running)
    time.sleep(NOTICE_SECONDS)
    mark("taken back")
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
    mark("Sam ships")
    if asking.ask(Places(RUN_ROOT, running.name), his, PATIENCE_SECONDS).done:
        raise StartError("What cannot be imported was taken for ready.")
    time.sleep(NOTICE_SECONDS)
    mark("Alex ships")
    answer = asking.ask(Places(RUN_ROOT, running.name), alexs, PATIENCE_SECONDS)
    sams.write_text(good, encoding="utf-8")
    return answer.done


def _deploy(running: RunningStage, mark: Mark) -> bool:
    """Deploy what cannot be imported; Lambda does not look. Then take it back."""
    good = functions.code(running, FUNCTION)
    mark("Sam ships")
    functions.deploy(
        running, FUNCTION, functions.with_line(good, "app.py", BROKEN_LINE)
    )
    time.sleep(NOTICE_SECONDS)
    mark("Alex ships")
    alexs = functions.code(running, "catalog-api")
    functions.deploy(
        running, "catalog-api", functions.with_line(alexs, "app.py", "# Alex's")
    )
    mark("taken back")
    functions.deploy(running, FUNCTION, good)
    return True


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
    words = []
    down = {title: max(downtimes(way["asks"]).values()) for title, way in ways.items()}
    if not ways[ROLLED]["alex_ships"] and ways[SERVICES]["alex_ships"]:
        words.append(
            "Whoever looks whether the new program answers before the old one is "
            "stopped has no downtime, monolith or not. What remains of the claim is "
            "the waiting: the monolith has one door, and Sam's commit stands in it."
            if not down[ROLLED]
            else "The monolith has one door, and Sam's commit stands in it."
        )
    if down[FUNCTIONS] > down[SERVICES]:
        words.append(
            "The newer stage lost here: Lambda takes any code, nobody looked whether "
            "it can be imported, and the chat was down until somebody noticed (after "
            f"{results['notice_seconds']:g} s, as we made it; a person takes minutes) "
            "and new workers had started, which takes seconds on a busy laptop and is "
            "no measure of Amazon's."
        )
    follows = " ".join(words) or "Nothing of the claim was seen this time."
    return (
        "Sam's commit does not import. What guests noticed, by the way it was "
        f"shipped:\n\n{told}.\n\n{follows}"
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
