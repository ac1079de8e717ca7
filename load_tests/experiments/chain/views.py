"""The same work as links of a chain that call each other, and as functions."""

import os
import random
import time

import requests
from flask import Flask, abort
from flask.typing import ResponseReturnValue

FAILS = float(os.environ.get("CHAIN_FAILS", "0.01"))
SLOW_SHARE = float(os.environ.get("CHAIN_SLOW_SHARE", "0.01"))
SLOW_SECONDS = float(os.environ.get("CHAIN_SLOW_SECONDS", "0.1"))
TIMEOUT_SECONDS = 10


def create_app() -> Flask:
    """Make the application: each program may fail, and each step may be slow."""
    app = Flask(__name__)
    calls = requests.Session()
    here = f"http://127.0.0.1:{os.environ['PORT']}"

    @app.get("/health")
    def health() -> ResponseReturnValue:
        return {"status": "ok"}

    @app.get("/functions/<int:length>")
    def functions(length: int) -> ResponseReturnValue:
        _fail_sometimes()  # one program, whatever it has inside
        return {"worked": sum(_step() for _ in range(length))}

    @app.get("/links/<int:length>")
    def links(length: int) -> ResponseReturnValue:
        _fail_sometimes()
        worked = _step()
        if length > 1:
            url = f"{here}/links/{length - 1}"
            answer = calls.get(url, timeout=TIMEOUT_SECONDS)
            if answer.status_code != 200:
                abort(503)
            worked += answer.json()["worked"]
        return {"worked": worked}

    return app


def _fail_sometimes() -> None:
    if random.random() < FAILS:
        abort(503)


def _step() -> int:
    if random.random() < SLOW_SHARE:
        time.sleep(SLOW_SECONDS)
    return 1
