"""One run of a stage: start, ready, stop."""

from __future__ import annotations

import os
import signal
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from types import FrameType
from typing import IO, Any

from honcho.printer import Message

from . import asking, deployed, environment, ports, readiness
from .crew import Crew, NotReplaced
from .ending import MARK, end_run, end_together
from .guard import Guard
from .parts import Part
from .replicas import Directory, Replica, counted, planned, ports_of
from .stages import Port, Stage
from .state import Places, RunningReplica, RunningStage, acquire, write_state
from .voice import Voice

GRACE_SECONDS = 5.0
TICK_SECONDS = 0.2


@dataclass(frozen=True)
class Asked:
    """Somebody asked the run to stop."""

    why: str


@dataclass(frozen=True)
class Replaced:
    """What became of a request to replace a service."""

    answer: asking.Answer


@dataclass(frozen=True)
class Plan:
    """All that a run needs to know before it starts anything.

    Attributes:
        stage: the stage.
        places: where the run keeps its files.
        base: its first port.
        ports: what the parts listen on that all need.
        settings: reads the environment of the parts, as the settings are now.
        env: that environment at the beginning.
        without: the parts that the user's own systems replace.
        replicas: of the services.
        patience: seconds until the run must be ready.
    """

    stage: Stage
    places: Places
    base: int
    ports: Mapping[Port, int]
    settings: Callable[[], Mapping[str, str]]
    env: Mapping[str, str]
    without: set[str]
    replicas: list[Replica]
    patience: float

    def all_ports(self) -> dict[Port, int]:
        """Return every port that must be free at the beginning."""
        return {**self.ports, **ports_of(self.replicas, self.stage, self.base)}

    def environment_of(self, replica: Replica | None) -> dict[str, str]:
        """Return the environment of a part, as the settings are now.

        Args:
            replica: which one, when the part is a service.
        """
        env = self.settings()
        if replica is None:
            return dict(env)
        return environment.of_service(self.stage, replica.service, replica.port, env)

    def directory(self) -> Directory:
        """Return where the gateway is told of the services."""
        internal = environment.internal_url(self.ports)
        return Directory(self.places.data / "upstreams.json", internal)

    def running(self, services: dict[str, list[RunningReplica]]) -> RunningStage:
        """Return the state that holds when everything is ready.

        Args:
            services: where the services are.
        """
        urls = environment.addresses(self.env, self.ports)
        where: dict[str, Any] = {"site_url": urls.site, "api_url": urls.site + "/v1"}
        if self.stage.on_aws:
            where = deployed.read(self.places.data)
        return RunningStage(
            stage=self.stage.number,
            name=self.places.name,
            auth=self.stage.auth,
            stripe_url=urls.stripe,
            mailbox_url=urls.mailbox,
            runner_pid=os.getpid(),
            services=services,
            **where,
        )

    def health_url(self) -> str | None:
        """Return what answers 200 when all works; None while that is not known."""
        if self.stage.on_aws:
            api_url = deployed.read(self.places.data).get("api_url")
            return f"{api_url}/health" if api_url else None
        site = environment.addresses(self.env, self.ports).site
        return site + self.stage.health_path


def plan_for(
    stage: Stage, places: Places, port_base: int | None, env_file: Path, patience: float
) -> Plan:
    """Decide the ports, the environment and the parts of a run.

    Args:
        stage: the stage.
        places: where the run keeps its files.
        port_base: its first port; `None` for the stage's own.
        env_file: settings that the environment does not set.
        patience: seconds until it must be ready.

    Raises:
        ValueError: a setting is wrong; the message names it.
    """
    user = environment.user_environment(env_file)
    numbers = ports.assigned(stage, port_base, user)
    without = environment.replaced_parts(user, numbers, stage.services)
    needed = {port: n for port, n in numbers.items() if port.part not in without}
    base = port_base or stage.port_base
    told = environment.services_environment(stage, numbers, places.data)

    def settings() -> Mapping[str, str]:
        now = environment.user_environment(env_file)
        return environment.part_environment(now, numbers, places.data, told)

    counts = counted(user.get("REPLICAS", ""), stage)
    replicas = planned(stage, base, counts)
    return Plan(
        stage,
        places,
        base,
        needed,
        settings,
        settings(),
        without,
        replicas,
        patience,
    )


@dataclass(frozen=True)
class Ending:
    """Why a run ends: the exit status, and what to say after everything stopped."""

    status: int
    words: str = ""
    part: Part | None = None


class Run:
    """Starts the parts, hears what happens to them, and stops them."""

    def __init__(self, plan: Plan, lock: IO[str]) -> None:
        self._plan = plan
        self._mark = uuid.uuid4().hex
        self._groups: list[int] = []
        # Signal handlers put into it as well, which only a SimpleQueue allows.
        self._events: SimpleQueue[Any] = SimpleQueue()
        self._stopping = self._hurry = self._ready = False
        self._said_gone: set[str] = set()
        self._crew = Crew(
            plan.stage,
            plan.without,
            plan.places.logs,
            lambda replica: {**plan.environment_of(replica), MARK: self._mark},
            plan.replicas,
            plan.directory(),
            self._events,
        )
        self._voice = Voice(
            self._crew.parts, lambda: self.ask_to_stop("the output closed")
        )
        self._guard = Guard(self._mark, plan.places.state, lock)

    def ask_to_stop(self, why: str, insisting: bool = False) -> None:
        """Ask the run to stop; signal handlers may call it.

        Args:
            why: in a word, for the output.
            insisting: while the run is stopping already, end what is left at once.
        """
        self._hurry = self._stopping and insisting
        self._events.put(Asked(why))

    def perform(self) -> int:
        """Run until asked to stop or until a part dies; return the exit status."""
        try:
            self._start()
            ending = self._listen()
        finally:
            self._stop()
        self._voice.last_words(ending.words, ending.part)
        return ending.status

    def _start(self) -> None:
        stage = self._plan.stage
        names = ", ".join(self._crew.parts)
        self._voice.say(f"Starting stage {stage.number}: {names}")
        asking.take(self._plan.places)  # one that an earlier run left unanswered
        deployed.forget(self._plan.places.data)
        self._crew.start({s.name: self._plan.base + s.spare for s in stage.services})
        readiness.watch(
            self._plan.ports,
            self._plan.health_url,
            self._crew.healths,
            self._plan.patience,
            self._events.put,
        )

    def _listen(self) -> Ending:
        looked = time.monotonic()
        while True:
            ending = self._hear(self._next_event(TICK_SECONDS))
            if ending is None and time.monotonic() - looked > TICK_SECONDS:
                looked = time.monotonic()
                ending = self._dead_part() or self._lost_guard()
                self._replace_if_asked()
            if ending is not None:
                return ending

    def _next_event(self, seconds: float) -> Any:
        try:
            return self._events.get(timeout=seconds)
        except Empty:
            return None

    def _hear(self, event: Any) -> Ending | None:
        """React to one event; return why the run ends if it does."""
        match event:
            case Message(type="start"):
                self._groups.append(event.data["pid"])
                self._guard.watch(event.data["pid"])
            case Message(type="line"):
                self._voice.relay(event)
            case readiness.Ready():
                gone = ", ".join(part.name for part in self._crew.ended())
                self._announce(f" without {gone}" if gone else "")
            case readiness.NotReady(missing, late, bearable):
                self._voice.say(f"Waiting for {missing}")
                if late and bearable:
                    self._announce(f" without {missing}")
                elif late:
                    return self._late(missing)
            case Replaced(answer):
                self._tell_replaced(answer)
            case Asked(why):
                self._voice.say(f"Stopping ({why}) ...")
                return Ending(0)
        return None

    def _announce(self, without: str = "") -> None:
        running = self._plan.running(self._crew.running())
        write_state(self._plan.places, running)
        self._ready = True
        mailbox = f"mailbox {running.mailbox_url}/, " if running.mailbox_url else ""
        self._voice.say(
            f"Ready: stage {running.stage} at {running.page_url}{without} "
            f"({mailbox}Ctrl-C stops)"
        )

    def _late(self, missing: str) -> Ending:
        return Ending(
            1,
            f"Not ready after {self._plan.patience:g} s: no answer from {missing}. "
            f"The parts' output is in {self._plan.places.logs}",
        )

    def _dead_part(self) -> Ending | None:
        """Tell which parts have ended; return why the run ends if one was needed."""
        for part in self._crew.ended():
            status = part.status() or 0
            how = f"signal {-status}" if status < 0 else f"exit status {status}"
            if not self._crew.is_service(part):
                self._voice.say(f"{part.name} ended, stopping the rest ...")
                return Ending(1, f"{part.name} ended with {how}.", part)
            if part.name not in self._said_gone:
                self._said_gone.add(part.name)
                words = f"{part.name} ended with {how}; the others go on."
                self._voice.last_words(words, part)
                self._refresh_state()
        return None

    def _replace_if_asked(self) -> None:
        if request := asking.take(self._plan.places):
            threading.Thread(target=self._replace, args=[request], daemon=True).start()

    def _replace(self, request: asking.Request) -> None:
        try:
            words = self._crew.replace(request.service, self._plan.patience)
            answer = asking.Answer(request.id, True, words)
        except (NotReplaced, ValueError, OSError) as error:
            answer = asking.Answer(request.id, False, str(error))
        self._events.put(Replaced(answer))

    def _tell_replaced(self, answer: asking.Answer) -> None:
        self._voice.say(answer.words)
        self._refresh_state()
        asking.answer(self._plan.places, answer)

    def _refresh_state(self) -> None:
        if self._ready:
            running = self._plan.running(self._crew.running())
            write_state(self._plan.places, running)

    def _lost_guard(self) -> Ending | None:
        """Do not go on unguarded: a killed runner would leave its parts behind."""
        if self._guard.is_there():
            return None
        return Ending(
            1, "The guard process of the runner ended; start the stage again."
        )

    def _stop(self) -> None:
        """End the services, then the rest, the last of the Procfile first."""
        self._stopping = True
        self._plan.places.state.unlink(missing_ok=True)
        while event := self._next_event(0):
            self._hear_quietly(event)
        end_together(self._crew.service_groups(), GRACE_SECONDS, lambda: self._hurry)
        end_run(
            self._groups[::-1],
            self._mark,
            GRACE_SECONDS,
            hurry=lambda: self._hurry,
        )
        while event := self._next_event(TICK_SECONDS):
            self._hear_quietly(event)
        self._guard.dismiss()

    def _hear_quietly(self, event: Any) -> None:
        """React while stopping: output and late starts still count, nothing else."""
        if isinstance(event, Message):
            self._hear(event)


def run(plan: Plan, until_stdin_closes: bool = False) -> int:
    """Run a stage in the foreground and return the exit status: 0 when asked to stop.

    Args:
        plan: what to run.
        until_stdin_closes: stop, too, when standard input ends; for a caller that
            must not leave a run behind when it is killed.

    Raises:
        AlreadyRunningError: the same run is up; the message says where.
        PortTakenError: a port is not free; the message says who holds it.
    """
    with acquire(plan.places) as lock:
        ports.check(plan.all_ports())
        running = Run(plan, lock)
        _on_signals(running)
        if until_stdin_closes:
            threading.Thread(target=_wait_for_end, args=[running], daemon=True).start()
        return running.perform()


def _on_signals(running: Run) -> None:
    def ask(number: int, frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        running.ask_to_stop(name, insisting=number == signal.SIGINT)

    signal.signal(signal.SIGINT, ask)
    signal.signal(signal.SIGTERM, ask)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # `nohup` wants it ignored
        signal.signal(signal.SIGHUP, ask)


def _wait_for_end(running: Run) -> None:
    while os.read(0, 1024):
        pass
    running.ask_to_stop("the caller is gone")
