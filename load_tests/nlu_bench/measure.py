"""One measurement, in a process of its own: `python -m load_tests.nlu_bench.measure`.

Prints JSON. What is measured first would otherwise pay for the imports of all, and
memory that one engine leaves behind would be counted for the next.
"""

from __future__ import annotations

import csv
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil

PROJECT = Path(__file__).resolve().parents[2]
HELD_OUT = PROJECT / "tests" / "unit" / "held_out_phrases.txt"
# A message's time is its median over these, so that the percentiles over messages tell
# of the engine and not of what else the machine was doing.
PASSES = 3
Row = tuple[str, str]


def memory(parts: str) -> dict[str, Any]:
    """Return the megabytes (of 10^6 bytes) held with these parts, such as flask+light.

    An engine holds our own phrases and has answered a hundred of them.
    """
    kept = [_load(part) for part in parts.split("+")]
    info = psutil.Process().memory_full_info()
    del kept
    return {"rss": info.rss / 1e6, "uss": info.uss / 1e6}


def _load(part: str) -> object:
    if part == "python":
        return None
    if part == "flask":
        from flask import Flask

        app = Flask("bare")
        app.add_url_rule("/", "index", lambda: "hello")
        app.test_client().get("/")
        return app
    from concierge.understanding import load_engine

    engine = load_engine(part)
    for number in range(100):
        engine.classify(f"a table for {number} people tomorrow, please")
    return engine


def start(engine: str) -> dict[str, Any]:
    """Return how long an engine takes to be ready, imports and all, in seconds."""
    started = time.perf_counter()
    from concierge.understanding import load_engine

    load_engine(engine)
    return {"seconds": time.perf_counter() - started}


def public(engine: str, folder: str) -> dict[str, Any]:
    """Teach an engine a folder's train.csv, and ask it its test.csv."""
    from concierge.intents import Intent
    from concierge.understanding import teach

    train, test = (rows(Path(folder) / name) for name in ("train.csv", "test.csv"))
    names = sorted({category for _, category in train})
    intents = [
        Intent(name, "", tuple(text for text, category in train if category == name))
        for name in names
    ]
    taught = teach(engine, intents)
    return _asked(taught.classify, test) | {"train": len(train), "names": len(names)}


def own(engine: str) -> dict[str, Any]:
    """Ask an engine our own held-out phrases."""
    from concierge.intents import load_intents
    from concierge.understanding import load_engine

    held_out = load_intents(HELD_OUT)
    test = [(phrase, intent.name) for intent in held_out for phrase in intent.phrases]
    return _asked(load_engine(engine).classify, test)


def _asked(
    classify: Callable[[str], tuple[str | None, float]], test: Sequence[Row]
) -> dict[str, Any]:
    from concierge.intents import OUT_OF_SCOPE

    answers = [
        (None if category == OUT_OF_SCOPE else category, *classify(text))
        for text, category in test
    ]
    timed = [[_milliseconds(classify, text) for text, _ in test] for _ in range(PASSES)]
    middle = [statistics.median(passes) for passes in zip(*timed, strict=True)]
    return {"answers": answers, "milliseconds": middle}


def _milliseconds(classify: Callable[[str], object], text: str) -> float:
    started = time.perf_counter_ns()
    classify(text)
    return (time.perf_counter_ns() - started) / 1e6


def rows(path: Path) -> list[Row]:
    """Read the texts and categories of a CSV file with those two columns.

    Raises ValueError when a column or every row is missing, OSError when the file is.
    """
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if not {"text", "category"} <= set(reader.fieldnames or ()):
            raise ValueError(f"{path} needs the columns text and category")
        found = [(row["text"], row["category"]) for row in reader]
    if not found:
        raise ValueError(f"{path} has no rows")
    return found


def main(name: str, *arguments: str) -> None:
    """Run the measurement of that name and print its result."""
    measurements: dict[str, Callable[..., dict[str, Any]]] = {
        "memory": memory,
        "start": start,
        "public": public,
        "own": own,
    }
    print(json.dumps(measurements[name](*arguments)))


if __name__ == "__main__":
    main(*sys.argv[1:])
