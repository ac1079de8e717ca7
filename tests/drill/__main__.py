"""`python -m tests.drill --stage 1`: hurt a stage, and print what it stood."""

from __future__ import annotations

import argparse
import secrets
import sys
import time
import traceback

from sandbox.runner.state import RUN_ROOT

from .report import Figure, as_markdown, write_json
from .scenarios import EVERY, of_stage
from .sizes import SIZES, Size, size_of
from .stages import UNDER_DRILL
from .world import World, world


def main() -> int:
    """Run the scenarios; return 1 when a figure is not met."""
    asked = _arguments()
    figures: list[Figure] = []
    path = RUN_ROOT / f"drill-stage{asked.stage}-{asked.size}.json"
    with world(asked.stage, asked.seed) as ours:
        for name in asked.only or of_stage(asked.stage):
            began = time.monotonic()
            figures.append(_figure(name, ours, size_of(asked.stage, asked.size)))
            # What was found so far outlives whatever breaks next.
            write_json(figures, path)
            took = time.monotonic() - began
            print(f"{name}: {took:.0f} s", file=sys.stderr, flush=True)
    print(as_markdown(figures))
    print(f"\nAs JSON, with every detail: {path}")
    return 0 if all(figure.met for figure in figures) else 1


def _figure(name: str, ours: World, size: Size) -> Figure:
    try:
        return EVERY[name](ours, size)
    except Exception:
        told = traceback.format_exc()
        return Figure(name, 0, "that it ends", "it broke off", False, details=[told])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.drill")
    parser.add_argument(
        "--stage", type=int, default=1, choices=UNDER_DRILL, help="its number (1)"
    )
    parser.add_argument(
        "--size",
        choices=SIZES,
        default="drill",
        help="drill (the default), full: as in make test SIZE=full, or a tenth of that",
    )
    parser.add_argument(
        "--only",
        choices=EVERY,
        action="append",
        help="a scenario; may be repeated (all)",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=secrets.randbelow(10_000),
        help="of what is drawn at random; the table shows it",
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
