"""`chalice deploy` of each service of stage 3, on the local AWS.

Two calls that MiniStack lacks are answered by hooks (tests/chalice_cli.py); all others
are those that Chalice makes at Amazon's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from botocore.credentials import Credentials

from deployment.settings import REPOSITORY
from sandbox.runner import RunningStage
from tests.cognito import Signature

# It starts the whole stage.
pytestmark = pytest.mark.full

SERVICES = ("catalog", "checkout", "nlu")
PATIENCE_SECONDS = 300
TIMEOUT_SECONDS = 30
LIMIT_BYTES = 50 * 1024 * 1024


@pytest.fixture(scope="module", params=SERVICES)
def service(request: pytest.FixtureRequest, serverless: RunningStage):
    """A service, deployed by Chalice: its folder, and where its API is."""
    env = settings(serverless)
    words = [sys.executable, "-m", "deployment", "folder", "--service", request.param]
    folder = Path(run(words, REPOSITORY, env).splitlines()[-1])
    for written in (folder / ".chalice" / "deployed").glob("*.json"):
        written.unlink()
    for package in (folder / ".chalice" / "deployments").glob("*.zip"):
        package.unlink()
    chalice("deploy", folder, env)
    yield request.param, folder, env, recorded(folder)
    chalice("delete", folder, env)
    assert recorded(folder) == {}


def test_it_answers_with_its_own_role_and_settings(service, serverless):
    name, _, _, deployed = service
    base = address(serverless, deployed)
    root = Signature(Credentials("test", "test"), str(serverless.region))
    if name == "catalog":
        answer = requests.get(f"{base}/products", auth=root, timeout=TIMEOUT_SECONDS)
        assert len(answer.json()["products"]) == 41
    elif name == "checkout":
        answer = requests.get(f"{base}/health", auth=root, timeout=TIMEOUT_SECONDS)
        assert answer.json()["dependencies"] == {"database": "ok", "stripe": "ok"}
    else:
        answer = requests.post(
            f"{base}/nlu", json={}, auth=root, timeout=TIMEOUT_SECONDS
        )
        # It runs, and it knows a guest from the root.
        assert answer.status_code == 403
        assert "for guests" in answer.json()["message"]


def test_it_lets_nobody_in_without_a_signature(service, serverless):
    *_, deployed = service
    for path in ("products", "orders", "nlu", "health", "internal/products"):
        url = f"{address(serverless, deployed)}/{path}"
        assert requests.get(url, timeout=TIMEOUT_SECONDS).status_code == 403


def test_its_package_is_small_enough_for_one_request(service):
    _, folder, *_ = service
    (package,) = (folder / ".chalice" / "deployments").glob("*.zip")
    assert package.stat().st_size < LIMIT_BYTES * 0.8


def test_it_is_deployed_again_over_itself(service, serverless):
    name, folder, env, deployed = service
    chalice("deploy", folder, env)
    assert ids(recorded(folder)) == ids(deployed)
    test_it_answers_with_its_own_role_and_settings(service, serverless)


def chalice(command: str, folder: Path, env: dict[str, str]) -> str:
    """Run Chalice's command line in a folder, as a person would."""
    hooked = str(REPOSITORY / "tests" / "chalice_cli.py")
    return run([sys.executable, hooked, command], folder, env)


def run(words: list[str], folder: Path, env: dict[str, str]) -> str:
    done = subprocess.run(
        words,
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def settings(stage: RunningStage) -> dict[str, str]:
    """Return an environment that knows the local AWS and the Stripe sandbox."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    return kept | {
        "AWS_ENDPOINT_URL": str(stage.aws_endpoint_url),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": str(stage.region),
        "PARTNER_API_KEY": "partner-of-the-tests",
        "STRIPE_API_KEY": "sk_test_sandbox",
        "STRIPE_API_BASE": stage.stripe_url,
        "PYTHONPATH": str(REPOSITORY),
    }


def recorded(folder: Path) -> dict[str, dict[str, str]]:
    """Return what Chalice wrote down of its deployment, by the names of resources."""
    written = json.loads((folder / ".chalice" / "deployed" / "dev.json").read_text())
    return {resource["name"]: resource for resource in written["resources"]}


def ids(deployed: dict[str, dict[str, str]]) -> dict[str, str | None]:
    """Return what names the functions and the API that are deployed."""
    return {
        name: resource.get("lambda_arn") or resource.get("rest_api_id")
        for name, resource in deployed.items()
    }


def address(stage: RunningStage, deployed: dict[str, dict[str, str]]) -> str:
    api_id = deployed["rest_api"]["rest_api_id"]
    return f"{stage.aws_endpoint_url}/_aws/execute-api/{api_id}/v1"
