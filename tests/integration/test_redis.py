"""Redis from PATH or from the wheel: durable, on loopback, and plain when missing."""

from __future__ import annotations

import signal

import psutil
import pytest
from part import Redis, running

from sandbox.redis import program


@pytest.fixture
def server(tmp_path):
    with running(Redis(tmp_path / "redis")) as server:
        yield server


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_what_was_written_survives_its_end(server, number):
    server.client.set("revoked:one", 1, ex=600)
    server.stop(number)
    server.start()
    assert server.client.get("revoked:one") == b"1"


def test_it_listens_on_loopback_only(server):
    sockets = psutil.Process(server.process.pid).net_connections("inet")
    listening = {s.laddr.ip for s in sockets if s.status == psutil.CONN_LISTEN}
    assert listening == {"127.0.0.1"}


def test_a_server_on_path_comes_before_the_wheel(tmp_path, monkeypatch):
    for name in ("valkey-server", "redis-server"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        assert program.find_program() == tmp_path / name


def test_without_any_it_says_what_to_install(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(program, "WHEELS", {"no_such_wheel": "bin/redis-server"})
    with pytest.raises(RuntimeError, match="apt-get install redis-server") as told:
        program.find_program()
    assert "REDIS_URL" in str(told.value)
