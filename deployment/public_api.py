"""The public API's template, made from the contract and a stage's public_api.yaml.

The contract is the only description of the operations. Here each of them becomes what
API Gateway needs: a path, a method with its authorisation, a preflight for browsers, a
permission to call its function; and all together become what a guest's role may do.

Methods are resources of their own, not an imported body, since the ids of what is
imported cannot be referred to.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from .closed import closed, path_name
from .error_answers import error_answers
from .models import models_of
from .templates import Template, read

# The service whose function answers the operations with a tag.
SERVICES = {
    "nlu": "nlu",
    "catalog": "catalog",
    "checkout": "checkout",
    "operations": "checkout",
}
METHODS = ("get", "put", "post", "delete", "patch")
STAGE = "v1"

# What a page may send: what signing adds, what the contract names.
ALLOWED_HEADERS = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "X-Amz-Content-Sha256",
    "X-Amz-Date",
    "X-Amz-Security-Token",
    "X-Api-Key",
    "X-Request-Id",
)
EXPOSED_HEADERS = ("Location", "Retry-After", "X-Amzn-ErrorType", "X-Request-Id")
ORIGIN = {"Fn::Sub": "'${SiteOrigin}'"}


@dataclass(frozen=True)
class Operation:
    """An operation of the contract.

    Attributes:
        name: its operationId.
        method: in capitals.
        path: as the contract writes it.
        service: which answers it.
        security: the names of the schemes that open it; none for everybody.
        described: all that the contract says of it.
    """

    name: str
    method: str
    path: str
    service: str
    security: frozenset[str]
    described: dict[str, Any]

    @property
    def title(self) -> str:
        """Its name in the names of resources."""
        return self.name[0].upper() + self.name[1:]

    @property
    def for_guests(self) -> bool:
        """Whether a guest's signature opens it."""
        return "sigv4" in self.security

    @property
    def for_partners(self) -> bool:
        """Whether a partner's key opens it."""
        return "partnerKey" in self.security

    @property
    def arn(self) -> dict[str, str]:
        """Its ARN; where the path has a parameter, anything may stand."""
        path = re.sub(r"\{\w+\}", "*", self.path)
        return {
            "Fn::Sub": "arn:${AWS::Partition}:execute-api:${AWS::Region}:"
            f"${{AWS::AccountId}}:${{Api}}/{STAGE}/{self.method}{path}"
        }


def operations(contract: dict[str, Any], stage: int) -> list[Operation]:
    """Return the public operations of a stage.

    Args:
        contract: the OpenAPI file.
        stage: 3 or 4.
    """
    return [
        Operation(
            name=described["operationId"],
            method=method.upper(),
            path=path,
            service=SERVICES[described["tags"][0]],
            security=frozenset(
                name for scheme in described["security"] for name in scheme
            ),
            described=described,
        )
        for path, item in contract["paths"].items()
        for method, described in item.items()
        if method in METHODS
        and not described.get("x-internal")
        and stage in described.get("x-stages", (stage,))
    ]


def public_api(base: Path, contract_file: Path, stage: int) -> Template:
    """Return the template of the public API.

    Args:
        base: the stage's public_api.yaml.
        contract_file: the OpenAPI file.
        stage: 3 or 4.
    """
    template = read(base)
    contract = yaml.safe_load(contract_file.read_text("utf-8"))
    wanted = operations(contract, stage)
    for service in sorted({operation.service for operation in wanted}):
        template["Parameters"][function_parameter(service)] = {
            "Type": "String",
            "Description": f"The ARN of the function of {service}.",
        }
    cors = {
        "Access-Control-Allow-Origin": ORIGIN,
        "Access-Control-Expose-Headers": f"'{','.join(EXPOSED_HEADERS)}'",
    }
    deployed = {
        **dict(_paths(wanted)),
        **models_of(contract, [operation.described for operation in wanted]),
        **dict(_methods(wanted)),
        **dict(_preflights(wanted)),
        **closed(_methods_by_path(wanted)),
        **error_answers(cors),
    }
    template["Resources"] |= deployed
    template["Resources"] |= dict(_permissions(wanted))
    template["Resources"]["GuestsMayCall"] = _guests_may_call(wanted)
    return _with_fresh_deployment(template, deployed)


def function_parameter(service: str) -> str:
    """Return the parameter that tells the function of a service."""
    return f"{service.title()}Function"


def _with_fresh_deployment(template: Template, deployed: dict[str, Any]) -> Template:
    """Name the deployment after what it deploys, which it takes a picture of."""
    words = json.dumps(deployed, sort_keys=True)
    name = "Deployment" + hashlib.sha256(words.encode()).hexdigest()[:12]
    resources = template["Resources"]
    resources[name] = resources.pop("Deployment")
    resources[name]["DependsOn"] = sorted(
        logical
        for logical, resource in deployed.items()
        if resource["Type"] != "AWS::ApiGateway::Resource"
    )
    resources["Stage"]["Properties"]["DeploymentId"] = {"Ref": name}
    return template


def _paths(wanted: list[Operation]) -> Iterator[tuple[str, Any]]:
    every = {prefix for operation in wanted for prefix in _prefixes(operation.path)}
    for path in sorted(every):
        parent, _, part = path.rpartition("/")
        yield (
            path_name(path),
            {
                "Type": "AWS::ApiGateway::Resource",
                "Properties": {
                    "RestApiId": {"Ref": "Api"},
                    "ParentId": {"Ref": path_name(parent)}
                    if parent
                    else {"Fn::GetAtt": ["Api", "RootResourceId"]},
                    "PathPart": part,
                },
            },
        )


def _prefixes(path: str) -> Iterator[str]:
    """Return `/a` and `/a/b` of `/a/b`."""
    parts = path.strip("/").split("/")
    for count in range(1, len(parts) + 1):
        yield "/" + "/".join(parts[:count])


def _methods(wanted: list[Operation]) -> Iterator[tuple[str, Any]]:
    for operation in wanted:
        function = function_parameter(operation.service)
        properties: dict[str, Any] = {
            "RestApiId": {"Ref": "Api"},
            "ResourceId": {"Ref": path_name(operation.path)},
            "HttpMethod": operation.method,
            "OperationName": operation.name,
            "AuthorizationType": "AWS_IAM" if operation.for_guests else "NONE",
            "ApiKeyRequired": operation.for_partners,
            "RequestParameters": dict(_parameters(operation)),
            "MethodResponses": list(_method_responses(operation.described)),
            "Integration": {
                "Type": "AWS_PROXY",
                "IntegrationHttpMethod": "POST",
                "Uri": {
                    "Fn::Sub": "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:"
                    f"path/2015-03-31/functions/${{{function}}}/invocations"
                },
            },
        }
        if model := _model_ref(operation.described.get("requestBody", {})):
            # For generated clients and readers. Nothing is checked against it here:
            # the service's own answer says which field is wrong.
            properties["RequestModels"] = {"application/json": model}
        yield (
            operation.title,
            {"Type": "AWS::ApiGateway::Method", "Properties": properties},
        )


def _parameters(operation: Operation) -> Iterator[tuple[str, bool]]:
    for name in re.findall(r"\{(\w+)\}", operation.path):
        yield f"method.request.path.{name}", True


def _method_responses(described: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for status, response in sorted(described["responses"].items()):
        if model := _model_ref(response):
            yield {"StatusCode": status, "ResponseModels": {"application/json": model}}


def _model_ref(described: dict[str, Any]) -> dict[str, str] | None:
    """Return a reference to the model of a body, if its schema has a name."""
    schema = described.get("content", {}).get("application/json", {}).get("schema", {})
    if "$ref" not in schema:
        return None
    return {"Ref": "Model" + schema["$ref"].rpartition("/")[2]}


def _preflights(wanted: list[Operation]) -> Iterator[tuple[str, Any]]:
    """Return an OPTIONS for each path that guests' browsers call."""
    guests = [operation for operation in wanted if not operation.for_partners]
    for path, methods in _methods_by_path(guests).items():
        allowed = methods | {"OPTIONS"}
        headers = {
            "Access-Control-Allow-Origin": ORIGIN,
            "Access-Control-Allow-Methods": f"'{','.join(sorted(allowed))}'",
            "Access-Control-Allow-Headers": f"'{','.join(ALLOWED_HEADERS)}'",
            "Access-Control-Max-Age": "'600'",
            "Vary": "'Origin'",
        }
        prefixed = {f"method.response.header.{n}": v for n, v in headers.items()}
        yield (
            "Preflight" + path_name(path).removeprefix("Path"),
            {
                "Type": "AWS::ApiGateway::Method",
                "Properties": {
                    "RestApiId": {"Ref": "Api"},
                    "ResourceId": {"Ref": path_name(path)},
                    "HttpMethod": "OPTIONS",
                    "AuthorizationType": "NONE",
                    "Integration": {
                        "Type": "MOCK",
                        "RequestTemplates": {"application/json": '{"statusCode": 200}'},
                        "IntegrationResponses": [
                            {"StatusCode": "200", "ResponseParameters": prefixed}
                        ],
                    },
                    "MethodResponses": [
                        {
                            "StatusCode": "200",
                            "ResponseParameters": dict.fromkeys(prefixed, True),
                        }
                    ],
                },
            },
        )


def _methods_by_path(wanted: list[Operation]) -> dict[str, set[str]]:
    """Return the methods of each path; none of one that only leads to others."""
    methods: dict[str, set[str]] = {}
    for operation in wanted:
        for prefix in _prefixes(operation.path):
            methods.setdefault(prefix, set())
        methods[operation.path].add(operation.method)
    return methods


def _permissions(wanted: list[Operation]) -> Iterator[tuple[str, Any]]:
    for operation in wanted:
        yield (
            f"MayCall{operation.title}",
            {
                "Type": "AWS::Lambda::Permission",
                "Properties": {
                    "Action": "lambda:InvokeFunction",
                    "FunctionName": {"Ref": function_parameter(operation.service)},
                    "Principal": "apigateway.amazonaws.com",
                    "SourceArn": operation.arn,
                },
            },
        )


def _guests_may_call(wanted: list[Operation]) -> dict[str, Any]:
    return {
        "Type": "AWS::IAM::Policy",
        "Condition": "HasOurGuestRole",
        "Properties": {
            "PolicyName": "call-the-guest-operations",
            "Roles": [{"Ref": "GuestRole"}],
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Action": "execute-api:Invoke",
                        "Resource": [o.arn for o in wanted if o.for_guests],
                    }
                ],
            },
        },
    }
