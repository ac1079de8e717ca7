"""The runner, on a stage made of tiny servers: start, ready, stop, and every death."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest
from wait import free_base, is_free, until, until_ended

from sandbox.runner import Port, Stage, StartError, started
from sandbox.runner.environment import (
    part_environment,
    replaced_parts,
    without_systems,
)
from sandbox.runner.stages import SANDBOX_PORTS, STAGES, stage_of

SITE = """
import http.server, os, subprocess, sys, threading, time

class Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/die":
            print("the cook has left", flush=True)
            os._exit(3)
        self.send_response(200 if self.path == "/v1/health" else 404)
        self.end_headers()
        self.wfile.write(os.environ.get("GREETING", "").encode())

# A child in the group, and one that has left it.
for detached in (False, True):
    sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
    subprocess.Popen(sleep, start_new_session=detached)
for number in range(30):
    print("line", number, flush=True)
time.sleep(float(os.environ.get("SITE_LATE", "0")))
address = ("127.0.0.1", int(os.environ["PORT"]))
http.server.ThreadingHTTPServer(address, Site).serve_forever()
"""

STUBBORN = """
import os, signal, socket, time

signal.signal(signal.SIGTERM, signal.SIG_IGN)
listening = socket.create_server(("127.0.0.1", int(os.environ["STRIPE_PORT"])))
time.sleep(600)
"""

OFFSETS = [0, *(port.offset for port in SANDBOX_PORTS)]


class Kitchen:
    """A folder with a stage of stubs, and a runner of it as a process."""

    def __init__(self):
        self.root = Path(tempfile.mkdtemp(prefix="concierge-runner-"))
        self.base = free_base(OFFSETS)
        self.run_root = self.root / "run"
        self.state_file = self.run_root / "stub.json"
        self.log = self.root / "output"
        self.runner = None
        (self.root / "site.py").write_text(SITE)
        (self.root / "stubborn.py").write_text(STUBBORN)
        self.procfile("web: python site.py")

    def procfile(self, *lines):
        (self.root / "Procfile").write_text("\n".join(lines) + "\n")

    def stage(self, *ports):
        ports = (Port("PORT", 0, "web"), *ports)
        return Stage(1, str(self.root), self.base, ports)

    def command(self, stage=None, *options):
        description = self.root / "stage.json"
        description.write_text((stage or self.stage()).as_json())
        program = [sys.executable, "-m", "sandbox.runner", "run", str(description)]
        place = ["--name", "stub", "--run-root", str(self.run_root)]
        return [*program, *place, "--port-base", str(self.base), *options]

    def start(self, stage=None, *options, **env):
        with self.log.open("wb") as log:
            self.runner = subprocess.Popen(
                self.command(stage, *options),
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**without_systems(os.environ), **env},
                start_new_session=True,
            )
        return self

    def until_ready(self):
        def ready():
            assert self.runner.poll() is None, self.output()
            return self.state_file.exists()

        until(ready, "the stage is ready")
        return json.loads(self.state_file.read_text())

    def output(self):
        return self.log.read_text()

    def processes(self):
        return psutil.Process(self.runner.pid).children(recursive=True)

    def again(self, *options):
        return subprocess.run(
            self.command(None, *options), capture_output=True, text=True, timeout=60
        )

    def stop(self, number=signal.SIGINT):
        self.runner.send_signal(number)
        return self.runner.wait(timeout=30)


@pytest.fixture
def kitchen():
    kitchen = Kitchen()
    yield kitchen
    if kitchen.runner and kitchen.runner.poll() is None:
        kitchen.stop()
    shutil.rmtree(kitchen.root)


def strays(kitchen):
    """Every process that works in the stage's folder, whoever is its parent."""

    def works_there(process):
        try:
            return process.cwd().startswith(str(kitchen.root))  # a zombie has none
        except psutil.Error:
            return False

    return [process for process in psutil.process_iter() if works_there(process)]


def nothing_is_left(kitchen, processes):
    until_ended(processes)
    assert strays(kitchen) == []
    until(lambda: all(is_free(kitchen.base + n) for n in OFFSETS), "the ports are free")
    assert not kitchen.state_file.exists()


def test_ready_line_and_state_file(kitchen):
    state = kitchen.start().until_ready()
    url = f"http://127.0.0.1:{kitchen.base}"
    assert state == {
        "stage": 1,
        "name": "stub",
        "site_url": url,
        "api_url": url + "/v1",
        "auth": "bearer",
        "stripe_url": "https://api.stripe.com",
        "mailbox_url": None,
        "runner_pid": kitchen.runner.pid,
        "services": {},
    }
    until(
        lambda: f"Ready: stage 1 at {url}/ (Ctrl-C stops)\n" in kitchen.output(),
        "ready line",
    )
    assert "web | line 29" in kitchen.output()
    log = kitchen.run_root / "stub" / "logs" / "web.log"
    assert log.read_text().splitlines()[:2] == ["line 0", "line 1"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything(kitchen, number):
    kitchen.start().until_ready()
    processes = kitchen.processes()
    assert len(strays(kitchen)) >= 3  # the site, and both of its children
    assert kitchen.stop(number) == 0
    nothing_is_left(kitchen, processes)


def test_kill_9_of_the_runner_leaves_nothing(kitchen):
    kitchen.start().until_ready()
    processes = kitchen.processes()
    assert len(strays(kitchen)) >= 3
    assert kitchen.stop(signal.SIGKILL) == -signal.SIGKILL
    nothing_is_left(kitchen, processes)


def test_kill_9_of_the_guard_stops_the_run(kitchen):
    kitchen.start().until_ready()
    processes = kitchen.processes()
    [guard] = [p for p in processes if "sandbox.runner.guard" in p.cmdline()]
    guard.kill()
    assert kitchen.runner.wait(timeout=30) == 1
    assert "The guard process" in kitchen.output()
    nothing_is_left(kitchen, processes)


def test_kill_9_before_it_is_ready_leaves_nothing(kitchen):
    kitchen.start(SITE_LATE="600")
    until(lambda: "line 29" in kitchen.output(), "the site has started")
    processes = kitchen.processes()
    kitchen.stop(signal.SIGKILL)
    nothing_is_left(kitchen, processes)


def test_a_part_that_ignores_sigterm_is_ended(kitchen):
    kitchen.procfile("web: python site.py", "stripe: python stubborn.py")
    stripe = Port("STRIPE_PORT", 10, "stripe")
    kitchen.start(kitchen.stage(stripe)).until_ready()
    processes = kitchen.processes()
    assert kitchen.stop() == 0
    nothing_is_left(kitchen, processes)


def test_a_second_ctrl_c_is_obeyed(kitchen):
    kitchen.procfile("web: python site.py", "stripe: python stubborn.py")
    stripe = Port("STRIPE_PORT", 10, "stripe")
    kitchen.start(kitchen.stage(stripe)).until_ready()
    processes = kitchen.processes()
    kitchen.runner.send_signal(signal.SIGINT)
    until(lambda: "Stopping" in kitchen.output(), "it is stopping")
    assert kitchen.stop(signal.SIGINT) == 0
    nothing_is_left(kitchen, processes)


def test_a_run_starts_again_right_after_kill_9(kitchen):
    kitchen.start().until_ready()
    kitchen.stop(signal.SIGKILL)
    first = kitchen.runner.pid
    kitchen.start()
    until(lambda: "Ready:" in kitchen.output(), "the stage is ready again")
    assert kitchen.until_ready()["runner_pid"] == kitchen.runner.pid != first


def test_a_dying_part_ends_the_run_with_its_last_lines(kitchen):
    site = kitchen.start().until_ready()["site_url"]
    processes = kitchen.processes()
    with socket.create_connection(("127.0.0.1", kitchen.base)) as client:
        client.sendall(b"GET /die HTTP/1.0\r\n\r\n")
        client.recv(1)
    assert kitchen.runner.wait(timeout=30) == 1
    end = kitchen.output().split("web ended with exit status 3.")[1]
    assert "the cook has left" in end
    assert "line 29" in end
    assert "line 5\n" not in end
    assert "web.log" in end
    assert site.endswith(str(kitchen.base))
    nothing_is_left(kitchen, processes)


def test_a_part_that_cannot_start_ends_the_run(kitchen):
    kitchen.procfile("web: python no_such_file.py")
    assert kitchen.start().runner.wait(timeout=30) == 1
    assert "no_such_file.py" in kitchen.output().split("Its last lines:")[1]


def test_a_part_that_never_answers_ends_the_run_in_bounded_time(kitchen):
    kitchen.start(None, "--patience", "1", SITE_LATE="600")
    assert kitchen.runner.wait(timeout=30) == 1
    assert f"no answer from web (port {kitchen.base})" in kitchen.output()
    nothing_is_left(kitchen, [])


def test_a_taken_port_names_its_holder(kitchen):
    with socket.create_server(("127.0.0.1", kitchen.base)):
        ended = kitchen.again()
    assert ended.returncode == 1
    assert f"Port {kitchen.base} (PORT, for web)" in ended.stderr
    assert f"pid {os.getpid()}: " in ended.stderr
    assert "--port-base" in ended.stderr
    assert "Traceback" not in ended.stderr
    nothing_is_left(kitchen, [])


def test_a_second_run_says_what_runs_where(kitchen):
    kitchen.start().until_ready()
    ended = kitchen.again()
    assert ended.returncode == 1
    assert f"stub is running already: http://127.0.0.1:{kitchen.base}/" in ended.stderr
    assert f"kill {kitchen.runner.pid}" in ended.stderr
    assert kitchen.state_file.exists()


def test_output_that_nobody_reads_stops_the_run(kitchen):
    kitchen.runner = subprocess.Popen(kitchen.command(), stdout=subprocess.PIPE)
    until(kitchen.state_file.exists, "the stage is ready")
    processes = kitchen.processes()
    kitchen.runner.stdout.close()
    with socket.create_connection(("127.0.0.1", kitchen.base)) as client:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")  # the site logs it
        client.recv(1)
    assert kitchen.runner.wait(timeout=30) == 0
    nothing_is_left(kitchen, processes)


def test_started_yields_the_state_and_stops(kitchen):
    options = {"name": "stub", "port_base": kitchen.base, "run_root": kitchen.run_root}
    with started(kitchen.stage(), env={"GREETING": "hello"}, **options) as stage:
        processes = psutil.Process(stage.runner_pid).children(recursive=True)
        assert stage.api_url == f"http://127.0.0.1:{kitchen.base}/v1"
        with socket.create_connection(("127.0.0.1", kitchen.base)) as client:
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert b"hello" in b"".join(iter(lambda: client.recv(100), b""))
    nothing_is_left(kitchen, processes)


def test_started_takes_no_system_of_the_users_shell(kitchen, monkeypatch):
    monkeypatch.setenv("STRIPE_API_KEY", "sk_test_mine")
    kitchen.procfile("web: python site.py", "stripe: PORT=$STRIPE_PORT python site.py")
    stage = kitchen.stage(Port("STRIPE_PORT", 10, "stripe"))
    options = {"name": "stub", "port_base": kitchen.base, "run_root": kitchen.run_root}
    with started(stage, **options) as running:
        assert running.stripe_url == f"http://127.0.0.1:{kitchen.base + 10}"
    with started(stage, env={"STRIPE_API_KEY": "sk_test_mine"}, **options) as running:
        assert running.stripe_url == "https://api.stripe.com"


def test_started_raises_with_the_last_lines(kitchen):
    kitchen.procfile("web: echo out of flour; exit 4")
    options = {"name": "stub", "port_base": kitchen.base, "run_root": kitchen.run_root}
    with (
        pytest.raises(StartError, match="exit status 4"),
        started(kitchen.stage(), **options),
    ):
        pass
    nothing_is_left(kitchen, [])


def test_a_started_stage_does_not_outlive_its_caller(kitchen):
    program = (
        "import os, signal, sys; from pathlib import Path\n"
        "from sandbox.runner import started\n"
        "from sandbox.runner.stages import stage_of\n"
        "stage = stage_of(sys.argv[1])\n"
        f"with started(stage, name='stub', port_base={kitchen.base}, "
        f"run_root=Path({str(kitchen.run_root)!r})):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    kitchen.command()
    description = str(kitchen.root / "stage.json")
    command = [sys.executable, "-c", program, description]
    assert subprocess.run(command, timeout=60).returncode == -signal.SIGKILL
    until(lambda: strays(kitchen) == [], "the stage has gone with its caller")
    until(lambda: not kitchen.state_file.exists(), "the state file is gone")


POSTGRES = Port("POSTGRES_PORT", 30, "postgres")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_postgres_stops_cleanly_with_its_runner(kitchen, number):
    kitchen.procfile("postgres: python -m sandbox.postgres", "web: python site.py")
    kitchen.start(kitchen.stage(POSTGRES)).until_ready()
    processes = kitchen.processes()
    kitchen.stop(number)
    nothing_is_left(kitchen, processes)
    # A server that stopped in good order has removed its lock file.
    assert (kitchen.run_root / "stub" / "postgres" / "PG_VERSION").exists()
    assert not (kitchen.run_root / "stub" / "postgres" / "postmaster.pid").exists()


def test_postgres_stays_away_where_the_user_brings_a_database(kitchen):
    kitchen.procfile("postgres: python -m sandbox.postgres", "web: python site.py")
    url = "postgresql+psycopg://me@db.example.org/concierge"
    kitchen.start(kitchen.stage(POSTGRES), DATABASE_URL=url).until_ready()
    assert "Starting stage 1: web\n" in kitchen.output()
    assert not (kitchen.run_root / "stub" / "postgres").exists()


# The settings


def ports_at(base):
    ports = (Port("PORT", 0, "web"), *SANDBOX_PORTS)
    return {port: base + port.offset for port in ports}


@pytest.mark.parametrize(
    ("user", "replaced"),
    [
        ({}, set()),
        ({"DATABASE_URL": "postgresql://elsewhere/db"}, {"postgres"}),
        ({"STRIPE_API_KEY": "sk_test_mine"}, {"stripe"}),
        ({"STRIPE_API_BASE": "http://127.0.0.1:9999"}, {"stripe"}),
        ({"STRIPE_API_KEY": "k", "STRIPE_API_BASE": "http://127.0.0.1:8110"}, set()),
        ({"SMTP_HOST": "mail.example.org"}, {"mailbox"}),
    ],
)
def test_what_the_user_brings_is_not_started(user, replaced):
    assert replaced_parts(user, ports_at(8100)) == replaced


@pytest.mark.parametrize(
    "variable",
    [
        *("DATABASE_URL", "STRIPE_API_KEY", "STRIPE_API_BASE", "SMTP_HOST"),
        *("CATALOG_DATABASE_URL", "REDIS_URL", "SUPPLIER_API_BASE"),
    ],
)
def test_systems_are_told_from_other_settings(variable):
    user = {variable: "elsewhere", "PATH": "/bin", "NLU_ENGINE": "rules"}
    assert without_systems(user) == {"PATH": "/bin", "NLU_ENGINE": "rules"}


def test_parts_get_ports_data_and_programs():
    env = part_environment({"PATH": "/bin"}, ports_at(8100), Path("/r"))
    assert env["PORT"] == "8100"
    assert env["SMTP_PORT"] == "8125"
    assert env["DATABASE_URL"].endswith("@127.0.0.1:8130/concierge")
    assert env["STRIPE_API_BASE"] == "http://127.0.0.1:8110"
    assert env["PATH"] == f"{Path(sys.executable).parent}:/bin"


def test_a_users_own_stripe_key_goes_to_stripe():
    env = part_environment(
        {"STRIPE_API_KEY": "sk_test_mine"}, ports_at(8100), Path("/r")
    )
    assert env["STRIPE_API_KEY"] == "sk_test_mine"
    assert "STRIPE_API_BASE" not in env


def test_settings_of_an_env_file_reach_the_parts(kitchen):
    (kitchen.root / ".env").write_text("GREETING=from-the-file\n")
    kitchen.start().until_ready()
    with socket.create_connection(("127.0.0.1", kitchen.base)) as client:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        answer = b"".join(iter(lambda: client.recv(100), b""))
    assert b"from-the-file" in answer


@pytest.mark.parametrize("number", ["5", "x", "0"])
def test_an_unknown_stage_is_refused_with_those_that_exist(number):
    with pytest.raises(ValueError, match="There are: 1, 2, 3, 4"):
        stage_of(number)


def test_every_stage_has_its_own_hundred_ports():
    for number, stage in STAGES.items():
        assert stage.number == number
        assert stage.port_base == 8000 + 100 * number
        assert all(0 <= port.offset < 50 for port in stage.ports)
        named = {line.split(":")[0] for line in (stage.path / "Procfile").open()}
        assert {port.part for port in stage.ports} <= named
