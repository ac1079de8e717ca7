"""The parts of a run: those that all the others need, and the replicas of services."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from .ending import end_group
from .parts import Part, colours_of, commands_of
from .readiness import is_well
from .replicas import Directory, Replica
from .stages import Stage
from .state import RunningReplica

# Longer than a service may need to finish what it has begun (`graceful_timeout`).
DRAIN_SECONDS = 25.0


class NotReplaced(Exception):
    """A service was not replaced and goes on as it was; the message says why."""


class Crew:
    """The parts of one run.

    Args:
        stage: the stage.
        without: the parts that the user's own systems replace.
        logs: the folder for their full output.
        environment: returns the environment of a part, as the settings are now; of a
            replica when one is given.
        replicas: of the services, at the beginning.
        directory: tells the gateway where they are.
        events: where their output and their ends arrive.
    """

    def __init__(
        self,
        stage: Stage,
        without: set[str],
        logs: Path,
        environment: Callable[[Replica | None], Mapping[str, str]],
        replicas: list[Replica],
        directory: Directory,
        events: SimpleQueue[Any],
    ) -> None:
        self._stage, self._without, self._logs = stage, without, logs
        self._environment, self._directory, self._events = (
            environment,
            directory,
            events,
        )
        self.replicas = replicas
        self._spare: dict[str, int] = {}
        self._retired: set[str] = set()
        self._changing = threading.Lock()
        logs.mkdir(parents=True, exist_ok=True)
        commands = commands_of(stage.path, without)
        self._colours = colours_of(commands)
        self.parts: dict[str, Part] = {}
        for name in commands:
            mine = [r for r in replicas if r.service.name == name]
            if not mine:
                self._add(name, None)
            for replica in mine:
                self._add(name, replica)

    def start(self, spare_ports: Mapping[str, int]) -> None:
        """Start every part.

        Args:
            spare_ports: where what replaces a service comes up, by its name.
        """
        self._spare = dict(spare_ports)
        if self._stage.services:
            self._directory.tell(self.replicas)
        for part in list(self.parts.values()):
            part.start(self._events)

    def is_service(self, part: Part) -> bool:
        """Tell whether the others go on when this part ends."""
        return any(replica.name == part.name for replica in self.replicas)

    def ended(self) -> Iterator[Part]:
        """Return the parts that have ended, those that were meant to left out."""
        for part in list(self.parts.values()):
            if part.name not in self._retired and part.status() is not None:
                yield part

    def healths(self) -> dict[str, str]:
        """Return the address of the health of each service that lives, by its part."""
        gone = {part.name for part in self.ended()}
        path = self._stage.health_path
        return {r.name: r.url + path for r in self.replicas if r.name not in gone}

    def running(self) -> dict[str, list[RunningReplica]]:
        """Return where the services are that live."""
        found: dict[str, list[RunningReplica]] = {}
        alive = self.healths()
        for replica in self.replicas:
            group = self.parts[replica.name].group()
            if replica.name in alive and group is not None:
                place = RunningReplica(url=replica.url, group=group)
                found.setdefault(replica.service.name, []).append(place)
        return found

    def service_groups(self) -> list[int]:
        """Return the process groups of all replicas."""
        groups = (self.parts[replica.name].group() for replica in self.replicas)
        return [group for group in groups if group is not None]

    def replace(self, name: str, patience: float) -> str:
        """Replace a service by what its files say now, one replica after the other.

        The new one is there before the old one goes, and the old one finishes what it
        has begun.

        Args:
            name: of the service.
            patience: seconds until a new one must be well.

        Returns:
            What was done, in words.

        Raises:
            NotReplaced: it goes on as it was; the message says why.
            ValueError: there is no such service.
        """
        service = self._stage.service(name)
        if not self._changing.acquire(blocking=False):
            raise NotReplaced("Another service is being replaced; try again after it.")
        try:
            olds = [r for r in self.replicas if r.service.name == name]
            for old in olds:
                new = Replica(self._next_name(old), service, self._spare[name])
                self._come_up(new, old, patience)
                self._take_over(new, old)
                self._spare[name] = old.port
            return f"Replaced {', '.join(replica.name for replica in olds)}."
        finally:
            self._changing.release()

    def _come_up(self, new: Replica, old: Replica, patience: float) -> None:
        part = self._add(new.service.name, new)
        # Not one of the services yet: until it is, its end is only told here.
        self._retired.add(new.name)
        part.start(self._events)
        deadline = time.monotonic() + patience
        while not is_well(new.url + self._stage.health_path):
            if part.status() is not None or time.monotonic() > deadline:
                self._end(new)
                raise NotReplaced(
                    f"{new.name} did not come up; {old.name} goes on as it was.\n"
                    f"{part.last_words()}"
                )
            time.sleep(0.1)

    def _take_over(self, new: Replica, old: Replica) -> None:
        before = self.replicas
        after = [new if replica == old else replica for replica in before]
        self._directory.tell(after)
        if not self._directory.until_followed():
            self._directory.tell(before)
            self._end(new)
            raise NotReplaced(
                f"The gateway did not turn to {new.name}; {old.name} goes on as it was."
            )
        self._retired.add(old.name)
        self.replicas = after
        self._retired.discard(new.name)
        self._end(old)

    def _end(self, replica: Replica) -> None:
        self._retired.add(replica.name)
        if (group := self.parts[replica.name].group()) is not None:
            end_group(group, DRAIN_SECONDS)

    def _next_name(self, replica: Replica) -> str:
        """Return a name that no part of this run had: `nlu~2` after `nlu`."""
        name = replica.name.partition("~")[0]
        number = 2
        while f"{name}~{number}" in self.parts:
            number += 1
        return f"{name}~{number}"

    def _add(self, command: str, replica: Replica | None) -> Part:
        name = replica.name if replica else command
        part = Part(
            name,
            commands_of(self._stage.path, self._without)[command],
            self._logs / f"{name}.log",
            self._environment(replica),
            self._stage.path,
        )
        part.colour = self._colours[command]
        self.parts[name] = part
        return part
