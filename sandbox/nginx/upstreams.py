"""Where the services are: told by the runner in a file that may change."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Upstreams:
    """The ports on loopback of each service's replicas.

    Attributes:
        version: rises with each change; the gateway tells which one it follows.
        ports: by the service's name.
    """

    version: int
    ports: Mapping[str, Sequence[int]]


def write(path: Path, upstreams: Upstreams) -> None:
    """Write the file at one stroke: a reader sees all of it or none."""
    draft = path.with_suffix(".new")
    told = {"version": upstreams.version, "ports": dict(upstreams.ports)}
    draft.write_text(json.dumps(told), encoding="utf-8")
    draft.replace(path)


def read(path: Path) -> Upstreams:
    """Read the file.

    Raises:
        RuntimeError: there is none, or it does not say so.
    """
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        ports = {name: [int(n) for n in ports] for name, ports in told["ports"].items()}
        return Upstreams(int(told["version"]), ports)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RuntimeError(
            f"{path} does not tell where the services are ({error!r}); the runner "
            "writes it: start with `make run-stage STAGE=2`."
        ) from error
