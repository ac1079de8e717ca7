"""Every variable that a service reads is in its stage's `.env.example`."""

from __future__ import annotations

import importlib
import re

import msgspec
import pytest

from sandbox.runner.stages import STAGES

STAGE = STAGES[2]
NAMES = [service.name for service in STAGE.services]
READ = re.compile(r"""environ(?:\.\w+\(|\[)\s*["'](\w+)["']""")
# Read by the gateway and by the runner, which are nobody's service.
AROUND = {
    "REPLICAS",
    "PORT",
    "FRONTEND_DIR",
    "CONTRACT_FILE",
    "PARTNER_API_KEY",
    "PARTNER_RATE_PER_MINUTE",
}
TEXT = (STAGE.path / ".env.example").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"^# ([A-Z_]+)=(.*)$", TEXT, re.MULTILINE))


def fields(service):
    settings = importlib.import_module(f"{service}.config").Settings
    return {field.encode_name: field for field in msgspec.structs.fields(settings)}


def read_elsewhere(service):
    sources = [p for p in (STAGE.path / service).rglob("*.py") if p.name != "config.py"]
    return {name for p in sources for name in READ.findall(p.read_text())}


def test_the_example_lists_exactly_the_variables_that_are_read():
    read = {name for s in NAMES for name in fields(s).keys() | read_elsewhere(s)}
    assert EXAMPLES.keys() == read | AROUND


def test_nothing_in_the_example_is_set():
    assert all(not line or line.startswith("#") for line in TEXT.splitlines())


@pytest.mark.parametrize("service", NAMES)
def test_the_example_has_the_defaults(service):
    for name, field in fields(service).items():
        default = field.default
        if default in (None, msgspec.NODEFAULT):
            continue
        written = f"{default:g}" if isinstance(default, float) else str(default)
        assert EXAMPLES[name] == written, name


@pytest.mark.parametrize("service", NAMES)
def test_a_service_is_told_all_that_it_must_know(service):
    mine = next(s for s in STAGE.services if s.name == service)
    must = {n for n, f in fields(service).items() if f.default is msgspec.NODEFAULT}
    secret = {name for s in STAGE.services for name in s.secrets}
    assert must & secret <= set(mine.secrets)
    # And nothing secret that it does not read.
    assert set(mine.secrets) <= fields(service).keys()
