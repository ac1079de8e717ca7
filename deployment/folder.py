"""A copy of a service's folder in which plain `chalice deploy` works.

CloudFormation fills the names of tables and APIs into a service's policies and
settings; Chalice alone has nobody who does. So they are filled in here, from what is
deployed, and what the service imports lies in `vendor/` as small as in its package.
What is deployed from there is somebody's own copy of one service, with a role and an
API of its own, on the tables of all.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import packaging, stacks, values
from .cloud import account
from .intrinsics import Filled
from .settings import LOCAL, REGION, Deployment, SettingsError

CONFIG = Path(".chalice") / "config.json"
OWNER_ONLY = 0o700


def folder(deployment: Deployment, service: str) -> Path:
    """Make the copy, or make it what the service's folder says now.

    What Chalice wrote down of its last deployment from there stays.

    Args:
        deployment: whose tables and APIs it is to use.
        service: its name.

    Returns:
        Where it is. It holds the key to Stripe, and is for its owner's eyes.

    Raises:
        SettingsError: nothing is deployed yet that it could use, or Chalice alone
            cannot deploy this service.
    """
    if service not in deployment.services:
        there = ", ".join(deployment.services)
        raise SettingsError(f"There is no service {service!r}. There are: {there}.")
    _refuse_queues(deployment, service)
    copy = deployment.build / "folders" / service
    copy.mkdir(parents=True, exist_ok=True)
    copy.chmod(OWNER_ONLY)
    vendor = copy / "vendor"
    shutil.rmtree(vendor, ignore_errors=True)
    packaging.mirror(deployment.folder / service, copy)
    requirements = copy / packaging.REQUIREMENTS
    with zipfile.ZipFile(
        packaging.imports_of(copy, requirements, deployment.build)
    ) as imports:
        imports.extractall(vendor)
    requirements.write_text("")
    fill(copy, _known(deployment, service), values.roles(deployment))
    return copy


def fill(copy: Path, known: Mapping[str, str], roles: Mapping[str, str]) -> None:
    """Fill values into the policies and the settings of a service's folder.

    Args:
        copy: the folder; its files are changed.
        known: values of parameters.
        roles: ARNs of roles by function, where the account's own are to be used.
    """
    template = json.loads((copy / packaging.PARAMETERS).read_text("utf-8"))
    filled = Filled(template, known)
    config = json.loads((copy / CONFIG).read_text("utf-8"))
    functions = config["stages"][packaging.CHALICE_STAGE]["lambda_functions"]
    for name, settings in functions.items():
        path = copy / ".chalice" / settings["iam_policy_file"]
        policy = filled.value(json.loads(path.read_text("utf-8")))
        path.write_text(json.dumps(policy, indent=2) + "\n", "utf-8")
        variables = _function(template, name)["Environment"]["Variables"]
        settings["environment_variables"] = filled.value(variables)
        role = roles.get(f"{copy.name}-{'api' if name == 'api_handler' else name}")
        if role:
            settings |= {"manage_iam_role": False, "iam_role_arn": role}
    (copy / CONFIG).write_text(json.dumps(config, indent=2) + "\n", "utf-8")


def _refuse_queues(deployment: Deployment, service: str) -> None:
    """Refuse a service with a function that takes messages from a queue.

    Chalice alone looks for a queue with the name in `app.py`, which the deployed one
    has not, and its event source would lack `ReportBatchItemFailures`, without which
    Lambda deletes what failed. Both are in the template that CloudFormation merges.
    """
    template = json.loads(
        (deployment.folder / service / packaging.PARAMETERS).read_text("utf-8")
    )
    merged = (resource["Properties"] for resource in template["Resources"].values())
    if any("Events" in properties for properties in merged):
        instead = (
            "make redeploy STAGE=4"
            if deployment.env == LOCAL
            else f"make deploy STAGE=4 ENV={deployment.env}"
        )
        raise SettingsError(
            f"{service} takes messages from a queue, and plain `chalice deploy` "
            "finds neither the queue nor may it say which messages failed. Deploy it "
            f"with `{instead} SERVICE={service}`."
        )


def _function(template: Mapping[str, Any], name: str) -> Any:
    """Return the properties of a function: `api_handler` is `APIHandler` there."""
    plain = name.replace("_", "").lower()
    (found,) = [
        resource["Properties"]
        for logical, resource in template["Resources"].items()
        if logical.lower() == plain
    ]
    return found


def _known(deployment: Deployment, service: str) -> dict[str, str]:
    stack = stacks.find(deployment.stack(service))
    if stack is None:
        raise SettingsError(
            f"{service} uses what is deployed already, and nothing is: deploy the "
            "whole first."
        )
    given = {p["ParameterKey"]: p["ParameterValue"] for p in stack["Parameters"]}
    pseudo = {
        "AWS::Partition": "aws",
        "AWS::Region": REGION,
        "AWS::AccountId": account(),
    }
    # The stack does not tell its secrets; the settings do.
    return given | values.told(deployment) | pseudo
