"""The contract as a judge: is this answer one that `openapi.yaml` allows?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import yaml
from openapi_schema_validator import OAS30Validator, oas30_format_checker

from sandbox.runner.stages import REPOSITORY

CONTRACT_FILE = REPOSITORY / "docs" / "reference" / "openapi.yaml"
JSON = "application/json"
# What stands before a path: the host, the way to the API at the local AWS, the version.
PREFIX = r"^https?://[^/]+(?:/_aws/execute-api/[^/]+)?/v1"
METHODS = ("get", "put", "post", "delete", "patch")
# The way to sign in that a stage has not, by stage.
OTHER_WAYS_IN = {1: "sigv4", 2: "sigv4", 3: "bearer", 4: "bearer"}


@dataclass(frozen=True)
class Operation:
    """One operation of the contract, with every reference in it replaced."""

    method: str
    path: str
    spec: Mapping[str, Any]

    @property
    def id(self) -> str:
        return self.spec["operationId"]

    @property
    def stages(self) -> tuple[int, ...]:
        return tuple(self.spec.get("x-stages", (1, 2, 3, 4)))

    @property
    def internal(self) -> bool:
        """Whether only the stage's own services may call it."""
        return bool(self.spec.get("x-internal"))

    @property
    def schemes(self) -> set[str]:
        """The names of the security schemes that open it; none: it is public."""
        return {name for way in self.spec.get("security", ()) for name in way}

    @property
    def responses(self) -> dict[int, Mapping[str, Any]]:
        return {int(status): said for status, said in self.spec["responses"].items()}

    @property
    def parameters(self) -> list[Mapping[str, Any]]:
        return self.spec.get("parameters", [])

    @property
    def body(self) -> Mapping[str, Any] | None:
        """What the contract says of the JSON body, when the operation has one."""
        return self.spec.get("requestBody", {}).get("content", {}).get(JSON)

    def takes(self, method: str, path: str) -> bool:
        """Tell whether a request of this method to this path is this operation."""
        template = re.sub(r"\{\w+\}", "[^/]+", self.path)
        return method == self.method and re.fullmatch(template, path) is not None

    def request(self, **path_values: str) -> dict[str, Any]:
        """Return the contract's own example of a request, for `Guest.request`.

        Args:
            path_values: values for the path instead of the examples.
        """
        path = self.path
        headers = {}
        for parameter in self.parameters:
            name = parameter["name"]
            if parameter["in"] == "path":
                value = path_values.get(name, parameter["example"])
                path = path.replace(f"{{{name}}}", value)
            elif parameter["in"] == "header":
                headers[name] = parameter["example"]
        sent: dict[str, Any] = {"method": self.method, "path": path, "headers": headers}
        if self.body:
            sent["json"] = next(iter(self.body["examples"].values()))["value"]
        return sent


class Contract:
    """The contract of all stages.

    Args:
        path: the OpenAPI file.
    """

    def __init__(self, path: Path = CONTRACT_FILE) -> None:
        self.document = yaml.safe_load(path.read_text(encoding="utf-8"))
        self._whole = self._without_references(self.document)

    def operations(self, stage: int | None = None) -> list[Operation]:
        """Return the operations that a stage's guests meet; or all, internal or not."""
        return [
            operation
            for operation in self._operations()
            if stage is None or (stage in operation.stages and not operation.internal)
        ]

    def internal_operations(self) -> list[Operation]:
        """Return what only services may call."""
        return [operation for operation in self._operations() if operation.internal]

    def public_document(self, stage: int | None = None) -> dict[str, Any]:
        """Return the contract without what only services may call.

        Args:
            stage: without what other stages have, too: operations, ways to sign in.
        """
        wanted = {(o.method, o.path) for o in self.operations(stage)}
        others = OTHER_WAYS_IN[stage] if stage else None
        public: dict[str, Any] = {}
        for path, item in self.document["paths"].items():
            for method, said in item.items():
                if (method.upper(), path) in wanted and not said.get("x-internal"):
                    ways = [way for way in said["security"] if others not in way]
                    public.setdefault(path, {})[method] = said | {"security": ways}
        return self.document | {"paths": public}

    def operation(self, operation_id: str) -> Operation:
        return next(o for o in self._operations() if o.id == operation_id)

    def check(self, answer: requests.Response, *_: Any, **__: Any) -> None:
        """Fail unless the contract allows this answer to its request.

        It can hang in `session.hooks["response"]`, so that no answer escapes it.
        """
        asked = answer.request
        path = re.sub(rf"{PREFIX}|\?.*$", "", asked.url or "")
        found = [o for o in self._operations() if o.takes(asked.method or "", path)]
        assert found, f"no operation of the contract is {asked.method} {path}"
        self.check_as(found[0], answer)

    def check_as(self, operation: Operation, answer: requests.Response) -> None:
        """Fail unless the contract allows this answer of this operation."""
        where = f"{operation.id} answered {answer.status_code} {answer.text[:300]!r}"
        said = operation.responses.get(answer.status_code)
        assert said is not None, f"{where}: this status is not in the contract"
        for name, header in said.get("headers", {}).items():
            value = answer.headers.get(name)
            assert value is not None, f"{where}: no header {name}"
            self.validate(_read(value, header["schema"]), header["schema"], where)
        if JSON not in said.get("content", {}):
            assert not answer.content, f"{where}: there should be no body"
            return
        kind = answer.headers.get("Content-Type", "").partition(";")[0]
        assert kind == JSON, f"{where}: its Content-Type is {kind}"
        self.validate(answer.json(), said["content"][JSON]["schema"], where)
        if answer.status_code >= 400:
            assert answer.json()["code"] == answer.status_code, where
            assert answer.json()["message"], f"{where}: it says nothing"

    def validate(self, value: Any, schema: Mapping[str, Any], where: str) -> None:
        """Fail, naming the place, unless a value fits a schema."""
        judge = OAS30Validator(schema, format_checker=oas30_format_checker)
        wrong = [
            f"{error.json_path}: {error.message}" for error in judge.iter_errors(value)
        ]
        assert not wrong, f"{where}: {wrong}"

    def _operations(self) -> Iterator[Operation]:
        for path, item in self._whole["paths"].items():
            for method in METHODS:
                if method in item:
                    yield Operation(method.upper(), path, item[method])

    def _without_references(self, node: Any) -> Any:
        if isinstance(node, list):
            return [self._without_references(part) for part in node]
        if not isinstance(node, dict):
            return node
        if isinstance(node.get("$ref"), str):
            target = self.document
            for name in node["$ref"].removeprefix("#/").split("/"):
                target = target[name]
            return self._without_references(target)
        return {name: self._without_references(part) for name, part in node.items()}


def _read(header: str, schema: Mapping[str, Any]) -> Any:
    """Read a header's text as the type that its schema has."""
    return int(header) if schema["type"] == "integer" and header.isdecimal() else header
