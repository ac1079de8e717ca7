"""A load ends, whatever becomes of the stage and of Locust, and says what happened."""

from __future__ import annotations

import argparse
import signal
import socket
from types import SimpleNamespace

import pytest
from botocore.config import Config
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

from load_tests import shelves
from load_tests.accounts import Account
from load_tests.journeys import __main__ as journeys
from tests import backstage

# What a folder has under this name is run in Locust's place.
DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open("here", "w").close()
time.sleep(600)
"""


def test_a_locust_that_does_not_end_is_killed_and_told_of(
    tmp_path, monkeypatch, capsys
):
    (tmp_path / "locust.py").write_text(DEAF)
    monkeypatch.setattr(journeys, "STOP_SECONDS", 0)
    monkeypatch.setattr(journeys, "END_SECONDS", 1)
    options = argparse.Namespace(page=False, processes=1)
    before = signal.getsignal(signal.SIGTERM)
    try:
        code = journeys._locust(options, tmp_path, 1)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert code == journeys.NEVER_ENDED
    assert (tmp_path / "here").exists()
    assert "did not end within 2 s" in capsys.readouterr().err


def test_an_aws_that_answers_no_more_does_not_keep_the_shelves_for_ever(monkeypatch):
    quick = Config(connect_timeout=0.2, read_timeout=0.2)
    monkeypatch.setattr(backstage, "BOUNDED", backstage.BOUNDED.merge(quick))
    monkeypatch.setattr(shelves, "_stock", lambda *_: 7)
    told = []
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        stage = SimpleNamespace(
            stage=3,
            aws_endpoint_url=f"http://127.0.0.1:{deaf.getsockname()[1]}",
            region="us-east-1",
            tables={"catalog": "things"},
        )
        with (
            pytest.raises((ReadTimeoutError, ConnectTimeoutError)),
            shelves.filled(stage, Account(), told.append),
        ):
            pass
    assert told[-1].startswith("the old stock is not put back: ")
