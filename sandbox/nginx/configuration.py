"""nginx.conf from a stage's template, with what only the run knows."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import re
from dataclasses import dataclass
from pathlib import Path
from string import Template

from .upstreams import Upstreams

# One that would wait for ever for a hung service is what RESILIENCE=off is to show.
FOREVER_SECONDS = 3600
KEPT_CONNECTIONS = 16
# After a change of the configuration the old workers take one more request from each
# guest whose connection is open, and tell with its answer that it closes. Without this,
# which came with nginx 1.27.4, they hang up on whoever is just about to ask.
LINGER_SECONDS = 2
LINGER_SINCE = (1, 27, 4)


class NginxTemplate(Template):
    """A template with blanks like `%{name}`: the dollar is for nginx's variables."""

    delimiter = "%"


@dataclass(frozen=True)
class Gateway:
    """What the template's blanks are filled with, the upstreams aside.

    Attributes:
        port: where guests come in.
        internal_port: where the services find one another.
        data: the folder of nginx's own files.
        frontend: the folder of the web page.
        contract: the OpenAPI file.
        partner_key: the one partner's, or nothing.
        partner_rate: its calls a minute.
        resilient: whether to give up on a service that does not answer.
        nginx: its version.
    """

    port: int
    internal_port: int
    data: Path
    frontend: Path
    contract: Path
    partner_key: str
    partner_rate: int
    resilient: bool
    nginx: tuple[int, ...]

    def render(self, template: str, upstreams: Upstreams) -> str:
        """Return nginx.conf.

        Args:
            template: the text with the blanks.
            upstreams: where the services are.

        Raises:
            RuntimeError: a blank has no value, or a service has no place.
        """
        wait = self.partner_wait()
        values = {
            "user": "user root;" if os.geteuid() == 0 else "",
            "port": self.port,
            "internal_port": self.internal_port,
            "data": quoted(self.data),
            "frontend": quoted(self.frontend),
            "contract": quoted(self.contract),
            "swagger": quoted(swagger_folder(), "/"),
            "partner": partner_rule(self.partner_key),
            "partner_rate": self.partner_rate,
            "partner_burst": max(0, self.partner_rate - 1),
            "partner_wait": wait,
            "upstreams": upstream_blocks(upstreams),
            "version": upstreams.version,
            "linger": linger_rule(self.nginx),
        }
        for blank, seconds in (
            ("connect", 1),
            ("quick", 10),
            ("slow", 12),
            ("health", 1),
            ("health_whole", 8),
        ):
            values[blank] = seconds if self.resilient else FOREVER_SECONDS
        try:
            return NginxTemplate(template).substitute(values)
        except (KeyError, ValueError) as error:
            raise RuntimeError(f"nginx.conf.template: {error!r}") from error

    def partner_wait(self) -> int:
        """Return the seconds after which a partner has a call again; at least one."""
        return max(1, math.ceil(60 / self.partner_rate))


def upstream_blocks(upstreams: Upstreams) -> str:
    """Return one `upstream` block for each service, and one of all for the health."""
    everybody = [port for ports in upstreams.ports.values() for port in ports]
    blocks = dict(upstreams.ports) | {"any_service": everybody}
    lines = []
    for name, ports in blocks.items():
        # One failure puts a replica aside for a moment, so that a dead one costs one
        # guest one more try and not each of them.
        servers = [f"server 127.0.0.1:{n} max_fails=1 fail_timeout=2s;" for n in ports]
        # Less than the services' own 30 s: the end that sends next must not find a
        # connection which the other end has just given up.
        keep = [f"keepalive {KEPT_CONNECTIONS};", "keepalive_timeout 20s;"]
        lines += [
            f"upstream {name} {{",
            f"    zone {name} 64k;",
            *(f"    {line}" for line in (*servers, *keep)),
            "}",
        ]
    return "\n    ".join(lines)


def linger_rule(nginx: tuple[int, ...]) -> str:
    """Return the line that lets old workers take one more request, if nginx knows it.

    Args:
        nginx: its version.
    """
    return f"keepalive_min_timeout {LINGER_SECONDS}s;" if nginx >= LINGER_SINCE else ""


def partner_rule(key: str) -> str:
    """Return the line of a map that knows the partner's key; nothing without a key.

    A map compares words without regard to case, so the key is a pattern, every
    character of it by its number.
    """
    if not key:
        return ""
    return '"~^{}\\z" 1;'.format("".join(f"\\x{byte:02x}" for byte in key.encode()))


def quoted(path: Path, end: str = "") -> str:
    """Return a path as nginx takes it.

    Args:
        path: the path.
        end: a slash, where nginx puts the rest of an address behind it.

    Raises:
        RuntimeError: it has a character that nginx would read as something else.
    """
    text = str(path.resolve()) + end
    if re.search(r'["\\$;{}\n]', text):
        raise RuntimeError(f"nginx cannot use this path, move the project: {text}")
    return json.dumps(text, ensure_ascii=False)


def swagger_folder() -> Path:
    """Return the folder of Swagger UI in its wheel.

    Raises:
        RuntimeError: the wheel is not installed.
    """
    found = importlib.util.find_spec("flask_swagger_ui")
    if found is None or found.origin is None:
        raise RuntimeError("flask-swagger-ui is missing: install requirements/run.lock")
    return Path(found.origin).parent / "dist"
