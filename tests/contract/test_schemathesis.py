"""Generated requests, right and wrong, against the running stage.

Schemathesis runs as a program of its own; `SEED=...` repeats a run.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from sandbox.runner.stages import REPOSITORY
from tests.cognito import TO_BE_SIGNED
from tests.conftest import BY_BEARER, FULL, PARTNER_KEY, STAGE
from tests.contract.contract import Contract
from tests.guest import PASSWORD, Guest, tomorrow

CASES = 2000 if FULL else 200
EXAMPLES_AN_OPERATION = 170 if FULL else 5
OPERATIONS = Contract().operations(STAGE)
# What has the right shape may still be refused for what it says, or for its size.
RIGHT_SHAPE = ["2xx", 404, 409, 413, 422]
WRONG_SHAPE = [400, 401, 403, 404, 405, 409, 413, 415, 422, 429]


def proof_of(guest):
    """Return how Schemathesis proves a guest: its settings, and its environment."""
    if BY_BEARER:
        return {"bearer": {"bearer": guest.token}}, {}
    keys = guest.http.auth.credentials
    return {"sigv4": {"api_key": TO_BE_SIGNED}}, {
        "SCHEMATHESIS_HOOKS": str(Path(__file__).with_name("signing.py")),
        "PYTHONPATH": str(REPOSITORY),
        "AWS_ACCESS_KEY_ID": keys.access_key,
        "AWS_SECRET_ACCESS_KEY": keys.secret_key,
        "AWS_SESSION_TOKEN": keys.token,
        "AWS_DEFAULT_REGION": guest.http.auth.region,
    }


def settings(stage, proof):
    """Return what Schemathesis has to know of the stage, as its TOML file has it."""
    operations = [
        # Most generated logins are wrong, and too many wrong ones are put off.
        {
            "include-operation-id": "logIn",
            "checks": {
                "positive_data_acceptance": {"expected-statuses": ["2xx", 401, 429]}
            },
        },
        # Of many calls with one token only the first can succeed.
        {
            "include-operation-id": "logOut",
            "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", 401]}},
        },
    ]
    return {
        "base-url": stage.api_url,
        "cache": {"enabled": False},
        "auth": {"openapi": proof | {"partnerKey": {"api_key": PARTNER_KEY}}},
        "checks": {
            "positive_data_acceptance": {"expected-statuses": RIGHT_SHAPE},
            "negative_data_rejection": {"expected-statuses": WRONG_SHAPE},
            # It takes 401 only, and API Gateway answers 403 to who does not sign.
            "missing_required_header": {"enabled": BY_BEARER},
        },
        # Most random products do not exist and most random dates have passed. Without
        # real ones nothing would ever be bought.
        "dictionaries": {
            "products": {"values": ["candy-jar", "ticket-museum"]},
            "dates": {"values": [tomorrow()]},
        },
        "parameters": {
            "body.productId": {"dictionary": "products", "probability": 0.8},
            "body.deliveryDate": {"dictionary": "dates", "probability": 0.8},
        },
        "operations": operations if BY_BEARER else [],
    }


def as_toml(table, name=""):
    """Write nested settings as TOML: a dotted key for each value."""
    lines = []
    for key, value in table.items():
        full = f"{name}.{json.dumps(key)}" if name else json.dumps(key)
        if isinstance(value, dict):
            lines += as_toml(value, full)
        elif key == "operations":
            for item in value:
                lines += ["[[operations]]", *as_toml(item)]
        else:
            lines.append(f"{full} = {json.dumps(value)}")
    return lines


def generate(folder, stage, guest, *options, contract=None):
    """Run Schemathesis; return its report and what it printed.

    Args:
        folder: where its files go.
        stage: the running stage.
        guest: who makes all the calls.
        options: more of its command line.
        contract: another contract than the stage's.
    """
    document = contract or yaml.safe_load(
        # The examples are of a date that is far away.
        yaml.safe_dump(Contract().public_document(STAGE)).replace(
            "2099-12-24", tomorrow()
        )
    )
    proof, environment = proof_of(guest)
    (folder / "openapi.yaml").write_text(yaml.safe_dump(document))
    (folder / "settings.toml").write_text("\n".join(as_toml(settings(stage, proof))))
    seed = os.environ.get("SEED") or str(random.randrange(2**32))
    run = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file"),
            *("settings.toml", "run", "openapi.yaml", "--no-color"),
            *("--seed", seed, "--max-examples", str(EXAMPLES_AN_OPERATION)),
            *("--generation-database", ":memory:", "--suppress-health-check", "all"),
            *("--report", "json", "--report-json-path", "report.json", *options),
        ],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=540,
    )
    print(run.stdout[-6000:], run.stderr[-2000:])
    report = json.loads((folder / "report.json").read_text())
    print(f"Schemathesis: {report['test_cases']['generated']} cases, seed {seed}")
    return report, run.stdout


@pytest.mark.timeout(600)
def test_no_generated_request_breaks_the_contract(stage, stranger, tmp_path, capsys):
    guest = Guest(stage)
    guest.say("hello")  # the first on Lambda waits longer than Schemathesis does
    if BY_BEARER:  # so that the contract's example of a login is one that succeeds
        ada = {"email": "ada@example.com", "password": PASSWORD}
        stranger.post("/signup", json=ada)
    left_out = ["--exclude-operation-id", "logOut"] if BY_BEARER else []
    report, said = generate(tmp_path, stage, guest, *left_out)
    assert report["failures"] == [], said
    assert report["errors"] == [], said
    assert report["exit_code"] == 0, said
    assert report["operations"]["tested"] == len(OPERATIONS) - len(left_out) // 2
    generated = report["test_cases"]["generated"]
    assert generated >= CASES, f"only {generated} cases"
    orders = guest.get("/orders").json()["orders"]
    assert any(order["status"] == "confirmed" for order in orders), "nothing was bought"
    with capsys.disabled():
        print(f" {generated} cases, seed {report['seed']}", end="")


@pytest.mark.bearer
def test_no_generated_logout_breaks_the_contract(stage, tmp_path):
    report, said = generate(
        tmp_path, stage, Guest(stage), "--include-operation-id", "logOut"
    )
    assert report["exit_code"] == 0, said
    assert report["operations"]["tested"] == 1


def test_a_broken_contract_is_caught(stage, tmp_path):
    planted = json.loads(json.dumps(Contract().document))
    planted["components"]["schemas"]["Product"]["properties"]["stock"] = {
        "type": "string"
    }
    report, said = generate(
        tmp_path,
        stage,
        Guest(stage),
        *("--include-operation-id", "getProduct", "--phases", "examples"),
        contract=planted,
    )
    assert report["exit_code"] != 0
    assert "schema" in str(report["failures"]).lower(), said
