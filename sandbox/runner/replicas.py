"""Where the replicas of a stage's services are, and who is told of it."""

from __future__ import annotations

import http.client
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from sandbox.nginx import upstreams
from sandbox.nginx.configuration import LINGER_SECONDS

from .stages import Port, Service, Stage

FOLLOW_SECONDS = 15.0
# nginx starts new workers a little before it stops the old ones from taking requests,
# and these take the last ones of guests who are connected a little later still.
SETTLE_SECONDS = 1.0 + LINGER_SECONDS


@dataclass(frozen=True)
class Replica:
    """One process of a service.

    Attributes:
        name: of its part: `nlu`, `nlu.2`.
        service: what it is one of.
        port: where it listens on loopback.
    """

    name: str
    service: Service
    port: int

    @property
    def url(self) -> str:
        """Its address, without a path."""
        return f"http://127.0.0.1:{self.port}"


def counted(words: str, stage: Stage) -> dict[str, int]:
    """Read how many replicas of which services are wanted.

    Args:
        words: as in `nlu=2,checkout=2`.
        stage: whose services they are.

    Raises:
        ValueError: it cannot be read, or a number cannot be had.
    """
    wanted = {}
    for word in filter(None, words.replace(",", " ").split()):
        name, _, number = word.partition("=")
        most = len(stage.service(name).offsets)
        if not (number.isdecimal() and 1 <= int(number) <= most):
            raise ValueError(f"REPLICAS: {word!r} is not {name}=1 to {name}={most}.")
        wanted[name] = int(number)
    return wanted


def planned(stage: Stage, base: int, counts: Mapping[str, int]) -> list[Replica]:
    """Return the replicas with which a run begins.

    Args:
        stage: the stage.
        base: the first port of the run.
        counts: how many of which service; one where nothing is said.
    """
    return [
        Replica(service.name + (f".{n}" if n > 1 else ""), service, base + offset)
        for service in stage.services
        for n, offset in enumerate(
            service.offsets[: counts.get(service.name, 1)], start=1
        )
    ]


def ports_of(replicas: list[Replica], stage: Stage, base: int) -> dict[Port, int]:
    """Return the ports that services need, the spare ones included, to be checked."""
    taken = [(r.service.port_variable, r.port, r.name) for r in replicas]
    taken += [(s.port_variable, base + s.spare, s.name) for s in stage.services]
    return {Port(variable, n - base, part): n for variable, n, part in taken}


class Directory:
    """The file that tells the gateway where the services are.

    Args:
        path: the file.
        gateway_url: where the gateway tells which version of it it follows; nothing
            where there is no gateway.
    """

    def __init__(self, path: Path, gateway_url: str | None) -> None:
        self._path = path
        self._gateway_url = gateway_url
        self._version = 0

    def tell(self, replicas: list[Replica]) -> None:
        """Write where the services are."""
        self._version += 1
        ports: dict[str, list[int]] = {}
        for replica in replicas:
            ports.setdefault(replica.service.name, []).append(replica.port)
        upstreams.write(self._path, upstreams.Upstreams(self._version, ports))

    def until_followed(self) -> bool:
        """Wait until requests go where the file says; tell whether they do."""
        if self._gateway_url is None:
            return True
        deadline = time.monotonic() + FOLLOW_SECONDS
        while self._followed() != str(self._version):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        time.sleep(SETTLE_SECONDS)
        return True

    def _followed(self) -> str:
        address = urlsplit(self._gateway_url or "")
        connection = http.client.HTTPConnection(str(address.netloc), timeout=2)
        try:
            connection.request("GET", "/gateway/version")
            return connection.getresponse().read(20).decode("ascii", "replace")
        except (OSError, http.client.HTTPException):
            return ""
        finally:
            connection.close()
