"""One stack each: the resources, a service, the public API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from . import packaging, public_api, stacks, templates, values
from .cloud import client
from .service_template import Package, service_template
from .settings import CONTRACT, REGION, Deployment
from .templates import Template

# A value that is None is the one that the stack has.
Told = Mapping[str, str | None]


def deploy_resources(deployment: Deployment, told: Told) -> str:
    """Deploy what the services share; return what became of the stack."""
    template = templates.read(deployment.folder / "resources.yaml")
    return stacks.deploy(
        deployment.stack("resources"),
        {"TemplateBody": templates.write(template)},
        _chosen(template["Parameters"], told),
        deployment.tags,
    )


def deploy_public_api(deployment: Deployment, told: Told) -> str:
    """Deploy the API in front of the services; return what became of the stack."""
    template = public_api.public_api(
        deployment.folder / "public_api.yaml", CONTRACT, deployment.stage
    )
    return stacks.deploy(
        deployment.stack("public-api"),
        _uploaded(deployment, "public-api", template, told),
        _chosen(template["Parameters"], told),
        deployment.tags,
    )


def package(deployment: Deployment, service: str) -> packaging.Packaged | None:
    """Package a service; None when what is deployed was made of the same."""
    there = stacks.outputs(deployment.stack(service)).get("Digest")
    if there == _digest(deployment, service):
        return None
    return packaging.package(deployment, service)


def deploy_service(
    deployment: Deployment,
    service: str,
    packaged: packaging.Packaged | None,
    told: Told,
) -> str:
    """Deploy a service; return what became of its stack.

    Args:
        deployment: the deployment.
        service: its name.
        packaged: its package; None for the one that it has.
        told: values of its parameters, and more.
    """
    name = deployment.stack(service)
    if packaged is None:
        there = (stacks.find(name) or {}).get("Parameters", [])
        parameters: dict[str, Any] = {p["ParameterKey"]: p for p in there}
        source: Mapping[str, Any] = {"UsePreviousTemplate": True}
    else:
        template = _service(deployment, service, packaged, told)
        parameters = template["Parameters"]
        source = _uploaded(deployment, service, template, told)
    return stacks.deploy(name, source, _chosen(parameters, told), deployment.tags)


def _service(
    deployment: Deployment, service: str, packaged: packaging.Packaged, told: Told
) -> Template:
    bucket = str(told["PackagesBucket"])
    key = packaging.content_key(service, packaged.archive)
    if not client("s3").list_objects_v2(Bucket=bucket, Prefix=key)["KeyCount"]:
        client("s3").put_object(Bucket=bucket, Key=key, Body=packaged.archive)
    return service_template(
        packaged.template,
        service,
        deployment.prefix,
        Package(bucket, key),
        _digest(deployment, service),
        values.roles(deployment),
    )


def _digest(deployment: Deployment, service: str) -> str:
    """Return a digest of what a service's template depends on: files, lent roles."""
    roles = json.dumps(values.roles(deployment), sort_keys=True)
    return packaging.digest(deployment, service, roles)


def _uploaded(
    deployment: Deployment, part: str, template: Template, told: Told
) -> dict[str, str]:
    """Put a template where CloudFormation can read it; a request takes 51,200 bytes."""
    bucket, key = str(told["PackagesBucket"]), f"templates/{part}.json"
    body = templates.write(template).encode()
    client("s3").put_object(Bucket=bucket, Key=key, Body=body)
    server = deployment.endpoint or f"https://s3.{REGION}.amazonaws.com"
    return {"TemplateURL": f"{server}/{bucket}/{key}"}


def _chosen(parameters: Mapping[str, Any], told: Told) -> dict[str, str | None]:
    return {name: told[name] for name in parameters if name in told}
