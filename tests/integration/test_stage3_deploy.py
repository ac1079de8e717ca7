"""`make deploy`, `make estimate` and `make destroy` as ENV=dev, at the local AWS.

Beside the running stage, on the same local AWS: once with roles of its own, once with
roles that were there before, as in accounts that may make none.
"""

from __future__ import annotations

import json
import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from deployment import __main__ as command
from deployment import cloud, down, up, values
from deployment.settings import Deployment, deployment
from tests.guest import Guest

pytestmark = pytest.mark.full

SETTINGS = {
    "STRIPE_API_KEY": "sk_test_sandbox",
    "PARTNER_API_KEY": "partner-of-the-deployment",
    # The local AWS has no budgets.
    "BUDGET_LIMIT": "0",
    "NLU_ENGINE": "rules",
    # The running stage's: SES has it already, and is to keep it.
    "MAIL_FROM": values.MAIL_FROM,
}
FUNCTIONS = ("CATALOG_API", "CATALOG_STOCK_SHELVES", "CHECKOUT_API", "CHECKOUT_SWEEP")
FUNCTIONS += ("NLU_API",)
ANYTHING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
LAMBDA = {"Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
GUESTS = {
    "Principal": {"Federated": "cognito-identity.amazonaws.com"},
    "Action": "sts:AssumeRoleWithWebIdentity",
}
CALLS = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}],
}
SENDER = "concierge@example.com"
PLANTED = "concierge-dev-forgotten"


@dataclass(frozen=True)
class Site:
    """A deployment, as a guest sees a stage."""

    stage: int
    auth: str
    site_url: str
    api_url: str
    aws_endpoint_url: str
    region: str
    user_pool_id: str
    user_pool_client_id: str
    identity_pool_id: str


@pytest.fixture(scope="module")
def aimed(serverless):
    """Aim the deployment's clients at the local AWS."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", serverless.aws_endpoint_url)
        for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):
            patch.setenv(f"AWS_{name}", "test")
        forget_clients(patch)
        yield patch
    forget_clients(patch)


def forget_clients(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(boto3, "DEFAULT_SESSION", None)
    cloud.client.cache_clear()
    cloud.account.cache_clear()


def role(name: str, trust: dict[str, Any], policy: dict[str, Any]) -> str:
    """Make a role, as somebody who may; return its ARN."""
    iam = cloud.client("iam")
    made = iam.create_role(
        RoleName=name,
        AssumeRolePolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **trust}]}
        ),
    )
    iam.put_role_policy(
        RoleName=name, PolicyName="lent", PolicyDocument=json.dumps(policy)
    )
    found: str = made["Role"]["Arn"]
    return found


def roles_of(prefix: str) -> set[str]:
    pages = cloud.client("iam").get_paginator("list_roles").paginate()
    names = {role["RoleName"] for page in pages for role in page["Roles"]}
    return {name for name in names if name.startswith(prefix)}


@pytest.fixture(params=["own roles", "lent roles"])
def deployed(request, serverless, aimed):
    """A deployment that is called dev, and how the account has its roles."""
    lent = {}
    if request.param == "lent roles":
        of_functions = role("LabRole", LAMBDA, ANYTHING)
        lent = {f"ROLE_{name}": of_functions for name in FUNCTIONS}
        lent["GUEST_ROLE_ARN"] = role("LabGuests", GUESTS, CALLS)
    environ = SETTINGS | lent
    environ |= {
        "AWS_ENDPOINT_URL": serverless.aws_endpoint_url,
        "STRIPE_API_BASE": serverless.stripe_url,
    }
    dev = deployment(3, "dev", environ)
    share_imports(serverless.aws_endpoint_url, dev)
    found = up.up(dev).as_dict()
    wanted = {name: found[name] for name in Site.__annotations__ if name in found}
    yield dev, Site(stage=3, auth="cognito", **wanted), bool(lent)
    down.down(dev)


def share_imports(endpoint: str, dev: Deployment) -> None:
    """Take what the services import from the running stage, not from PyPI again."""
    local = deployment(3, "local", {"AWS_ENDPOINT_URL": endpoint})
    dev.build.mkdir(parents=True, exist_ok=True)
    for archive in local.build.glob("imports-*.zip"):
        if not (dev.build / archive.name).exists():
            shutil.copyfile(archive, dev.build / archive.name)


@contextmanager
def as_typed(aimed, folder: Path, endpoint: str, *words: str):
    """Let the command line be read as somebody types it who has an account.

    `AWS_ENDPOINT_URL` must not be set then: that it is the local AWS nevertheless is
    said in the file that has an account's profile.
    """
    config = folder / "config"
    config.write_text(f"[default]\nendpoint_url = {endpoint}\n")
    with aimed.context() as patch:
        patch.delenv("AWS_ENDPOINT_URL")
        patch.setenv("AWS_CONFIG_FILE", str(config))
        patch.setattr(down, "PATIENCE_SECONDS", 1.0)
        patch.setattr(down, "PAUSE_SECONDS", 0.2)
        patch.setattr("sys.argv", ["deployment", *words])
        forget_clients(patch)
        yield
    cloud.client.cache_clear()
    cloud.account.cache_clear()
    boto3.DEFAULT_SESSION = None


def test_a_deployment_works_and_is_removed_to_the_last_thing(
    deployed, serverless, aimed, tmp_path, capsys
):
    dev, site, has_lent_roles = deployed
    # A guest can do there what the contract promises.
    guest = Guest(site)
    assert guest.get("/products/candy-jar").json()["name"]
    assert guest.say("I need flowers")
    bought = guest.buy("candy-jar")
    assert bought.json()["order"]["status"] == "confirmed", bought.text
    assert len(guest.get("/orders").json()["orders"]) == 1
    made = roles_of("concierge-dev-")
    assert (made == set()) if has_lent_roles else (len(made) == len(FUNCTIONS) + 1)

    typed = ("--stage", "3", "--env", "dev")
    with as_typed(aimed, tmp_path, str(dev.endpoint), "estimate", *typed):
        assert command.main() == 0
    assert "concierge-dev: 100,000 requests" in capsys.readouterr().out

    # What somebody made by hand, under the deployment's tag or under a name like its
    # own, is found after all that was deployed is gone; and it makes the command fail.
    leave_something_behind(dev)
    with as_typed(aimed, tmp_path, str(dev.endpoint), "down", *typed):
        assert command.main() == 1
    told = capsys.readouterr().err
    assert told.startswith("Left over, remove by hand:")
    assert PLANTED in told
    assert "forgotten-by-its-tag" in told
    assert "catalog" not in told
    clear_up()
    with as_typed(aimed, tmp_path, str(dev.endpoint), "down", *typed):
        assert command.main() == 0
    assert "Nothing is left of concierge-dev." in capsys.readouterr().out
    # And the other deployment beside it is as it was.
    assert Guest(serverless).get("/products/candy-jar").ok
    sender = cloud.client("sesv2").get_email_identity(EmailIdentity=SENDER)
    assert sender["VerifiedForSendingStatus"]
    if has_lent_roles:
        assert roles_of("Lab") == {"LabRole", "LabGuests"}


def leave_something_behind(dev: Deployment) -> None:
    cloud.client("sqs").create_queue(QueueName=PLANTED)
    cloud.client("dynamodb").create_table(
        TableName="forgotten-by-its-tag",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        Tags=[{"Key": name, "Value": value} for name, value in dev.tags.items()],
    )


def clear_up() -> None:
    queue = cloud.client("sqs").get_queue_url(QueueName=PLANTED)["QueueUrl"]
    cloud.client("sqs").delete_queue(QueueUrl=queue)
    cloud.client("dynamodb").delete_table(TableName="forgotten-by-its-tag")


def test_somebodys_account_is_never_taken_for_the_local_aws(aimed, monkeypatch, capsys):
    assert os.environ["AWS_ENDPOINT_URL"]
    monkeypatch.setattr("sys.argv", ["deployment", "down", "--env", "dev"])
    assert command.main() == 1
    assert "AWS_ENDPOINT_URL is set" in capsys.readouterr().err
