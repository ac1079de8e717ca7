"""The command line: `python -m sandbox.runner run 1`."""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import asdict
from pathlib import Path

from . import asking
from .ports import PortTakenError
from .run import plan_for, run
from .stages import Stage, stage_of
from .state import RUN_ROOT, AlreadyRunningError, Places, read_state


def main() -> int:
    """Do what the command line asks for and return the exit status."""
    arguments = _arguments()
    try:
        stage = stage_of(arguments.stage)
        places = Places(arguments.run_root.resolve(), arguments.name or stage.name)
        if arguments.command == "status":
            return _show(places)
        if arguments.command == "restart":
            return _restart(
                stage, places, arguments.service, arguments.patience or 120.0
            )
        return _run(arguments, stage, places)
    except (ValueError, OSError, AlreadyRunningError, PortTakenError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # before anything was started
        return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox.runner")
    commands = parser.add_subparsers(dest="command", required=True)
    start = commands.add_parser("run", help="start a stage; Ctrl-C stops it")
    status = commands.add_parser("status", help="say whether and where a stage runs")
    restart = commands.add_parser("restart", help="replace a service of a stage")
    for command in (start, status, restart):
        command.add_argument("stage", nargs="?", default="1", help="1 to 4")
        command.add_argument("--name", type=_name, help="of the run (stage1)")
        command.add_argument(
            "--run-root", type=Path, default=RUN_ROOT, help="folder of all state (.run)"
        )
    restart.add_argument("service", help="its name: nlu")
    for command in (start, restart):
        command.add_argument("--patience", type=float, help="seconds")
    start.add_argument("--port-base", type=int, help="first port (8100 for stage 1)")
    start.add_argument("--env-file", type=Path, help="settings (.env of the stage)")
    start.add_argument(
        "--until-stdin-closes", action="store_true", help="stop with the caller"
    )
    return parser.parse_args()


def _name(words: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", words):
        raise argparse.ArgumentTypeError("letters, digits, - and _ only")
    return words


def _run(arguments: argparse.Namespace, stage: Stage, places: Places) -> int:
    plan = plan_for(
        stage,
        places,
        arguments.port_base,
        arguments.env_file or stage.path / ".env",
        arguments.patience or stage.patience,
    )
    return run(plan, arguments.until_stdin_closes)


def _restart(stage: Stage, places: Places, name: str, patience: float) -> int:
    stage.service(name)
    answer = asking.ask(places, name, patience)
    print(answer.words, file=sys.stdout if answer.done else sys.stderr)
    return 0 if answer.done else 1


def _show(places: Places) -> int:
    running = read_state(places)
    if running is None:
        print(f"{places.name} is not running (or not ready yet).")
        return 1
    for name, value in asdict(running).items():
        print(f"{name:12} {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
