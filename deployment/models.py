"""The contract's schemas as API Gateway's models: JSON Schema, draft 4."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

DRAFT = "http://json-schema.org/draft-04/schema#"
REFERENCE = "#/components/schemas/"
# What OpenAPI 3.0 knows and draft 4 does not.
UNKNOWN = {"example", "examples", "nullable", "discriminator", "deprecated"}


def models_of(
    contract: dict[str, Any], described: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return the models of the bodies of operations, by their logical names.

    Args:
        contract: the OpenAPI file.
        described: its operations of which the models are wanted.
    """
    names = {
        schema["$ref"].removeprefix(REFERENCE)
        for operation in described
        for schema in _bodies(contract, operation)
        if "$ref" in schema
    }
    return {
        f"Model{name}": {
            "Type": "AWS::ApiGateway::Model",
            "Properties": {
                "RestApiId": {"Ref": "Api"},
                "Name": name,
                "ContentType": "application/json",
                "Schema": _model(contract["components"]["schemas"], name),
            },
        }
        for name in sorted(names)
    }


def _bodies(
    contract: dict[str, Any], operation: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    for part in (operation.get("requestBody", {}), *operation["responses"].values()):
        for content in part.get("content", {}).values():
            yield content["schema"]


def _model(schemas: dict[str, Any], name: str) -> dict[str, Any]:
    used = sorted(_used(schemas, schemas[name], set()))
    model = {"$schema": DRAFT, "title": name, **_draft_4(schemas[name])}
    if used:
        model["definitions"] = {other: _draft_4(schemas[other]) for other in used}
    return model


def _used(schemas: dict[str, Any], schema: Any, seen: set[str]) -> set[str]:
    """Return the names of all schemas that one refers to, directly or not."""
    found = json.dumps(schema).split(f'"{REFERENCE}')[1:]
    for name in {words.partition('"')[0] for words in found} - seen:
        seen.add(name)
        _used(schemas, schemas[name], seen)
    return seen


def _draft_4(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_draft_4(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return {"$ref": "#/definitions/" + schema["$ref"].removeprefix(REFERENCE)}
    found: dict[str, Any] = {}
    for keyword, value in schema.items():
        if keyword == "properties":
            found[keyword] = {name: _draft_4(part) for name, part in value.items()}
        elif keyword not in UNKNOWN:
            found[keyword] = _draft_4(value)
    if schema.get("nullable") and "type" in found:
        found["type"] = [found["type"], "null"]
    return found
