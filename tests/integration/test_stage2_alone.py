"""Each service starts alone: its own packages, its own store, nobody to talk to."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import requests
from part import Redis, running
from wait import free_ports, until_open

from tests.meta.alone.packages import SERVICES, STAGE, environment

NOBODY = "http://127.0.0.1:9"
# What a service may say of its dependencies when its own store is all there is.
OTHERS = {"catalog", "checkout", "stripe", "mail"}


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory):
    with running(Redis(tmp_path_factory.mktemp("alone") / "redis")) as memory:
        yield memory.url


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_starts_alone(service, backends, redis_url, tmp_path):
    [port] = free_ports(1)
    gunicorn = Path(sys.executable).with_name("gunicorn")
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, gunicorn, "--config", f"{service}/gunicorn.conf.py"]
            + [f"{service}.app:create_app()"],
            cwd=STAGE.path,
            env=environment(service) | settings(service, port, backends, redis_url),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        until_open(port, process)
        health = requests.get(f"http://127.0.0.1:{port}/v1/health", timeout=20)
    finally:
        process.terminate()
        process.wait(timeout=30)
    assert health.status_code == 200, log.read_text()
    told = health.json()["dependencies"]
    assert {name for name, how in told.items() if how == "down"} <= OTHERS
    assert told.keys() - OTHERS, "it says how its own store is"


def settings(service, port, backends, redis_url):
    keys = {f"{name}_SERVICE_KEY": "k" * 64 for name in ("CHECKOUT", "NLU")}
    places = {f"{name.upper()}_URL": NOBODY for name in SERVICES}
    own = {
        f"{service.upper()}_PORT": str(port),
        f"{service.upper()}_DATABASE_URL": backends.database(service),
        "REDIS_URL": redis_url,
        "STRIPE_API_KEY": "sk_test_alone",
        "STRIPE_API_BASE": NOBODY,
        "SMTP_PORT": "9",
    }
    return keys | places | own
