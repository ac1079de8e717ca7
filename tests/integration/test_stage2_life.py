"""The services of stage 2 live alone: one is replaced, one does not start."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading

import pytest
import requests
from wait import free_base, until

from sandbox.runner import started
from sandbox.runner.stages import STAGES
from sandbox.runner.state import RUN_ROOT, Places, read_state
from tests.contract.outside import Mailbox
from tests.guest import Guest

pytestmark = pytest.mark.full

STAGE = STAGES[2]
NAME = "stage2-life"
OFFSETS = [
    *(port.offset for port in STAGE.ports),
    *(n for service in STAGE.services for n in (*service.offsets, service.spare)),
]


@pytest.fixture
def start():
    """Return how to start the stage, with an empty database, on free ports."""

    def starting(**env):
        shutil.rmtree(RUN_ROOT / NAME, ignore_errors=True)
        return started(2, name=NAME, port_base=free_base(OFFSETS), env=env)

    return starting


class Load:
    """Guests who keep asking, each the same thing, until they are told to stop.

    Each keeps one connection for as long as the gateway does.
    """

    def __init__(self, stage, askings):
        self.outcomes = {name: [] for name in askings}
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._ask, args=[stage, name, ask], daemon=True)
            for name, ask in askings.items()
        ]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        self.until_more(3)
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def until_more(self, count):
        """Wait until everybody has been answered so many times more."""
        before = {name: len(at) for name, at in self.outcomes.items()}
        until(
            lambda: all(len(self.outcomes[n]) >= before[n] + count for n in before),
            "everybody was answered",
        )

    def _ask(self, stage, name, ask):
        guest = Guest(stage)
        while not self._stop.is_set():
            try:
                outcome = ask(guest).status_code
            except requests.RequestException as error:
                outcome = repr(error)
            self.outcomes[name].append(outcome)


def ask_for_products(guest):
    return guest.get("/products", timeout=20)


def chat(guest):
    said = {"type": "unstructured", "unstructured": {"text": "show me flowers"}}
    return guest.post("/nlu", json={"messages": [said]}, timeout=20)


def replace(stage, service):
    program = [sys.executable, "-m", "sandbox.runner", "restart", "2", service]
    return subprocess.run(
        [*program, "--name", stage.name, "--patience", "60"],
        capture_output=True,
        text=True,
        timeout=150,
    )


def processes(stage, service):
    running = read_state(Places(RUN_ROOT, stage.name))
    return {replica["group"] for replica in running.services[service]}


@pytest.mark.parametrize("replicas", ["", "nlu=2"], ids=["one", "two"])
def test_nlu_is_replaced_under_load_and_no_request_fails(start, replicas):
    askings = {"products": ask_for_products, "chat": chat}
    with start(REPLICAS=replicas, NLU_ENGINE="rules") as stage:
        before = processes(stage, "nlu")
        with Load(stage, askings) as load:
            ended = replace(stage, "nlu")
            load.until_more(3)
        assert ended.returncode == 0, ended.stderr
        assert {name: set(at) for name, at in load.outcomes.items()} == {
            "products": {200},
            "chat": {200},
        }
        after = processes(stage, "nlu")
        assert len(after) == len(before)
        assert not after & before


def test_a_service_that_does_not_start_leaves_the_others_serving(start):
    with start(NLU_ENGINE="psychic") as stage:
        guest = Guest(stage)
        assert guest.get("/products").status_code == 200
        assert guest.buy("roses-red-dozen").json()["order"]["status"] == "confirmed"
        assert len(guest.get("/orders").json()["orders"]) == 1
        mailbox = Mailbox(stage.mailbox_url)
        until(lambda: mailbox.of(guest.email), "the confirmation arrives")
        answer = guest.post("/nlu", json={"messages": []})
        assert answer.status_code == 503
        assert "Retry-After" in answer.headers
        # And it says why.
        ended = replace(stage, "nlu")
        assert ended.returncode == 1
        assert "NLU_ENGINE" in ended.stderr
