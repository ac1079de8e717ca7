"""What the public API answers where it has no operation: 404, or 405 with the methods.

API Gateway by itself would answer both with 403 and ask for a token, which sends its
reader the wrong way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

NOT_FOUND = "There is nothing at this address. The contract is at /docs."
NOT_ALLOWED = "This address does not take this method. The contract is at /docs."


def path_name(path: str) -> str:
    """Return the logical name of a path."""
    words = re.findall(r"\w+", path)
    return "Path" + "".join(word[0].upper() + word[1:] for word in words)


def closed(methods: Mapping[str, set[str]]) -> dict[str, Any]:
    """Return what answers where there is no operation, by logical names.

    Args:
        methods: of each path; none of one that only leads to others.
    """
    root = {"Fn::GetAtt": ["Api", "RootResourceId"]}
    found: dict[str, Any] = {
        "PathAnything": {
            "Type": "AWS::ApiGateway::Resource",
            "Properties": {
                "RestApiId": {"Ref": "Api"},
                "ParentId": root,
                "PathPart": "{proxy+}",
            },
        },
        "NothingAtTheRoot": _answer(root, 404, NOT_FOUND),
        "NothingThere": _answer({"Ref": "PathAnything"}, 404, NOT_FOUND),
    }
    for path, allowed in methods.items():
        place, name = {"Ref": path_name(path)}, path_name(path).removeprefix("Path")
        found[f"NoOther{name}"] = (
            _answer(place, 405, NOT_ALLOWED, {"Allow": ", ".join(sorted(allowed))})
            if allowed
            else _answer(place, 404, NOT_FOUND)
        )
    return found


def _answer(
    place: Any, status: int, message: str, headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    told = {
        "Access-Control-Allow-Origin": {"Fn::Sub": "'${SiteOrigin}'"},
        **{name: f"'{value}'" for name, value in (headers or {}).items()},
    }
    prefixed = {f"method.response.header.{name}": value for name, value in told.items()}
    body = f'{{"code": {status}, "message": "{message}"}}'
    return {
        "Type": "AWS::ApiGateway::Method",
        "Properties": {
            "RestApiId": {"Ref": "Api"},
            "ResourceId": place,
            "HttpMethod": "ANY",
            "AuthorizationType": "NONE",
            "Integration": {
                "Type": "MOCK",
                "PassthroughBehavior": "NEVER",
                "RequestTemplates": {"application/json": f'{{"statusCode": {status}}}'},
                "IntegrationResponses": [
                    {
                        "StatusCode": str(status),
                        "ResponseParameters": prefixed,
                        "ResponseTemplates": {"application/json": body},
                    }
                ],
            },
            "MethodResponses": [
                {
                    "StatusCode": str(status),
                    "ResponseParameters": dict.fromkeys(prefixed, True),
                }
            ],
        },
    }
