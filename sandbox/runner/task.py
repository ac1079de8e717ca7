"""Run a command of a service beside it: `python -m sandbox.runner.task 2 identity ...`.

It gets the environment of that service of a running stage, secrets included.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Mapping
from urllib.parse import urlsplit

from . import environment, ports
from .stages import RUN_COMMAND, Service, Stage, stage_of
from .state import RUN_ROOT, Places, read_state


def main() -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.runner.task")
    parser.add_argument("stage", help="1 to 4")
    parser.add_argument("service", help="whose command it is: identity")
    parser.add_argument("module", help="as python -m takes it: identity.rotate")
    parser.add_argument("--name", help="of the run (stage2)")
    arguments = parser.parse_args()
    try:
        stage = stage_of(arguments.stage)
        service = stage.service(arguments.service)
        env = service_environment(stage, service, arguments.name or stage.name)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    command = [sys.executable, "-m", arguments.module]
    return subprocess.run(command, cwd=stage.path, env=env).returncode  # noqa: S603


def service_environment(stage: Stage, service: Service, name: str) -> Mapping[str, str]:
    """Return the environment of a service of a run.

    Args:
        stage: the stage.
        service: one of its services.
        name: of the run.

    Raises:
        ValueError: it does not run.
    """
    places = Places(RUN_ROOT, name)
    running = read_state(places)
    if running is None:
        raise ValueError(f"{name} does not run. Start it: {RUN_COMMAND} {stage.number}")
    site = urlsplit(running.site_url).port or stage.port_base
    user = environment.user_environment(stage.path / ".env")
    base = None if site == stage.port_base else site
    numbers = ports.assigned(stage, base, user)
    told = environment.services_environment(stage, numbers, places.data)
    env = environment.part_environment(user, numbers, places.data, told)
    port = site + service.offsets[0]
    return environment.of_service(stage, service, port, env)


if __name__ == "__main__":
    sys.exit(main())
