"""Stripe's form encoding, read and checked as the API does it.

Source: docs.stripe.com/api (form-encoded bodies, JSON answers) and
docs.stripe.com/api/metadata (limits of metadata).
"""

import re
from collections.abc import Collection, Iterable
from typing import Any
from urllib.parse import parse_qsl

from .errors import parameter_invalid, parameter_missing, parameter_unknown

METADATA_KEYS, METADATA_KEY_LENGTH, METADATA_VALUE_LENGTH = 50, 40, 500
TEXT_LENGTH = 5000
BOOLEANS = {"true": True, "false": False}
NAME = re.compile(r"\[([^\[\]]*)\]")


def decode(encoded: str) -> dict[str, Any]:
    """Decode `a=1&b[c]=2&d[0]=x` to `{"a": "1", "b": {"c": "2"}, "d": {"0": "x"}}`."""
    fields: dict[str, Any] = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True):
        first, bracket, _ = name.partition("[")
        steps = [first, *NAME.findall(name[len(first) :])] if bracket else [name]
        inside = fields
        for step in steps[:-1]:
            nested = inside.get(step)
            if not isinstance(nested, dict):
                nested = inside[step] = {}
            inside = nested
        inside[steps[-1] or str(len(inside))] = value
    return fields


class Form:
    """The parameters of one request, taken out with their checks.

    Arguments:
        fields: decoded parameters.
        known: the names that this endpoint has; `expand` is always one of them.

    Raises:
        StripeError: `parameter_unknown`.
    """

    def __init__(self, fields: dict[str, Any], known: Collection[str]) -> None:
        _refuse_unknown(fields, {*known, "expand"})
        self._fields = fields

    def has(self, name: str) -> bool:
        """Tell whether the parameter was sent."""
        return name in self._fields

    def text(self, name: str, choices: Iterable[str] = ()) -> str | None:
        """Return a string, or None if it was not sent or is empty."""
        value = self._fields.get(name)
        if value in (None, ""):
            return None
        if not isinstance(value, str):
            raise parameter_invalid(name, f"Invalid string: {name}")
        if len(value) > TEXT_LENGTH:
            raise parameter_invalid(
                name,
                f"Invalid string: {name} must be at most {TEXT_LENGTH} characters",
                "parameter_invalid_string",
            )
        if choices and value not in choices:
            raise parameter_invalid(
                name, f"Invalid {name}: must be one of {', '.join(choices)}"
            )
        return value

    def required_text(self, name: str) -> str:
        """Return a string that must be there."""
        value = self.text(name)
        if value is None:
            raise parameter_missing(name)
        return value

    def flag(self, name: str) -> bool:
        """Return a boolean; false if it was not sent."""
        value = self._fields.get(name, "false")
        if not isinstance(value, str) or value not in BOOLEANS:
            raise parameter_invalid(name, f"Invalid boolean: {value}")
        return BOOLEANS[value]

    def integer(self, name: str, at_least: int = 1) -> int | None:
        """Return a whole number, or None if it was not sent."""
        value = self._fields.get(name)
        if value is None:
            return None
        if not isinstance(value, str) or not re.fullmatch(r"-?[0-9]{1,18}", value):
            raise parameter_invalid(
                name, f"Invalid integer: {value}", "parameter_invalid_integer"
            )
        if int(value) < at_least:
            raise parameter_invalid(
                name,
                f"This value must be greater than or equal to {at_least}.",
                "parameter_invalid_integer",
            )
        return int(value)

    def words(self, name: str) -> tuple[str, ...] | None:
        """Return a list of strings, or None if it was not sent."""
        value = self._fields.get(name)
        if value is None:
            return None
        items = list(value.values()) if isinstance(value, dict) else []
        if not items or not all(isinstance(item, str) for item in items):
            raise parameter_invalid(name, f"Invalid array: {name}")
        return tuple(items)

    def nested(self, name: str, known: Collection[str]) -> "Form | None":
        """Return the parameters inside another, or None if it was not sent."""
        value = self._fields.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise parameter_invalid(name, f"Invalid object: {name}")
        _refuse_unknown(value, known, inside=name)
        return Form(value, known)

    def metadata(self) -> dict[str, str]:
        """Return the caller's own keys and values; an empty value removes a key."""
        value = self._fields.get("metadata") or {}
        if not isinstance(value, dict) or not all(
            isinstance(item, str) for item in value.values()
        ):
            raise parameter_invalid("metadata", "Invalid object: metadata")
        for key, text in value.items():
            if len(key) > METADATA_KEY_LENGTH or len(text) > METADATA_VALUE_LENGTH:
                raise parameter_invalid(
                    f"metadata[{key[:METADATA_KEY_LENGTH]}]",
                    f"Metadata keys have at most {METADATA_KEY_LENGTH} characters, "
                    f"values at most {METADATA_VALUE_LENGTH}.",
                )
        if len(value) > METADATA_KEYS:
            raise parameter_invalid(
                "metadata", f"Metadata has at most {METADATA_KEYS} keys."
            )
        return {key: text for key, text in value.items() if text}


def _refuse_unknown(
    fields: dict[str, Any], known: Collection[str], inside: str = ""
) -> None:
    for name in fields:
        if name not in known:
            raise parameter_unknown(f"{inside}[{name}]" if inside else name)
