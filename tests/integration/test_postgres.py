"""PostgreSQL from the wheel: durable, on loopback, and gone when it should be."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import psycopg
import pytest
from wait import free_ports, is_free, until, until_ended, until_open


class Postgres:
    def __init__(self, data):
        self.data = data
        [self.port] = free_ports(1)

    def start(self, *options):
        command = [sys.executable, "-m", "sandbox.postgres", *options]
        place = ["--port", str(self.port), "--data", str(self.data)]
        self.process = subprocess.Popen([*command, *place], start_new_session=True)
        until_open(self.port, self.process)
        return self

    def connect(self, database="concierge"):
        url = f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

        def ready():
            try:
                return psycopg.connect(url, autocommit=True, connect_timeout=10)
            except psycopg.OperationalError as error:
                # The port opens a little before the server takes connections.
                if "starting up" in str(error):
                    return None
                raise

        return until(ready, "PostgreSQL takes connections")

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(timeout=20)

    def server(self):
        lock = (self.data / "postmaster.pid").read_text()
        return psutil.Process(int(lock.split()[0]))

    def until_gone(self):
        until(lambda: is_free(self.port), f"port {self.port} is free")


@pytest.fixture
def postgres():
    folder = Path(tempfile.mkdtemp(prefix="concierge-postgres-"))
    server = Postgres(folder / "postgres")
    yield server
    if server.process.poll() is None:
        server.stop()
    server.until_gone()
    shutil.rmtree(folder)


def test_a_restart_keeps_the_data(postgres):
    with postgres.start().connect() as connection:
        connection.execute("CREATE TABLE note (words text)")
        connection.execute("INSERT INTO note VALUES ('tulips')")
    assert postgres.stop() == 0
    postgres.until_gone()
    with postgres.start().connect() as connection:
        assert connection.execute("SELECT words FROM note").fetchone() == ("tulips",)


def test_durable_roomy_and_on_loopback(postgres):
    with postgres.start().connect() as connection:
        shown = [
            connection.execute(f"SHOW {name}").fetchone()[0]
            for name in ("fsync", "synchronous_commit", "max_connections")
        ]
    assert shown == ["on", "on", "200"]
    sockets = postgres.server().net_connections("inet")
    assert {s.laddr.ip for s in sockets if s.status == psutil.CONN_LISTEN} == {
        "127.0.0.1"
    }


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_fast_while_a_client_is_connected(postgres, number):
    with postgres.start().connect() as connection:
        processes = [
            postgres.server(),
            *psutil.Process(postgres.process.pid).children(recursive=True),
        ]
        assert postgres.stop(number) == 0
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    until_ended(processes)
    assert not (postgres.data / "postmaster.pid").exists()


def test_committed_rows_survive_kill_9_of_the_whole_group(postgres):
    with postgres.start().connect() as connection:
        connection.execute("CREATE TABLE note (n int)")
        for number in range(20):
            connection.execute("INSERT INTO note VALUES (%s)", [number])
        os.killpg(postgres.process.pid, signal.SIGKILL)
        postgres.process.wait(timeout=10)
    with postgres.start().connect() as connection:
        assert connection.execute("SELECT count(*) FROM note").fetchone() == (20,)


def test_kill_9_of_the_front_process_stops_the_server(postgres):
    server = postgres.start().server()
    postgres.stop(signal.SIGKILL)
    until_ended([server])
    postgres.until_gone()
    postgres.start()


def test_kill_9_of_the_server_ends_the_front_process_with_an_error(postgres):
    postgres.start().server().kill()
    assert postgres.process.wait(timeout=10) != 0


def test_it_does_not_outlive_its_parent(postgres):
    command = f"{sys.executable} -m sandbox.postgres --port {postgres.port}"
    postgres.process = subprocess.Popen(
        ["/bin/sh", "-c", f"{command} --data {postgres.data}; :"]
    )
    until_open(postgres.port, postgres.process)
    postgres.stop(signal.SIGKILL)
    postgres.until_gone()


def test_a_stale_lock_file_with_a_reused_pid_does_not_block_the_start(postgres):
    postgres.start().stop(signal.SIGINT)
    # Our own pid: alive, and not a server of this data.
    (postgres.data / "postmaster.pid").write_text(
        f"{os.getpid()}\n{postgres.data}\n1\n{postgres.port}\n\n127.0.0.1\n1 1\nready\n"
    )
    postgres.start().connect().close()


def test_missing_databases_are_made_beside_existing_data(postgres):
    postgres.start().stop()
    postgres.until_gone()
    postgres.start("--database", "catalog", "--database", "orders")
    for name in ("concierge", "catalog", "orders"):
        postgres.connect(name).close()


def test_half_made_data_is_made_again(postgres):
    draft = postgres.data.with_name("postgres.new")
    draft.mkdir()
    (draft / "PG_VERSION").write_text("18\n")
    postgres.start().connect().close()
    assert not draft.exists()


# Owners


@pytest.fixture
def owners(postgres):
    passwords = {"postgres": "root", "identity": "one", "catalog": "two"}
    path = postgres.data.with_name("secrets.json")
    path.write_text(json.dumps({"databases": passwords}))
    postgres.start("--owners", str(path))
    return path


def enter(postgres, user, password, database):
    url = f"postgresql://{user}:{password}@127.0.0.1:{postgres.port}/{database}"

    def ready():
        try:
            return psycopg.connect(url, autocommit=True, connect_timeout=10)
        except psycopg.OperationalError as error:
            if "starting up" in str(error):
                return None
            raise

    return until(ready, "PostgreSQL takes connections")


def test_each_owner_works_in_a_database_of_its_own(postgres, owners):
    for name, password in (("identity", "one"), ("catalog", "two")):
        with enter(postgres, name, password, name) as connection:
            connection.execute("CREATE TABLE mine (n int)")


def test_nobody_gets_anywhere_else(postgres, owners):
    enter(postgres, "postgres", "root", "postgres").close()
    for user, password, database in (
        ("identity", "one", "catalog"),
        ("identity", "one", "postgres"),
        ("identity", "one", "template1"),
        ("identity", "two", "identity"),
        ("identity", "", "identity"),
        ("postgres", "", "identity"),
        ("postgres", "one", "postgres"),
    ):
        with pytest.raises(psycopg.OperationalError, match="pg_hba|password"):
            enter(postgres, user, password, database)


def test_even_without_the_access_file_only_the_owner_may_connect(postgres, owners):
    with enter(postgres, "postgres", "root", "postgres") as connection:
        for user, database in (("identity", "catalog"), ("catalog", "postgres")):
            asked = "SELECT has_database_privilege(%s, %s, 'CONNECT')"
            may = connection.execute(asked, [user, database]).fetchone()
            assert may == (False,)


def test_a_new_password_holds_after_a_restart_and_the_data_stays(postgres, owners):
    with enter(postgres, "identity", "one", "identity") as connection:
        connection.execute("CREATE TABLE mine (n int)")
    postgres.stop()
    postgres.until_gone()
    owners.write_text(owners.read_text().replace('"one"', '"three"'))
    postgres.start("--owners", str(owners))
    with enter(postgres, "identity", "three", "identity") as connection:
        connection.execute("SELECT n FROM mine")
    with pytest.raises(psycopg.OperationalError, match="password"):
        enter(postgres, "identity", "one", "identity")


def test_a_file_without_passwords_is_refused_with_advice(postgres, tmp_path):
    (tmp_path / "secrets.json").write_text("{}")
    postgres.process = subprocess.Popen(
        [
            *(sys.executable, "-m", "sandbox.postgres", "--data", str(postgres.data)),
            *("--port", str(postgres.port), "--owners", str(tmp_path / "secrets.json")),
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert "the runner makes a new one" in postgres.process.communicate(timeout=60)[1]
