"""What CloudFormation makes of `Ref`, `Fn::Sub` and `Fn::If`, where it is not there.

Only what the services' own files use is here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any


class Filled:
    """Fills values into a template.

    Args:
        template: has the parameters, with their defaults, and the conditions.
        known: values of parameters and of `AWS::...`.
    """

    def __init__(self, template: Mapping[str, Any], known: Mapping[str, str]) -> None:
        parameters = template.get("Parameters", {})
        defaults = {
            name: str(parameter["Default"])
            for name, parameter in parameters.items()
            if "Default" in parameter
        }
        self._known = defaults | dict(known)
        self._conditions = template.get("Conditions", {})

    def value(self, written: Any) -> Any:
        """Return what is written, with every function replaced by its value.

        Raises:
            KeyError: a parameter has no value.
            ValueError: a function is none of those that are known here.
        """
        if isinstance(written, list):
            return [self.value(part) for part in written]
        if not isinstance(written, dict):
            return written
        if len(written) == 1:
            ((name, argument),) = written.items()
            if name == "Ref" or name.startswith("Fn::"):
                return self._function(name, argument)
        return {name: self.value(part) for name, part in written.items()}

    def _function(self, name: str, argument: Any) -> Any:
        match name:
            case "Ref":
                return self._known[argument]
            case "Fn::Sub":
                return re.sub(
                    r"\$\{([\w:]+)\}", lambda found: self._known[found[1]], argument
                )
            case "Fn::If":
                condition, when, otherwise = argument
                holds = self.value(self._conditions[condition])
                return self.value(when if holds else otherwise)
            case "Fn::Equals":
                one, other = self.value(argument)
                return one == other
            case "Fn::Not":
                return not self.value(argument)[0]
        raise ValueError(f"{name} is not known here: add it, or write without it.")
