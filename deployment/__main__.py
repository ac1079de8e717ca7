"""The command line: `python -m deployment up --stage 3 --env dev`."""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from . import estimate, queues, story
from .cloud import wait_until_there
from .dependencies import DependenciesMissing
from .down import down
from .folder import folder
from .logs import follow
from .packaging import PackagingFailed
from .redrive import redrive, switch
from .settings import LOCAL, REPOSITORY, Deployment, SettingsError, deployment
from .stacks import StackFailed
from .steps import say
from .up import redeploy, up


def main() -> int:
    """Do what the command line asks for and return the exit status."""
    arguments = _arguments()
    try:
        _find_local(arguments)
        chosen = deployment(arguments.stage, arguments.env)
        return _do(arguments, chosen)
    except (SettingsError, StackFailed, PackagingFailed, DependenciesMissing) as error:
        print(error, file=sys.stderr)
    except (BotoCoreError, ClientError) as error:
        print(f"AWS: {error}", file=sys.stderr)
    except OSError as error:
        print(error, file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    return 1


def _do(arguments: argparse.Namespace, chosen: Deployment) -> int:
    match arguments.command:
        case "up":
            return _up(chosen, arguments)
        case "redeploy":
            redeploy(chosen, arguments.service)
        case "down":
            return _down(chosen)
        case "logs":
            for line in follow(chosen, arguments.service, arguments.follow):
                say(str(line))
        case "estimate":
            say(estimate.monthly(chosen))
        case "queues":
            say(queues.table(chosen))
        case "order":
            for words in story.told(chosen, arguments.id):
                say(words)
        case "redrive":
            sent = redrive(chosen, arguments.queue)
            say(f"Sent to {arguments.queue} again: {sent} dead letters.")
            _tell_of_giving_up(chosen, arguments.queue)
        case "pause" | "resume" as command:
            switch(chosen, arguments.queue, on=command == "resume")
            done = "goes on" if command == "resume" else "is paused; messages wait"
            say(f"Taking from {arguments.queue} {done}.")
            if command == "pause":
                _tell_of_giving_up(chosen, arguments.queue)
        case "folder":
            say(str(folder(chosen, arguments.service)))
    return 0


def _tell_of_giving_up(chosen: Deployment, queue: str) -> None:
    """Say for how long orders may wait, where whoever takes them gives them up."""
    seconds = queues.gives_up_after(chosen, queue)
    if seconds is not None:
        say(
            f"An order that is taken up {_length(seconds)} after it was accepted, or "
            f"later, is ended uncharged: {queues.GIVE_UP} says so, and is read when "
            "the whole stage is deployed."
        )


def _length(seconds: float) -> str:
    """Return a length of time for people.

    >>> _length(14400), _length(90)
    ('4 hours', '90 seconds')
    """
    hours = seconds / 3600
    return f"{hours:g} hours" if hours >= 1 else f"{seconds:g} seconds"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m deployment")
    commands = parser.add_subparsers(dest="command", required=True)
    words = {
        "up": "deploy everything that has changed",
        "redeploy": "deploy one service again",
        "down": "remove everything and list what is left",
        "logs": "show the functions' log lines",
        "estimate": "say what a month costs",
        "queues": "show what waits in the queues, and the dead letters",
        "redrive": "send a queue's dead letters, several of one order, to it again",
        "pause": "let a queue's messages wait",
        "resume": "let them be taken again",
        "order": "tell an order's story across the services",
        "folder": "make a copy of a service in which `chalice deploy` works",
    }
    for command, help_text in words.items():
        one = commands.add_parser(command, help=help_text)
        one.add_argument("--stage", type=int, default=3, help="3 or 4")
        one.add_argument("--env", default=LOCAL, help="the deployment's name (local)")
        one.add_argument("--run", help="of `make run-stage` (stage3)")
        if command == "up":
            one.add_argument("--result", type=Path, help="file for where everything is")
            one.add_argument(
                "--then-wait", action="store_true", help="stay until a signal"
            )
        if command in {"redeploy", "logs", "folder"}:
            one.add_argument("--service", default="", help="its name: nlu")
        if command in {"redrive", "pause", "resume"}:
            one.add_argument("--queue", required=True, help="its name: charge-order")
        if command == "order":
            one.add_argument("--id", required=True, help="of the order: ord_...")
        if command == "logs":
            one.add_argument("--follow", action="store_true", help="go on")
    return parser.parse_args()


def _find_local(arguments: argparse.Namespace) -> None:
    """Aim at the AWS of the running stage, unless the environment says where to.

    The credentials of somebody's account never go to the laptop's AWS, and a local
    deployment never goes to somebody's account.
    """
    if arguments.env != LOCAL:
        if os.environ.get("AWS_ENDPOINT_URL"):
            raise SettingsError("AWS_ENDPOINT_URL is set: unset it, or use ENV=local.")
        return
    state = REPOSITORY / ".run" / f"{arguments.run or f'stage{arguments.stage}'}.json"
    if "AWS_ENDPOINT_URL" not in os.environ and state.is_file():
        found = json.loads(state.read_text(encoding="utf-8"))
        os.environ["AWS_ENDPOINT_URL"] = found["aws_endpoint_url"]
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        os.environ.pop(name, None)
    os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


def _up(chosen: Deployment, arguments: argparse.Namespace) -> int:
    if chosen.endpoint:
        wait_until_there(chosen.endpoint)
    deployed = up(chosen)
    if arguments.result:
        draft = arguments.result.with_suffix(".new")
        draft.write_text(json.dumps(deployed.as_dict(), indent=2) + "\n", "utf-8")
        draft.replace(arguments.result)
    say(f"Deployed: {deployed.site_url}/index.html (API {deployed.api_url})")
    if arguments.then_wait:
        threading.Event().wait()
    return 0


def _down(chosen: Deployment) -> int:
    left = down(chosen)
    if not left:
        say(f"Nothing is left of {chosen.prefix}.")
        return 0
    print("\n".join(["Left over, remove by hand:", *left]), file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
