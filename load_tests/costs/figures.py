"""What one request costs in work: measured where there is a result, assumed elsewhere.

Results are read from `load_tests/results/`; what they lack, from `assumptions.yaml`.
Every set of figures tells its own basis, and the bill prints it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from .prices import decimals
from .work import Call, FunctionFigures, ServerFigures, Service, Traffic

ASSUMPTIONS = Path(__file__).with_name("assumptions.yaml")
RESULTS = Path(__file__).resolve().parents[1] / "results"
STAGES = Path(__file__).resolve().parents[2]
FUNCTION_FOLDERS = {3: "stage3_serverless", 4: "stage4_async"}
CONNECTIONS = 16


class FiguresError(Exception):
    """A result or an assumption cannot be used; the message says what to do."""


@cache
def assumptions() -> Mapping[Any, Any]:
    """Read `assumptions.yaml`, each number as an exact decimal."""
    found: Mapping[Any, Any] = decimals(ASSUMPTIONS.read_text(encoding="utf-8"))
    return found


def monolith(engine: str = "light", results: Path = RESULTS) -> ServerFigures:
    """Return stage 1's figures, measured by `make bench STAGE=1`.

    Args:
        engine: `light` or `strong`.
        results: the folder of results.

    Raises:
        FiguresError: there is no result, or it lacks an operation.
    """
    assumed = assumptions()[Decimal(1)]
    result = _result(results / "stage1-bench.json")
    if result is None:
        raise FiguresError("No stage1-bench.json: run `make bench STAGE=1` and --save.")
    at_load = {
        figure["operation"]: figure
        for figure in result["figures"]
        if figure["connections"] == CONNECTIONS
    }
    cpu = {name: figure["cpu"] for name, figure in at_load.items()}
    if missing := {"products", "chat", "checkout"} - cpu.keys():
        raise FiguresError(f"stage1-bench.json lacks {', '.join(sorted(missing))}.")
    cpu |= {name: cpu[other] for name, other in assumed["like"].items()}
    cpu |= assumed["cpu_ms"]
    worker = max(each["proportional"] for each in at_load["checkout"]["memory"])
    basis = [
        f"CPU of products, chat, checkout; memory: measured, {_when(result)}",
        "CPU of looking at an order and signing in: ASSUMED",
    ]
    if engine == "strong":
        worker = assumed["strong"]["worker_mib"]
        cpu["chat"] += assumed["strong"]["cpu_ms"]["chat"]
        basis.append("NLU_ENGINE=strong, memory and CPU: ASSUMED")
    product = result["comparisons"][0]
    share = product["database_cpu"][0] / product["cpu"][0]
    basis.append("PostgreSQL's CPU: measured for products, its share ASSUMED for all")
    return ServerFigures(
        services=(Service("monolith", cpu, worker),),
        database_cpu_ms={
            name: cost * share if name != "sign_in" else product["database_cpu"][0]
            for name, cost in cpu.items()
        },
        inner_calls={},
        cache_nodes=Decimal(0),
        traffic=_traffic(result["bytes"]),
        rules=assumptions()["servers"],
        basis=tuple(basis),
    )


def services(engine: str = "light", results: Path = RESULTS) -> ServerFigures:
    """Return stage 2's figures, measured by `make bench STAGE=2` if that was kept.

    Args:
        engine: `light` or `strong`.
        results: the folder of results.

    Raises:
        FiguresError: there is no result of stage 1, which the split begins from.
    """
    one, assumed = monolith(engine, results), assumptions()[Decimal(2)]
    cpu: dict[str, dict[str, Decimal]] = {name: {} for name in assumed["worker_mib"]}
    for operation, split in assumed["split"].items():
        for name, share in split.items():
            part = one.services[0].cpu_ms[operation] * share
            cpu[name][operation] = part * assumed["over_monolith"]
    memory = dict(assumed["worker_mib"])
    result = _result(results / "stage2-bench.json")
    if result is None:
        basis = ["all: ASSUMED from stage 1 and the figures in stage 2's README"]
    else:
        basis = [f"memory, CPU of a visit: measured, {_when(result)}; split: ASSUMED"]
        measured = result["mix"]["cpu"]["services"]
        cpu = {name: _scaled(each, measured[name]) for name, each in cpu.items()}
        memory = {
            name: at["proportional"]
            for name, at in result["memory"]["services"].items()
        }
    if engine == "strong":
        memory["nlu"] += (
            one.services[0].worker_mib
            - monolith("light", results).services[0].worker_mib
        )
        basis.append("NLU_ENGINE=strong, memory and CPU: ASSUMED")
    return ServerFigures(
        services=tuple(Service(name, cpu[name], memory[name]) for name in cpu),
        database_cpu_ms=one.database_cpu_ms,
        inner_calls=assumed["inner_calls"],
        cache_nodes=assumed["cache_nodes"],
        traffic=one.traffic,
        rules=one.rules,
        basis=tuple(basis),
    )


def functions(stage: int, results: Path = RESULTS) -> FunctionFigures:
    """Return the figures of stage 3 or 4.

    A result `stage3-calls.json` has `machine`, as every result, `where` it was
    measured, and the members of `assumptions.yaml` that it replaces: `operations`, or
    `calls`, where `billed_ms` may stand for `cpu_ms` and `wait_ms`.

    Args:
        stage: 3 or 4.
        results: the folder of results.
    """
    assumed = dict(assumptions()[Decimal(stage)])
    result = _result(results / f"stage{stage}-calls.json")
    basis = ["all: ASSUMED, counted in the code; never measured on AWS"]
    if result:
        said = sorted(result.keys() & assumed.keys())
        assumed |= result
        place = f" {result['where']}" if "where" in result else ""
        basis = [
            f"{', '.join(said)}: measured{place}, {_when(result)}",
            "all else: ASSUMED, counted in the code; never measured on AWS",
        ]
    calls = [*assumed["calls"], *assumed["regular"]]
    return FunctionFigures(
        calls=tuple(_call(stage, call) for call in calls),
        operations=assumed["operations"],
        polls=assumed.get("queues", Decimal(0)) * assumed.get("polls_a_queue", 0),
        alarms=assumed.get("alarms", Decimal(0)),
        traffic=_traffic(),
        rules=assumptions()["functions"],
        basis=tuple(basis),
    )


def billed_ms(cpu_ms: Decimal, wait_ms: Decimal, memory_mb: Decimal) -> Decimal:
    """Return what Lambda bills for a call, in whole milliseconds, rounded up.

    A function gets the part of a vCPU that its memory is of 1,769 MB (AWS Lambda
    Developer Guide, "Configure Lambda function memory"); one thread uses one at most.

    Args:
        cpu_ms: milliseconds on a whole vCPU.
        wait_ms: milliseconds of waiting, which are billed as well.
        memory_mb: what the function is given.
    """
    vcpu = min(Decimal(1), memory_mb / 1769)
    return (cpu_ms / vcpu + wait_ms).to_integral_value(rounding="ROUND_CEILING")


def memory_of(stage: int, function: str) -> Decimal:
    """Return a function's memory in MB, as its service's Chalice settings have it."""
    settings = STAGES / FUNCTION_FOLDERS[stage] / function / ".chalice" / "config.json"
    if settings.exists():
        told = json.loads(settings.read_text(encoding="utf-8"))
        if "lambda_memory_size" in told:
            return Decimal(told["lambda_memory_size"])
    found: Decimal = assumptions()["functions"]["memory_mb"][function]
    return found


def _traffic(products_bytes: Decimal | None = None) -> Traffic:
    assumed = assumptions()
    answers = dict(assumed["answer_bytes"])
    if products_bytes is not None:
        answers["products"] = products_bytes
    return Traffic(
        answer_bytes=answers,
        log_bytes=assumed["log_bytes"],
        letters=assumed["letters"],
        **assumed["site"],
    )


def _call(stage: int, call: Mapping[str, Any]) -> Call:
    memory = memory_of(stage, call["function"])
    return Call(
        function=call["function"],
        memory_mb=memory,
        times=call["times"],
        billed_ms=call["billed_ms"]
        if "billed_ms" in call
        else billed_ms(call["cpu_ms"], call["wait_ms"], memory),
        init_ms=assumptions()["functions"]["init_ms"][call["function"]],
        api=call.get("api", False),
        reads=call.get("reads", Decimal(0)),
        operation=call.get("operation", ""),
    )


def _scaled(assumed: dict[str, Decimal], measured: Decimal) -> dict[str, Decimal]:
    """Scale operations so that the benchmark's visit costs what was measured."""
    visit = {"products": 1, "chat": 2, "checkout": 1, "order": 1}
    whole = sum(cost * visit.get(name, 0) for name, cost in assumed.items())
    if not whole:
        return assumed
    return {name: cost * measured / whole for name, cost in assumed.items()}


def _when(result: Mapping[str, Any]) -> str:
    machine = result["machine"]
    return f"{str(machine['measured'])[:10]}, commit {machine['commit']}"


def _result(path: Path) -> dict[str, Any] | None:
    if not path.exists():
        return None
    found: dict[str, Any] = json.loads(
        path.read_text(encoding="utf-8"), parse_float=Decimal, parse_int=Decimal
    )
    return found
