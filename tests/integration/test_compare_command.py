"""The comparison, at its smallest: one stage, ended early; and with a port taken."""

import json
import os
import signal
import socket
import subprocess
import sys

import psutil
from wait import free_base, until_ended

from sandbox.runner.stages import REPOSITORY

PORT_BASE = free_base((0, 10, 20, 25, 30))
PATIENCE_SECONDS = 60
SMALL = ["--rounds", "99", "--seconds", "0.5", "--warm-up", "0.3", "--guests", "2"]


def compare(*words):
    program = [sys.executable, "-m", "load_tests.compare", "--stages", "1"]
    return subprocess.Popen(
        [*program, "--port-base", str(PORT_BASE), *SMALL, *words],
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def said_by(command, what):
    """Read until the command says something; return all that it said."""
    words = ""
    for line in command.stdout:
        words += line
        if what in line:
            return words
    raise AssertionError(f"it never said {what!r}:\n{words}")


def test_ctrl_c_keeps_what_was_measured_and_leaves_nothing_behind():
    command = compare()
    try:
        said_by(command, "round 1 of 99")
        family = psutil.Process(command.pid).children(recursive=True)
        assert family
        os.killpg(command.pid, signal.SIGINT)
        words, _ = command.communicate(timeout=PATIENCE_SECONDS)
    finally:
        command.kill()
    assert command.returncode == 130, words
    assert "Ended early" in words
    assert "| visits a second |" in words
    folder = words.partition("Report: ")[2].splitlines()[0].removesuffix("/report.html")
    with open(f"{folder}/result.json") as file:
        result = json.load(file)
    (turn, *_) = result["stages"]["1"]["turns"]
    assert turn["visits"] > 0
    assert turn["errors"] == {}
    assert turn["cpu_seconds"]["concierge"] > 0
    assert {"concierge", "PostgreSQL"} <= {
        held["part"] for held in result["stages"]["1"]["memory"]
    }
    until_ended(family)


def test_a_taken_port_is_named_and_nothing_is_left():
    with socket.create_server(("127.0.0.1", PORT_BASE)):
        command = compare()
        words, _ = command.communicate(timeout=PATIENCE_SECONDS)
    assert command.returncode == 1
    assert "Nothing was compared" in words
    assert f"Port {PORT_BASE}" in words
    assert f"taken by pid {os.getpid()}" in words
