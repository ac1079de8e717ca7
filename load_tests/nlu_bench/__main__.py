"""Measure every engine and print tables: `make nlu-bench DATA=<folder>`."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ..bench.statistics import percentile
from .figures import accuracy, auroc, macro_f1
from .measure import rows

ENGINES = ("rules", "light", "strong")
LONGEST_SECONDS = 1800


def measured(*what: str) -> dict[str, Any]:
    """Return a measurement made by a fresh process.

    Raises SystemExit when that fails; its own words are on standard error.
    """
    print(f"nlu-bench: {' '.join(what)} ...", file=sys.stderr)
    # One thread, as the server runs: more would make one message look cheaper.
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "load_tests.nlu_bench.measure", *what],
        env=environment,
        stdout=subprocess.PIPE,
        timeout=LONGEST_SECONDS,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"nlu-bench: measuring {' '.join(what)} failed, see above")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def public_table(folder: str) -> str:
    """Return the table on a public data set: quality, speed, start, memory."""
    python, flask = measured("memory", "python"), measured("memory", "flask")
    body = []
    for engine in ENGINES:
        asked = measured("public", engine, folder)
        answers = [(meant, heard) for meant, heard, _ in asked["answers"]]
        alone, served = (
            measured("memory", parts) for parts in (engine, f"flask+{engine}")
        )
        body.append(
            [
                engine,
                f"{accuracy(answers):.2f}",
                f"{macro_f1(answers):.2f}",
                *_speed(asked["milliseconds"]),
                f"{measured('start', engine)['seconds']:.2f}",
                _more(alone, python),
                _more(served, flask),
            ]
        )
    head = [
        *("engine", "accuracy %", "macro-F1 %", "p50 ms", "p99 ms", "start s"),
        *("over bare Python, RSS / USS MB", "over bare Flask, RSS / USS MB"),
    ]
    return _table(head, body)


def own_table() -> str:
    """Return the table on our own held-out phrases."""
    body = []
    for engine in ENGINES:
        asked = measured("own", engine)
        ours = [answer for answer in asked["answers"] if answer[0] is not None]
        others = [answer for answer in asked["answers"] if answer[0] is None]
        shares = (
            accuracy([(meant, heard) for meant, heard, _ in part])
            for part in (asked["answers"], ours, others)
        )
        area = auroc(*([sure for _, _, sure in part] for part in (ours, others)))
        body.append(
            [
                engine,
                *(f"{share:.2f}" for share in shares),
                f"{area:.4f}",
                *_speed(asked["milliseconds"]),
            ]
        )
    head = [
        *("engine", "right %", "in scope %", "out of scope %"),
        *("out-of-scope AUROC", "p50 ms", "p99 ms"),
    ]
    return _table(head, body)


def _speed(milliseconds: Sequence[float]) -> list[str]:
    return [f"{percentile(milliseconds, at):.3f}" for at in (50, 99)]


def _more(held: dict[str, Any], bare: dict[str, Any]) -> str:
    return " / ".join(f"{held[kind] - bare[kind]:.1f}" for kind in ("rss", "uss"))


def _table(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Measure, and print Markdown."""
    parser = argparse.ArgumentParser(prog="make nlu-bench DATA=<folder>")
    parser.add_argument("folder", help="holds train.csv and test.csv (text, category)")
    folder = parser.parse_args().folder
    if not folder:
        parser.error("say where train.csv and test.csv are: DATA=<folder>")
    try:
        sizes = [len(rows(Path(folder) / f"{part}.csv")) for part in ("train", "test")]
    except (OSError, ValueError) as error:
        parser.error(str(error))
    name = Path(folder).resolve().name
    print(f"{name}: {sizes[0]} training and {sizes[1]} test texts, ", end="")
    print(f"Python {platform.python_version()}, {platform.machine()}.")
    print(
        "Times are of each message's median of three; start and memory with our own "
        "phrases; MB of 10^6 bytes.\n",
        flush=True,
    )
    print(public_table(folder), end="\n\n", flush=True)
    print(f"Our own held-out phrases:\n\n{own_table()}", flush=True)


if __name__ == "__main__":
    main()
