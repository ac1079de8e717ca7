"""What `chalice deploy` would do in a folder, as JSON: `python chalice_plan.py`.

It is Chalice's own plan of calls to AWS, for an account with nothing in it.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from chalice.cli.factory import CLIFactory
from chalice.deploy import deployer
from chalice.deploy.executor import BaseExecutor
from chalice.deploy.models import APICall, Plan
from chalice.utils import UI
from moto import mock_aws

ZIP = {"zip_contents"}
CALLS: list[tuple[str, dict[str, Any]]] = []


class Kept(BaseExecutor):
    """Keeps the calls of a plan instead of making them."""

    def execute(self, plan: Plan) -> None:
        CALLS.extend(
            (each.method_name, {k: v for k, v in each.params.items() if k not in ZIP})
            for each in plan.instructions
            if isinstance(each, APICall)
        )


def main() -> None:
    factory = CLIFactory(".")
    config = factory.create_config_obj("dev")
    session = factory.create_botocore_session()
    recorder = deployer.NoopResultsRecorder
    made = deployer._create_deployer(session, config, UI(sys.stderr), Kept, recorder)
    with mock_aws():
        made.deploy(config, "dev")
    print(json.dumps(CALLS, default=plain))


def plain(value: Any) -> Any:
    """Return a value that a plan only names, by its name."""
    return (
        getattr(value, "name", None) or getattr(value, "template", None) or str(value)
    )


if __name__ == "__main__":
    main()
