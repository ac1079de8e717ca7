"""The program with the language engine hangs; who else notices?"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from load_tests import plots
from load_tests.bench.lambdas import workers_of
from load_tests.bench.servers import server_at
from load_tests.failures.breaking import hung
from sandbox.runner import RunningStage, StartError

from . import strips
from .experiment import Experiment, Results
from .lab import Lab
from .watching import CAP_SECONDS, Mark, Watch, downtimes, what_was_down

HANG_SECONDS = 8.0
STAGES = (1, 2, 3)
WHAT = {1: "the monolith", 2: "the service `nlu`", 3: "the function of `nlu`"}


def run(lab: Lab) -> Results:
    """Hang it at each stage for the same time, while guests do what guests do."""
    return {
        "hang_seconds": HANG_SECONDS,
        "cap_seconds": CAP_SECONDS,
        "watched": {str(stage): _tried(lab, stage) for stage in STAGES},
    }


def _tried(lab: Lab, stage: int) -> Results:
    with lab.stage(stage) as running:
        watch = Watch(running)
        lab.say(f"stage {stage}: {WHAT[stage]} hangs for {HANG_SECONDS:g} s")

        def hang(mark: Mark) -> None:
            with _hung(lab, running):
                mark("hangs")
                time.sleep(HANG_SECONDS)
            mark("goes on")

        found = watch.during(hang)
    lab.say(f"stage {stage}: {what_was_down(found['asks'])}")
    return found


@contextmanager
def _hung(lab: Lab, running: RunningStage) -> Iterator[None]:
    if running.stage == 2:
        with hung(running, "nlu"):
            yield
        return
    if running.stage == 1:
        master = server_at(lab.port_base(1)).master
        them = [psutil.Process(master), *psutil.Process(master).children()]
    else:
        them = list(workers_of(running, "nlu-api"))
    if not them:
        raise StartError("Nothing runs the language engine: nothing can hang.")
    for process in them:
        process.suspend()
    try:
        yield
    finally:
        for process in them:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()


def plot(results: Results, file: Path) -> None:
    """Draw what guests got, stage by stage."""
    watched = {
        f"{plots.stage_name(int(stage))}: {WHAT[int(stage)]} hangs".replace("`", ""): it
        for stage, it in results["watched"].items()
    }
    seconds = results["hang_seconds"]
    strips.draw(file, watched, f"The language engine hangs for {seconds:g} s")


def paragraph(results: Results) -> str:
    """Tell who lost what."""
    told = "; ".join(
        f"at stage {stage} ({WHAT[int(stage)]}) {what_was_down(each['asks'])}"
        for stage, each in results["watched"].items()
    )
    words = [
        "The program that understands guests hung for "
        f"{results['hang_seconds']:g} s. Guests without an answer within "
        f"{results['cap_seconds']:g} s asked again: {told}."
    ]
    down = {
        stage: {name for name, seconds in downtimes(each["asks"]).items() if seconds}
        for stage, each in results["watched"].items()
    }
    isolated = [stage for stage in down if stage != "1" and down[stage] <= {"chat"}]
    spread = [stage for stage in down if stage != "1" and not down[stage] <= {"chat"}]
    if isolated and down["1"] > {"chat"}:
        words.append(
            f"Guests of {_stages(isolated)} kept what guests of the monolith lost: "
            "the failure stayed where it was."
        )
    if spread:
        words.append(
            f"At {_stages(spread)} it did not stay where it was: more than the chat "
            "failed there, and being split did not help."
        )
    if not down["1"] > {"chat"}:
        words.append("The monolith lost no more than the others, this time.")
    return " ".join(words)


def _stages(numbers: list[str]) -> str:
    return ("stage " if len(numbers) == 1 else "stages ") + " and ".join(numbers)


EXPERIMENT = Experiment(
    name="kill-nlu",
    claim="Failure isolation: the chat fails, and people still check out",
    page="docs/tutorial/2-split-services.md#one-is-down-the-others-serve",
    seconds=150,
    stages=STAGES,
    run=run,
    plot=plot,
    paragraph=paragraph,
)
