"""A hole in the server software is closed: what is restarted, what is down?"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from load_tests.bench.lambdas import PREFIX
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
SERVICE = "checkout"
SERVICES = tuple(service.name for service in STAGES[2].services)
FUNCTIONS = ("checkout-api", "checkout-sweep")
STOPPED, ROLLED, ONE, ALL, FUNCTION = (
    "monolith, stopped and started",
    "monolith behind nginx, replaced while it serves",
    f"services, `{SERVICE}` replaced",
    "services, all five replaced",
    f"functions of `{SERVICE}` deployed again",
)


def run(lab: Lab) -> Results:
    """Close the hole in each way, while guests do what guests do."""
    found = {}
    with fleets.fleet(lab, 1) as running:
        watch = Watch(running, partial(fleets.fill, running, PRODUCT, PLENTY))
        found[STOPPED] = _tried(lab, STOPPED, ["web"], watch, partial(_stop, running))
        roll = partial(_replace, running, ["web"])
        found[ROLLED] = _tried(lab, ROLLED, ["web"], watch, roll)
    with lab.stage(2) as running:
        watch = Watch(running)
        for title, names in ((ONE, [SERVICE]), (ALL, list(SERVICES))):
            roll = partial(_replace, running, names)
            found[title] = _tried(lab, title, names, watch, roll)
    with lab.stage(3) as running:
        deploy, names = partial(_deploy, running), list(FUNCTIONS)
        found[FUNCTION] = _tried(lab, FUNCTION, names, Watch(running), deploy)
    return {"ways": found}


def _tried(
    lab: Lab, title: str, names: list[str], watch: Watch, patch: Callable[[], None]
) -> dict[str, Any]:
    took = 0.0

    def happen(mark: Mark) -> None:
        nonlocal took
        mark("patch")
        began = time.monotonic()
        patch()
        took = time.monotonic() - began
        mark("done")

    found = watch.during(happen, before=2.0, after=6.0)
    lab.say(f"{title}: {took:.1f} s, {what_was_down(found['asks'])}")
    return found | {"replaced": names, "seconds": round(took, 1)}


def _stop(running: RunningStage) -> None:
    fleets.stop(running)
    # Here the machine would be patched, which takes longer.
    if not fleets.start(running):
        raise StartError("The monolith does not come up again; see .run/.")


def _replace(running: RunningStage, names: list[str]) -> None:
    places = Places(RUN_ROOT, running.name)
    for name in names:
        answer = asking.ask(places, name, PATIENCE_SECONDS)
        if not answer.done:
            raise StartError(answer.words)


def _deploy(running: RunningStage) -> None:
    lambdas = functions.client(running)
    for name in FUNCTIONS:
        code = functions.code(running, name)
        patched = functions.with_line(code, "app.py", "# patched")
        functions.deploy(running, name, patched)
        with suppress(lambdas.exceptions.ClientError):  # then it is there already
            lambdas.get_waiter("function_updated_v2").wait(
                FunctionName=f"{PREFIX}-{name}"
            )


def plot(results: Results, file: Path) -> None:
    """Draw what guests got, way by way."""
    watched = {
        f"{title.replace('`', '')} ({way['seconds']:.1f} s)": way
        for title, way in results["ways"].items()
    }
    strips.draw(file, watched, "A hole in the server software is closed")


def paragraph(results: Results) -> str:
    """Tell what was down by each way, and how much had to be replaced."""
    ways = results["ways"]
    told = ";\n".join(
        f"{ITEM}{title}: {what_was_down(way['asks'])}" for title, way in ways.items()
    )
    words = []
    longest = {
        title: max(downtimes(way["asks"]).values()) for title, way in ways.items()
    }
    if longest[STOPPED] and not longest[ROLLED]:
        words.append(
            "So it is not being a monolith that costs the downtime, but having one "
            "copy and no load balancer: behind nginx the monolith is patched without "
            "anybody noticing, too."
        )
    elif longest[ROLLED]:
        words.append(
            "Behind nginx, too, guests of the monolith noticed: the whole of it is "
            "replaced, and whatever goes wrong goes wrong for everybody."
        )
    one, all_of_them = ways[ONE]["seconds"], ways[ALL]["seconds"]
    words.append(
        "Where the hole is in something that all five services use, as it is with "
        f"gunicorn, five are to be replaced, in {all_of_them:.0f} s instead of "
        f"{one:.0f}, and the monolith in {ways[ROLLED]['seconds']:.0f}: "
        + (
            "splitting made that *more* work."
            if all_of_them > ways[ROLLED]["seconds"]
            else "that was not more work than the monolith's."
        )
    )
    words.append(
        "A function's server is Amazon's to patch; what is yours, its packages, is "
        f"deployed in {ways[FUNCTION]['seconds']:.0f} s"
        + (
            " without a failure."
            if not longest[FUNCTION]
            else ", and guests noticed: a new worker starts when somebody asks, which "
            "takes seconds here, on a busy laptop, and is no measure of Amazon's."
        )
    )
    return (
        "To close a hole, programs are replaced while guests come. What was down, by "
        f"the way it was done:\n\n{told}.\n\n{' '.join(words)}"
    )


EXPERIMENT = Experiment(
    name="security-patch",
    claim="A hole in the server software: patch every instance",
    page="docs/tutorial/2-split-services.md#a-hole-in-the-server-software",
    seconds=200,
    stages=(1, 2, 3),
    run=run,
    plot=plot,
    paragraph=paragraph,
)
