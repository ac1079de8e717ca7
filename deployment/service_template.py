"""A service's template: what `chalice package` writes, made fit for a deployment.

Chalice writes down the functions, their roles and the service's own API, with what the
service's `.chalice/parameters.json` adds. Added here are names, for readers of logs and
bills, and log groups, so that they end with the stack.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .templates import Template

LOG_DAYS = 14
FUNCTION = "AWS::Serverless::Function"
API_HANDLER = "APIHandler"
SECRETS = {"StripeApiKey"}


@dataclass(frozen=True)
class Package:
    """Where a service's zip lies: a bucket and a key."""

    bucket: str
    key: str


def service_template(
    packaged: Template,
    service: str,
    prefix: str,
    package: Package,
    digest: str,
    roles: Mapping[str, str],
) -> Template:
    """Return the template of a service's stack.

    Args:
        packaged: what Chalice wrote.
        service: its name.
        prefix: of the names of this deployment.
        package: its zip.
        digest: of all that it was made from; an output, to tell what is deployed.
        roles: ARNs of roles by function, where the account's own are to be used.
    """
    resources = dict(packaged["Resources"])
    for logical, function in list(_functions(packaged)):
        name = function_name(service, logical, function)
        properties = {
            **function["Properties"],
            "FunctionName": f"{prefix}-{name}",
            "CodeUri": {"Bucket": package.bucket, "Key": package.key},
        }
        properties.pop("Tags", None)  # the stack's tags say whose it is
        role = properties["Role"]["Fn::GetAtt"][0]
        if name in roles:
            properties["Role"] = roles[name]
            resources.pop(role, None)
        else:
            resources[role] = _with(resources[role], RoleName=f"{prefix}-{name}")
        logs = f"{logical}Logs"
        resources[logical] = {**function, "Properties": properties, "DependsOn": logs}
        resources[logs] = {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {
                "LogGroupName": f"/aws/lambda/{prefix}-{name}",
                "RetentionInDays": LOG_DAYS,
            },
        }
    if "RestAPI" in resources:
        # Without copies at the edge, and without a second stage named "Stage".
        resources["RestAPI"] = _with(
            resources["RestAPI"],
            Name=f"{prefix}-{service}",
            EndpointConfiguration="REGIONAL",
            OpenApiVersion="2.0",
        )
    parameters = dict(packaged.get("Parameters", {}))
    for secret in SECRETS & parameters.keys():
        parameters[secret] = {**parameters[secret], "NoEcho": True}
    return {
        **packaged,
        "Description": f"Concierge: the service {service}, packaged by Chalice.",
        "Parameters": parameters,
        "Resources": resources,
        "Outputs": {**packaged.get("Outputs", {}), "Digest": {"Value": digest}},
    }


def function_name(service: str, logical: str, function: Mapping[str, Any]) -> str:
    """Return the name of a function, without the deployment's: `catalog-api`."""
    handler = function["Properties"]["Handler"].rpartition(".")[2]
    return f"{service}-{'api' if logical == API_HANDLER else handler}"


def _functions(packaged: Template) -> Iterator[tuple[str, Any]]:
    for logical, resource in packaged["Resources"].items():
        if resource["Type"] == FUNCTION:
            yield logical, resource


def _with(resource: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return {**resource, "Properties": {**resource["Properties"], **changed}}
