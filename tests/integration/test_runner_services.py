"""The runner, on a stage of tiny services behind the real gateway."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading

import pytest
import requests
from test_runner import Kitchen, nothing_is_left
from wait import free_base, until

from sandbox.runner import Port, Stage
from sandbox.runner.environment import of_service, replaced_parts, services_environment
from sandbox.runner.replicas import counted, planned
from sandbox.runner.stages import STAGES, Service, stage_of

SERVICE = """
import http.server, json, os, sys, time
import taste

name = sys.argv[1]
if os.path.exists(name + ".broken"):
    sys.exit("no flour for " + name)

class Cook(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/v1/products/slow":
            time.sleep(1.5)
        if self.path == "/v1/products/die":
            os._exit(3)
        told = {"name": name, "taste": taste.TASTE, "pid": os.getpid()}
        told |= {k: v for k, v in os.environ.items() if "KEY" in k or "GREET" in k}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(told).encode())

    do_POST = do_GET
    def log_message(self, *words): pass

import signal, threading
address = ("127.0.0.1", int(os.environ[name.upper() + "_PORT"]))
server = http.server.ThreadingHTTPServer(address, Cook)
server.daemon_threads = False  # what has begun is finished
def leave(*_): threading.Thread(target=server.shutdown).start()
signal.signal(signal.SIGTERM, leave)
server.serve_forever()
server.server_close()
"""

NAMES = ("identity", "catalog", "nlu", "checkout", "notifications")
SERVICES = tuple(
    Service(name, (1 + i, 36 + i, 41 + i), 11 + i, (f"{name.upper()}_SERVICE_KEY",))
    for i, name in enumerate(NAMES)
)
OFFSETS = [0, 6, *(n for s in SERVICES for n in (*s.offsets, s.spare))]


class Restaurant(Kitchen):
    """A kitchen whose stage is services behind nginx."""

    def __init__(self):
        super().__init__()
        self.base = free_base(OFFSETS)
        self.url = f"http://127.0.0.1:{self.base}"
        template = STAGES[2].path / "nginx.conf.template"
        shutil.copy(template, self.root)
        (self.root / "service.py").write_text(SERVICE)
        self.taste("sweet")
        self.procfile(
            *(f"{name}: exec python service.py {name}" for name in NAMES),
            "gateway: exec python -m sandbox.nginx",
        )

    def taste(self, taste):
        (self.root / "taste.py").write_text(f"TASTE = {taste!r}\n")

    def stage(self, *ports):
        doors = (
            Port("PORT", 0, "gateway"),
            Port("GATEWAY_INTERNAL_PORT", 6, "gateway"),
        )
        return Stage(2, str(self.root), self.base, (*doors, *ports), services=SERVICES)

    def restart(self, name):
        program = [sys.executable, "-m", "sandbox.runner", "restart"]
        description = str(self.root / "stage.json")
        place = ["--name", "stub", "--run-root", str(self.run_root)]
        return subprocess.run(
            [*program, description, name, *place, "--patience", "30"],
            capture_output=True,
            text=True,
            timeout=90,
        )

    def get(self, path="/v1/products", **options):
        return requests.get(self.url + path, timeout=20, **options)

    def state(self):
        return json.loads(self.state_file.read_text())


@pytest.fixture
def restaurant():
    restaurant = Restaurant()
    yield restaurant
    if restaurant.runner and restaurant.runner.poll() is None:
        restaurant.stop()
    shutil.rmtree(restaurant.root)


def test_a_service_that_dies_is_told_of_and_leaves_the_others_serving(restaurant):
    restaurant.start().until_ready()
    processes = restaurant.processes()
    assert restaurant.get("/v1/products/die").status_code == 503
    until(
        lambda: "catalog ended with exit status 3; the others" in restaurant.output(),
        "the end is told",
    )
    assert restaurant.get().status_code == 503
    assert restaurant.get("/v1/health").json()["name"] != "catalog"
    assert requests.post(restaurant.url + "/v1/nlu", timeout=20).ok
    until(lambda: "catalog" not in restaurant.state()["services"], "the state is told")
    assert restaurant.runner.poll() is None
    assert restaurant.stop() == 0
    nothing_is_left(restaurant, processes)


def test_a_service_that_does_not_start_leaves_the_others_and_can_come_back(restaurant):
    broken = restaurant.root / "nlu.broken"
    broken.touch()
    restaurant.start().until_ready()
    until(lambda: f"{restaurant.url}/ without nlu" in restaurant.output(), "it is told")
    assert "no flour for nlu" in restaurant.output()
    assert restaurant.get().ok
    broken.unlink()
    assert restaurant.restart("nlu").returncode == 0
    assert requests.post(restaurant.url + "/v1/nlu", timeout=20).ok


def test_the_gateway_is_needed(restaurant):
    restaurant.procfile(
        *(f"{name}: exec python service.py {name}" for name in NAMES),
        "gateway: echo no door; exit 4",
    )
    assert restaurant.start().runner.wait(timeout=30) == 1
    assert "gateway ended with exit status 4" in restaurant.output()


def test_requests_are_spread_over_replicas_and_one_may_be_killed(restaurant):
    restaurant.start(REPLICAS="catalog=2").until_ready()
    replicas = restaurant.state()["services"]["catalog"]
    assert len(replicas) == 2
    assert len({restaurant.get().json()["pid"] for _ in range(10)}) == 2
    os.killpg(replicas[0]["group"], signal.SIGKILL)
    answers = [restaurant.get() for _ in range(10)]
    assert [answer.status_code for answer in answers] == [200] * 10
    assert len({answer.json()["pid"] for answer in answers}) == 1


def test_a_replacement_has_new_code_and_settings_and_no_request_fails(restaurant):
    (restaurant.root / ".env").write_text("GREETING=good-morning\n")
    restaurant.start(REPLICAS="catalog=2").until_ready()
    before = restaurant.state()["services"]["catalog"]
    assert restaurant.get().json()["GREETING"] == "good-morning"
    restaurant.taste("sour")
    (restaurant.root / ".env").write_text("GREETING=good-evening\n")
    seen, stop = [], threading.Event()

    def keep_asking(path):
        while not stop.is_set():
            seen.append(restaurant.get(path).status_code)

    paths = ("/v1/products", "/v1/orders", "/v1/products/slow")
    askers = [threading.Thread(target=keep_asking, args=[path]) for path in paths]
    for asker in askers:
        asker.start()
    try:
        ended = restaurant.restart("catalog")
    finally:
        stop.set()
        for asker in askers:
            asker.join()
    assert (ended.returncode, ended.stdout) == (0, "Replaced catalog, catalog.2.\n")
    assert set(seen) == {200}
    answer = restaurant.get().json()
    assert (answer["taste"], answer["GREETING"]) == ("sour", "good-evening")
    assert restaurant.get("/v1/orders").json()["taste"] == "sweet"
    after = restaurant.state()["services"]["catalog"]
    assert len(after) == 2
    assert not {r["group"] for r in before} & {r["group"] for r in after}
    # And once more, where the first ones were.
    assert restaurant.restart("catalog").returncode == 0
    processes = restaurant.processes()
    assert restaurant.stop() == 0
    nothing_is_left(restaurant, processes)


def test_a_replacement_that_does_not_start_leaves_the_old_one(restaurant):
    restaurant.start().until_ready()
    (restaurant.root / "catalog.broken").touch()
    ended = restaurant.restart("catalog")
    assert ended.returncode == 1
    assert "catalog goes on as it was" in ended.stderr
    assert "no flour for catalog" in ended.stderr
    assert restaurant.get().ok
    assert restaurant.runner.poll() is None


def test_a_restart_of_nothing_says_what_there_is(restaurant):
    restaurant.command()
    ended = restaurant.restart("bakery")
    assert ended.returncode == 1
    assert "no service 'bakery'. Its services: identity, catalog" in ended.stderr
    ended = restaurant.restart("nlu")
    assert "stub is not running" in ended.stderr


def test_kill_9_of_the_runner_leaves_no_service(restaurant):
    restaurant.start().until_ready()
    processes = restaurant.processes()
    restaurant.stop(signal.SIGKILL)
    nothing_is_left(restaurant, processes)


# The settings


def test_each_service_gets_its_own_secrets_only(tmp_path):
    stage = STAGES[2]
    ports = {port: 8200 + port.offset for port in stage.ports}
    told = services_environment(stage, ports, tmp_path)
    assert told["REDIS_URL"] == "redis://127.0.0.1:8235/0"
    assert told["CATALOG_URL"] == "http://127.0.0.1:8206"
    assert "@127.0.0.1:8230/catalog" in told["CATALOG_DATABASE_URL"]
    secret = {name for service in stage.services for name in service.secrets}
    for service in stage.services:
        env = of_service(stage, service, 8299, told | {"STRIPE_API_KEY": "sk"})
        assert env.keys() & secret == set(service.secrets)
        assert "POSTGRES_OWNERS" not in env
        assert env[service.port_variable] == "8299"


def test_secrets_are_made_once_and_closed_to_others(tmp_path):
    stage = STAGES[2]
    ports = {port: 8200 + port.offset for port in stage.ports}
    first = services_environment(stage, ports, tmp_path)
    assert services_environment(stage, ports, tmp_path) == first
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert len(first["NLU_SERVICE_KEY"]) >= 32


def test_postgres_is_needed_until_every_database_is_the_users_own():
    services = STAGES[2].services
    urls = {
        f"{n.upper()}_DATABASE_URL": "postgresql://elsewhere/db"
        for n in ("identity", "catalog", "checkout", "notifications")
    }
    some = {n: url for n, url in urls.items() if n != "CHECKOUT_DATABASE_URL"}
    assert "postgres" not in replaced_parts(some, {}, services)
    assert "postgres" not in replaced_parts({"DATABASE_URL": "x"}, {}, services)
    assert replaced_parts(urls | {"REDIS_URL": "redis://x"}, {}, services) >= {
        "postgres",
        "redis",
    }


@pytest.mark.parametrize("words", ["nlu", "nlu=0", "nlu=4", "nlu=x", "bakery=2"])
def test_replicas_that_cannot_be_had_are_refused(words):
    with pytest.raises(ValueError, match="nlu|bakery"):
        counted(words, STAGES[2])


def test_replicas_have_ports_and_names_of_their_own():
    replicas = planned(STAGES[2], 8200, counted("nlu=3, checkout=2", STAGES[2]))
    ports = [replica.port for replica in replicas]
    assert len(set(ports)) == len(ports) == 8
    names = [r.name for r in replicas if r.service.name == "nlu"]
    assert names == ["nlu", "nlu.2", "nlu.3"]


def test_a_description_survives_its_journey(tmp_path):
    path = tmp_path / "stage.json"
    path.write_text(STAGES[2].as_json())
    assert stage_of(str(path)) == STAGES[2]
