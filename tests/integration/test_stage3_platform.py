"""Stage 3 on the laptop: what is deployed, who gets in, and what a restart keeps."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from urllib.parse import urlsplit

import boto3
import pytest
import requests

from sandbox.runner import RunningStage, started
from sandbox.runner.stages import REPOSITORY
from sandbox.runner.state import RUN_ROOT
from tests.cognito import Pools, Signature
from tests.guest import PASSWORD, Guest

NAME = "stage3-platform"
PORT_BASE = 8342
PARTNER_KEY = "partner-of-the-platform"
TIMEOUT = 30

# It starts the whole stage, twice.
pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def once() -> list[str]:
    """The ids of guests' orders that were made before the restart."""
    shutil.rmtree(RUN_ROOT / NAME, ignore_errors=True)
    with running() as stage:
        guest = Guest(stage)
        order = guest.buy("roses-red-dozen").json()["order"]
        assert order["status"] == "confirmed"
        return [stage.api_url, guest.email, order["orderId"]]


@pytest.fixture(scope="module")
def stage(once: list[str]):
    """The stage, started for the second time."""
    with running() as stage:
        yield stage
        # It removes everything, and therefore comes last.
        done = deployment(stage, "down")
        assert done.returncode == 0, done.stderr
        assert "Nothing is left" in done.stdout


def running():
    env = {"PARTNER_API_KEY": PARTNER_KEY, "PARTNER_RATE_PER_MINUTE": "3"}
    return started(3, name=NAME, port_base=PORT_BASE, env=env)


def test_a_restart_keeps_addresses_orders_and_accounts(once, stage):
    api_url, email, order_id = once
    assert stage.api_url == api_url
    pools = Pools.of(stage)
    token = pools.sign_in(email, PASSWORD)["IdToken"]
    signature = Signature(pools.credentials(token), pools.region)
    url = f"{api_url}/orders/{order_id}"
    order = requests.get(url, auth=signature, timeout=TIMEOUT).json()
    assert order["status"] == "confirmed"


def test_what_has_not_changed_is_not_deployed_again(stage):
    words = (RUN_ROOT / NAME / "runner.log").read_text()
    for part in ("resources", "catalog", "checkout", "nlu", "public-api", "page"):
        assert any(part in line and "unchanged" in line for line in words.splitlines())


def test_only_signed_requests_get_in(stage):
    assert Guest(stage).get("/products").status_code == 200
    answer = requests.get(f"{stage.api_url}/products", timeout=TIMEOUT)
    assert answer.status_code == 403
    assert answer.json()["code"] == 403
    assert answer.headers["x-amzn-ErrorType"] == "MissingAuthenticationTokenException"
    assert answer.headers["Access-Control-Allow-Origin"] == stage.site_url


def test_the_services_own_apis_are_no_second_way_in(stage):
    guest = Guest(stage)
    for api_id in stage.service_apis.values():
        url = f"{stage.aws_endpoint_url}/_aws/execute-api/{api_id}/v1/internal/products"
        assert requests.get(url, timeout=TIMEOUT).status_code == 403
        assert guest.http.get(url, timeout=TIMEOUT).status_code == 403


def test_partners_need_a_key_and_have_a_rate(stage):
    url, key = f"{stage.api_url}/partner/products", {"X-Api-Key": PARTNER_KEY}
    assert requests.get(url, timeout=TIMEOUT).status_code == 403
    answers = [requests.get(url, headers=key, timeout=TIMEOUT) for _ in range(8)]
    assert answers[0].status_code == 200
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert int(refused[0].headers["Retry-After"]) >= 1


def test_a_function_that_was_ended_is_told_as_any_other_trouble(stage):
    guest = Guest(stage)
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    aws = {"endpoint_url": stage.aws_endpoint_url, "region_name": stage.region} | keys
    functions = boto3.client("lambda", **aws)
    name = "concierge-local-catalog-api"
    functions.update_function_configuration(FunctionName=name, Handler="app.nothing")
    try:
        answer = guest.get("/products")
    finally:
        functions.update_function_configuration(FunctionName=name, Handler="app.app")
    assert answer.status_code == answer.json()["code"] == 503
    assert int(answer.headers["Retry-After"]) >= 1
    assert guest.get("/products").status_code == 200


def test_browsers_of_the_site_may_call_and_others_may_not(stage):
    answer = requests.options(
        f"{stage.api_url}/checkout",
        headers={
            "Origin": "http://elsewhere.example",
            "Access-Control-Request-Method": "POST",
        },
        timeout=TIMEOUT,
    )
    assert answer.status_code == 200
    # The browser compares it with the page's own.
    assert answer.headers["Access-Control-Allow-Origin"] == stage.site_url
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    allowed = answer.headers["Access-Control-Allow-Headers"].lower().split(",")
    assert {"authorization", "x-amz-date", "idempotency-key"} <= set(allowed)


def test_the_page_is_there_with_its_configuration(stage):
    config = site_file(stage, "config.json").json()
    assert config["api_url"] == stage.api_url
    assert config["user_pool_client_id"] == stage.user_pool_client_id
    assert "<title>" in site_file(stage, "index.html").text
    assert site_file(stage, "docs/assets/swagger-ui-bundle.js").status_code == 200


def deployment(stage: RunningStage, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deployment", *words, "--run", stage.name]
    env = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    return subprocess.run(
        command, cwd=REPOSITORY, env=env, capture_output=True, text=True, timeout=120
    )


def site_file(stage: RunningStage, path: str) -> requests.Response:
    """Read a file of the site; Python does not know every name under localhost."""
    host = urlsplit(stage.site_url).netloc
    url = f"{stage.aws_endpoint_url}/{path}"
    return requests.get(url, headers={"Host": host}, timeout=TIMEOUT)
