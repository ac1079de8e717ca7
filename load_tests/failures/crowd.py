"""Many guests buy while `catalog` hangs: `python -m load_tests.failures.crowd`.

Do those who only want to see their orders still get an answer, and is anything bought
afterwards for guests who have long gone?
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import requests

from load_tests.bench import machine
from sandbox.runner import RunningStage, started
from sandbox.runner.state import RUN_ROOT
from tests.backstage import backstage_of

from .breaking import hung
from .operations import OPERATIONS, PARTNER_KEY, PRODUCT, Answer, Visitor, ask

PORT_BASE = 8260
BUYERS = 20
CAP_SECONDS = 15.0
# For what a service that woke up finds in its queue.
AFTERWARDS_SECONDS = 3.0
NAME = "stage2-crowd.json"
RESULTS = Path(__file__).resolve().parents[1] / "results"

NAMED = {operation.name: operation for operation in OPERATIONS}


def main() -> int:
    """Try it with and without resilience; return 1 when it is not as promised."""
    parser = argparse.ArgumentParser(
        prog="python -m load_tests.failures.crowd", description=__doc__
    )
    parser.add_argument("--save", action="store_true", help=f"write to {RESULTS}, too")
    options = parser.parse_args()
    found: dict[str, Any] = {"machine": machine.describe()}
    for resilience in ("on", "off"):
        env = {
            "RESILIENCE": resilience,
            "NLU_ENGINE": "rules",
            "PARTNER_API_KEY": PARTNER_KEY,
        }
        with started(2, name="stage2-crowd", port_base=PORT_BASE, env=env) as running:
            backstage_of(running).set_stock(PRODUCT, 1_000_000)
            found[resilience] = _tried(running)
    words = json.dumps(found, indent=1) + "\n"
    print(words)
    for folder in (RUN_ROOT, *([RESULTS] if options.save else [])):
        folder.mkdir(exist_ok=True)
        (folder / NAME).write_text(words, encoding="utf-8")
        print(f"Written: {folder / NAME}")
    careful = found["on"]
    answered = all(status == 200 for status, _ in careful["orders"])
    return 0 if answered and not careful["bought for nobody"] else 1


def _tried(stage: RunningStage) -> dict[str, Any]:
    visitor = Visitor(stage, spare=0)
    with hung(stage, "catalog"), ThreadPoolExecutor(BUYERS) as crowd:
        buying = [
            crowd.submit(ask, NAMED["checkout"], visitor, CAP_SECONDS)
            for _ in range(BUYERS)
        ]
        time.sleep(0.5)
        orders = [ask(NAMED["orders"], visitor, CAP_SECONDS) for _ in range(3)]
        bought = [each.result() for each in buying]
    time.sleep(AFTERWARDS_SECONDS)
    page = requests.get(
        f"{stage.api_url}/orders?limit=50", headers=visitor.headers, timeout=60
    ).json()
    told = sum(answer.status == 200 for answer in bought)
    return {
        "orders": _written(orders),
        "checkouts": _written(bought),
        # All but the visitor's first, and those that were told to have been bought.
        "bought for nobody": len(page["orders"]) - 1 - told,
    }


def _written(answers: list[Answer]) -> list[tuple[int | None, float]]:
    return sorted(((a.status, round(a.seconds, 1)) for a in answers), key=str)


if __name__ == "__main__":
    sys.exit(main())
