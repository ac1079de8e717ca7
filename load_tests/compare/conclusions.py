"""What a comparison says, in sentences made from its figures, whoever wins."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from load_tests.costs import figures, servers
from load_tests.costs.prices import prices
from load_tests.costs.table import NAMES
from load_tests.costs.usage import Usage
from load_tests.intervals import Figure

from .result import Result, StageResult, Times
from .summary import (
    BASE,
    BUSY_GENERATOR,
    DISTURBED,
    IDLE_STAGE,
    LATENCIES,
    Summary,
)
from .visits import CHECKOUT

ENOUGH_ROUNDS = 5
ON_MINISTACK = (3, 4)
MONOLITH = "concierge"
TOLD = {
    "products": "the products",
    "question": "a question to the concierge",
    "checkout": "the answer to the checkout",
    "bought": "an order until it is confirmed",
}
BILLED = Usage(Decimal(10_000))
SERVICES = ("identity", "catalog", "nlu", "checkout", "notifications")


def paragraphs(result: Result, found: dict[int, Summary]) -> list[str]:
    """Return the paragraphs of conclusions.

    Args:
        result: the comparison.
        found: its figures.
    """
    told = [
        " ".join(_how_sure(result, found)),
        *(
            " ".join(_against_base(stage, found[stage], result.cores))
            for stage in found
            if stage != BASE and found[stage].ratios
        ),
        " ".join(_checkout(result, found)),
        " ".join(_memory(result, found)),
        _ministack(result, found),
    ]
    return [paragraph for paragraph in told if paragraph]


def _how_sure(result: Result, found: dict[int, Summary]) -> Iterator[str]:
    rounds = min((len(stage.turns) for stage in result.stages.values()), default=0)
    if result.interrupted:
        yield "Ended early: only what was measured until then is here."
    wrong = {stage: each.errors for stage, each in found.items() if each.errors}
    for stage, errors in wrong.items():
        yield (
            f"{errors} of {found[stage].asked} answers of stage {stage} were wrong: "
            "its other figures are of what went well, and too good."
        )
    if found and not wrong:
        asked = sum(each.asked for each in found.values())
        yield f"None of {asked:,} answers was wrong."
    if rounds < ENOUGH_ROUNDS:
        yield (
            f"With {_rounds(rounds)} the intervals are wide or missing; believe five "
            "and more."
        )
    busiest = max((each.generator_share for each in found.values()), default=0.0)
    yield f"The generator used at most {_percent(busiest)} of one core" + (
        ": it limits the fastest stage, whose figures are too low."
        if busiest > BUSY_GENERATOR
        else ", so that it limits no stage."
    )
    if result.cores:
        yield (
            "Each stage had one core for all its processes while it was measured; the "
            "generator and the other stages, which were up and idle, had the rest."
        )
    else:
        yield "The stage, the generator and the idle stages shared all cores."
    taken = {stage: each.others_share or 0.0 for stage, each in found.items()}
    disturbed = {stage: share for stage, share in taken.items() if share > DISTURBED}
    if disturbed:
        shares = ", ".join(
            f"{_percent(share)} of stage {stage}'s"
            for stage, share in disturbed.items()
        )
        yield (
            f"Other programs of this machine took {shares} core: rates and times are "
            "worse for it and intervals wider; CPU of a visit bears it better. Measure "
            "again while nothing else runs."
        )
    if result.beside:
        yield (
            f"{', '.join(result.beside)} ran beside them and took CPU: stop it, and "
            "measure again."
        )


def _against_base(stage: int, summary: Summary, cores: int) -> Iterator[str]:
    ratios = summary.ratios
    who = f"Stage {stage} ({NAMES[stage]})"
    if visits := ratios.get("visits"):
        yield (
            _compared(
                visits,
                who,
                "makes {} visits a second than the monolith",
                "more",
                "fewer",
            )
            + f": {_times(visits)} as many."
        )
    if cpu := ratios.get("cpu a visit"):
        yield _compared(cpu, "A visit", "takes {} CPU", "more", "less") + (
            f": {_times(cpu)} as much."
        )
    slower = {
        name: ratios[f"p50 {name}"] for name in LATENCIES if f"p50 {name}" in ratios
    }
    if slower:
        told = [f"{TOLD[name]} {_times(ratio)}" for name, ratio in slower.items()]
        yield f"At the median, over the monolith's time: {', '.join(told)}."
    if summary.idle_share and summary.idle_share > IDLE_STAGE:
        idle = f"idle for {_percent(summary.idle_share)} of the time"
        yield (
            f"Its core was {idle}: its guests waited for what is not CPU, and more of "
            "them would get more visits."
            if cores
            else f"The cores, which all shared, were {idle}: its guests waited for "
            "what is not CPU, or its processes could not use more of them."
        )
    if slower and visits and visits.below and cpu and cpu.above:
        held = [TOLD[name] for name, ratio in slower.items() if not ratio.above]
        yield "On one machine it loses" + (
            f", but for {' and '.join(held)}." if held else " on all counts."
        )


def _checkout(result: Result, found: dict[int, Summary]) -> Iterator[str]:
    """Tell what a guest who pays waits for, where one stage does not let them wait."""
    last, before = result.stages.get(4), result.stages.get(3)
    if not last or not before or 4 not in found or 3 not in found:
        return
    accepted, waited = last.pooled.get(CHECKOUT), before.pooled.get(CHECKOUT)
    until, bought = (found[n].figures.get("p50 bought") for n in (4, 3))
    if not (accepted and waited and until and bought):
        return
    yield (
        f"Asynchronous: the checkout is answered after {_ms(accepted)} at stage 4 and "
        f"{_ms(waited)} at stage 3 (medians), but the order is confirmed after "
        f"{until.estimate:,.0f} ms and {bought.estimate:,.0f} ms."
    )
    cpu = [found[n].figures.get("cpu a visit") for n in (4, 3)]
    if cpu[0] and cpu[1]:
        more = cpu[0].estimate / cpu[1].estimate
        yield (
            f"It takes {more:.2f} times the CPU of stage 3: asynchronous is "
            + ("not cheaper" if more >= 1 else "not dearer here")
            + "; what it is for is Stripe being slow or away, which nobody was here."
        )


def _memory(result: Result, found: dict[int, Summary]) -> Iterator[str]:
    if BASE not in found:
        return
    own = found[BASE].unique
    for stage, each in found.items():
        if stage != BASE and own:
            yield (
                f"Stage {stage} holds {each.unique:,.0f} MiB of its own in "
                f"{each.processes} processes, {each.unique / own:.1f} times the "
                f"monolith's {own:,.0f}."
            )
    services = result.stages.get(2)
    if not services:
        return
    held = {part: _workers(services, part, 1) for part in SERVICES}
    mine = _workers(result.stages[BASE], MONOLITH, result.stages[BASE].workers)
    others = [sizes[0] for part, sizes in held.items() if sizes and part != "nlu"]
    if mine and others and held["nlu"]:
        yield (
            f"A worker of the monolith holds {_from_to(mine)} MiB of its own (USS, "
            "right after its last turn), for each does everything, language and "
            "passwords; of the services nlu holds "
            f"{held['nlu'][0]:,.0f}, the others {_from_to(others)}: {_instances()}."
        )


def _instances() -> str:
    """Tell which services the bill puts on more than the smallest instance."""
    known = prices()
    smallest = min(known.instances, key=lambda machine: machine.mib)
    chosen = servers.fleets(BILLED, figures.services(), known)
    larger = [
        f"{name} ({it.machine.name})"
        for name, it in chosen.items()
        if it.machine != smallest
    ]
    if not larger:
        return (
            f"`make bill` puts each of them on the smallest instance, {smallest.name}"
        )
    only = "only " if len(larger) == 1 else ""
    return (
        f"`make bill` puts {only}{' and '.join(larger)} on more than the smallest "
        f"instance, {smallest.name}"
    )


def _ministack(result: Result, found: dict[int, Summary]) -> str:
    where = (
        "all on the one core that the monolith had to itself"
        if result.cores
        else "all on the cores that everything here shared"
    )
    if not set(ON_MINISTACK) & found.keys():
        return ""
    return (
        "What this cannot show: stages 3 and 4 ran on MiniStack, where API Gateway, "
        "Cognito's checks, DynamoDB and the queues are one Python process and each "
        f"function is one more, {where}. On AWS these are others' machines, functions "
        "scale out, and nobody pays for them while nobody comes. So their throughput "
        "and latency here say nothing about Lambda's: what they cost there is reckoned "
        "by `make bill`, and where they end by `make limits USERS=100000`. Nothing "
        "here was run on AWS."
    )


def _workers(stage: StageResult, part: str, count: int) -> list[float]:
    """Return what the largest processes of a kind hold: its workers, not its master."""
    sizes = sorted(held.unique for held in stage.memory if held.part == part)
    return sizes[-count:] if count else []


def _from_to(sizes: list[float]) -> str:
    least, most = f"{min(sizes):,.0f}", f"{max(sizes):,.0f}"
    return least if least == most else f"{least} to {most}"


def _times(figure: Figure) -> str:
    told = f"{figure.estimate:.2f} times"
    if figure.low is None or figure.high is None:
        return told
    return f"{told} ({figure.low:.2f} to {figure.high:.2f})"


def _compared(figure: Figure, who: str, does: str, more: str, less: str) -> str:
    if figure.above or figure.below:
        return f"{who} {does.format(more if figure.above else less)}"
    either = does.format(f"{more} or {less}")
    who = who if who[1].isupper() else who[0].lower() + who[1:]
    return f"These rounds cannot tell whether {who} {either}"


def _ms(times: Times) -> str:
    return f"{times.p50:,.0f} ms"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _rounds(count: int) -> str:
    return "one round" if count == 1 else f"{count} rounds"
