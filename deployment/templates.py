"""CloudFormation templates as Python has them: the short forms written out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeAlias

import yaml

Template: TypeAlias = dict[str, Any]


class _Loader(yaml.SafeLoader):
    """Reads `!Ref x` as `{"Ref": "x"}` and `!Sub x` as `{"Fn::Sub": "x"}`."""


def _short_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)  # noqa: S101 (for mypy)
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)


def read(path: Path) -> Template:
    """Read a template written in YAML."""
    found: Template = yaml.load(path.read_text("utf-8"), _Loader)  # noqa: S506 (safe)
    return found


def write(template: Template) -> str:
    """Write a template as JSON, the same for the same template."""
    return json.dumps(template, indent=1, sort_keys=True) + "\n"
