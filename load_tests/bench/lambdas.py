"""Stage 3: what each function takes cold and warm, in time, memory and package.

The figures of Lambda's own are those of the `REPORT` lines in the logs, as on AWS. What
the local AWS writes there is poorer: it has no `Init Duration`, its `Duration` of a
first call has the start of the worker in it, what is billed is the duration in whole
milliseconds, and its `Max Memory Used` is the largest process of all that have ended,
whichever function it was. So the start is timed from outside, and memory is read from
the worker itself.
"""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import boto3
import psutil
import requests

from sandbox.runner import RunningStage
from tests.guest import Guest
from tests.schedule import TICK

from .load import LoadError

PREFIX = "concierge-local"
PRODUCT_ID = "candy-jar"
PATIENCE_SECONDS = 10.0
MIB = 1024 * 1024
WORKER = "_worker.py"
REPORT = re.compile(
    r"^REPORT RequestId: (?P<id>\S+)\s+Duration: (?P<duration>[\d.]+) ms\s+"
    r"Billed Duration: (?P<billed>\d+) ms\s+Memory Size: (?P<size>\d+) MB\s+"
    r"Max Memory Used: (?P<used>\d+) MB"
    r"(?:\s+Init Duration: (?P<init>[\d.]+) ms)?"
)

Say = Callable[[str], None]
Call = Callable[[], None]


@dataclass(frozen=True)
class Report:
    """A `REPORT` line: times in milliseconds, memory in MB as Lambda counts it.

    Attributes:
        request_id: of the call.
        duration: of the handler.
        billed: what is paid for.
        size: what the function may have.
        used: what it is said to have had at most.
        init: what came before the handler, where it is told.
    """

    request_id: str
    duration: float
    billed: int
    size: int
    used: int
    init: float | None


@dataclass
class Function:
    """What was measured of one function with one kind of call.

    Attributes:
        name: of the function, without the deployment's.
        call: what it was asked.
        cold: milliseconds to the answer where a worker had to be started.
        cold_reports: the `REPORT` lines of those calls.
        warm: milliseconds to the answer of a warm worker.
        warm_reports: the `REPORT` lines of those calls.
        resident: of the warm worker, MiB; None where it cannot be found.
        package: its zip, MiB.
        unpacked: the same unpacked, MiB; None where it cannot be found.
    """

    name: str
    call: str
    cold: list[float] = field(default_factory=list)
    cold_reports: list[Report] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)
    warm_reports: list[Report] = field(default_factory=list)
    resident: float | None = None
    package: float = 0.0
    unpacked: float | None = None


class Lambda:
    """The functions of a running stage.

    Args:
        stage: the running stage.
    """

    def __init__(self, stage: RunningStage) -> None:
        self._stage = stage
        self._functions = self._client("lambda")
        self._logs = self._client("logs")

    def configuration(self, function: str) -> dict[str, Any]:
        """Return what Lambda says of a function."""
        found: dict[str, Any] = self._functions.get_function_configuration(
            FunctionName=f"{PREFIX}-{function}"
        )
        return found

    def replace_workers(self, function: str) -> None:
        """Have the next call start a new worker."""
        now = self.configuration(function)
        self._functions.update_function_configuration(
            FunctionName=f"{PREFIX}-{function}", Timeout=now["Timeout"]
        )

    def invoke(self, function: str, event: dict[str, Any]) -> None:
        """Call a function straight.

        Raises:
            LoadError: it failed.
        """
        answer = self._functions.invoke(
            FunctionName=f"{PREFIX}-{function}", Payload=json.dumps(event)
        )
        if "FunctionError" in answer:
            raise LoadError(f"{function}: {answer['Payload'].read().decode()}")

    def reports(self, function: str, seen: set[str], wanted: int) -> list[Report]:
        """Return the new `REPORT` lines of a function, once there are so many.

        Args:
            function: its name.
            seen: requests that were reported before; the new ones are added.
            wanted: how many there must be.

        Raises:
            LoadError: they do not come.
        """
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            every = list(self._every_report(function))
            new = [report for report in every if report.request_id not in seen]
            if len(new) >= wanted:
                seen |= {report.request_id for report in new}
                return new[:wanted]
            time.sleep(0.1)
        raise LoadError(f"{function}: no {wanted} REPORT lines in its logs")

    def new_reports(self, function: str, seen: set[str]) -> list[Report]:
        """Return the `REPORT` lines of a function that there are and that are new.

        Args:
            function: its name.
            seen: requests that were reported before; the new ones are added.
        """
        every = self._every_report(function)
        new = [report for report in every if report.request_id not in seen]
        seen |= {report.request_id for report in new}
        return new

    def _every_report(self, function: str) -> Iterator[Report]:
        pages = self._logs.get_paginator("filter_log_events").paginate(
            logGroupName=f"/aws/lambda/{PREFIX}-{function}"
        )
        for page in pages:
            for event in page["events"]:
                if found := report_of(event["message"]):
                    yield found

    def _client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self._stage.aws_endpoint_url,
            region_name=self._stage.region,
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 (of the local AWS)
        )


def report_of(line: str) -> Report | None:
    """Read a `REPORT` line; None of any other."""
    found = REPORT.match(line)
    if found is None:
        return None
    return Report(
        request_id=found["id"],
        duration=float(found["duration"]),
        billed=int(found["billed"]),
        size=int(found["size"]),
        used=int(found["used"]),
        init=float(found["init"]) if found["init"] else None,
    )


def measure(
    stage: RunningStage, cold: int, warm: int, say: Say
) -> list[dict[str, Any]]:
    """Measure each function, one call after the other.

    Args:
        stage: the running stage.
        cold: how often a worker is started anew.
        warm: how many calls of a warm worker.
        say: tells how it goes on.

    Raises:
        LoadError: a call failed, or was not reported.
    """
    functions = Lambda(stage)
    found = []
    for name, words, call in _calls(functions, Guest(stage)):
        say(f"{name}: {words}")
        one = Function(name, words)
        _measure_cold(functions, one, call, cold)
        _measure_warm(functions, one, call, warm)
        worker = worker_of(stage, name)
        one.package = functions.configuration(name)["CodeSize"] / MIB
        if worker:
            one.resident = worker.memory_info().rss / MIB
            one.unpacked = _unpacked(worker) / MIB
        found.append(asdict(one))
    return found


def _measure_cold(functions: Lambda, one: Function, call: Call, times: int) -> None:
    call()
    seen: set[str] = set()
    functions.reports(one.name, seen, 1)
    for _ in range(times):
        functions.replace_workers(one.name)
        one.cold.append(_timed(call))
        one.cold_reports += functions.reports(one.name, seen, 1)


def _measure_warm(functions: Lambda, one: Function, call: Call, times: int) -> None:
    call()
    seen: set[str] = set()
    functions.reports(one.name, seen, 1)
    one.warm = [_timed(call) for _ in range(times)]
    one.warm_reports = functions.reports(one.name, seen, times)


def _timed(call: Call) -> float:
    began = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - began)


def _calls(functions: Lambda, guest: Guest) -> Iterator[tuple[str, str, Call]]:
    """Return each function, what it is asked in words, and the call."""
    said = {"type": "unstructured", "unstructured": {"text": "I need flowers"}}

    def asked(method: str, path: str, **options: Any) -> Call:
        def call() -> None:
            right(guest.request(method, path, **options))

        return call

    yield "catalog-api", "GET /products/{id}", asked("GET", f"/products/{PRODUCT_ID}")
    yield "nlu-api", "POST /nlu", asked("POST", "/nlu", json={"messages": [said]})
    yield "checkout-api", "POST /checkout", lambda: right(guest.buy(PRODUCT_ID))
    yield (
        "checkout-sweep",
        "nothing to do",
        lambda: functions.invoke("checkout-sweep", TICK),
    )
    yield (
        "catalog-stock_shelves",
        "41 products",
        lambda: functions.invoke("catalog-stock_shelves", {}),
    )


def right(answer: requests.Response) -> None:
    """Let an answer pass.

    Raises:
        LoadError: it is not the right one.
    """
    if answer.status_code != HTTPStatus.OK:
        raise LoadError(f"{answer.url}: {answer.status_code} {answer.text[:200]}")


def worker_of(stage: RunningStage, function: str) -> psutil.Process | None:
    """Return a process that runs a function of a stage on this machine, if any does."""
    return next(workers_of(stage, function), None)


def workers_of(stage: RunningStage, function: str) -> Iterator[psutil.Process]:
    """Return the processes that run a function of a stage on this machine."""
    begin = f"ministack-lambda-{PREFIX}-{function}-"
    for process in psutil.Process(stage.runner_pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            words = process.cmdline()
            if words and words[-1].endswith(WORKER) and begin in words[-1]:
                yield process


def _unpacked(worker: psutil.Process) -> int:
    """Return the bytes of the code that a worker runs."""
    code = Path(worker.cmdline()[-1]).parent / "code"
    files = (path for path in code.rglob("*") if "__pycache__" not in path.parts)
    return sum(path.stat().st_size for path in files if path.is_file())
