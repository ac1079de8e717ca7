"""What is deployed again and what is not, and what Chalice alone cannot deploy."""

from __future__ import annotations

import json

import pytest

from deployment import folder, packaging, parts, stacks
from deployment.error_answers import error_answers
from deployment.settings import SERVICES, Deployment, SettingsError

LENT = {"ROLE_NLU_API": "arn:aws:iam::123456789012:role/LabRole"}


@pytest.fixture
def deployed(monkeypatch):
    """Deploy nlu with some settings, as far as its stack tells of it."""

    def deploy(**environ):
        digest = parts._digest(Deployment(3, "dev", None, environ), "nlu")
        monkeypatch.setattr(stacks, "outputs", lambda stack: {"Digest": digest})

    packaged = packaging.Packaged(b"", {})
    monkeypatch.setattr(packaging, "package", lambda *_: packaged)
    return deploy


def packages(**environ):
    return parts.package(Deployment(3, "dev", None, environ), "nlu") is not None


def test_what_is_the_same_is_not_deployed_again(deployed):
    deployed(**LENT)
    assert not packages(**LENT)
    assert not packages(**LENT, ROLE_NLU_WORKER="")


def test_another_role_is_a_change(deployed):
    deployed(**LENT)
    assert packages()
    assert packages(ROLE_NLU_API=LENT["ROLE_NLU_API"] + "2")
    deployed()
    assert packages(**LENT)


WITH_QUEUES = ("checkout", "payments", "notifications", "receipts")


@pytest.mark.parametrize("service", WITH_QUEUES)
def test_chalice_alone_is_given_no_service_that_takes_from_a_queue(service):
    with pytest.raises(SettingsError, match=f"{service} takes messages from a queue"):
        folder.folder(Deployment(4, "dev", None, {}), service)


@pytest.mark.parametrize(
    ("env", "instead"),
    {"local": "make redeploy STAGE=4", "prod": "make deploy STAGE=4 ENV=prod"}.items(),
)
def test_what_to_do_instead_stays_where_it_was_asked_for(env, instead):
    with pytest.raises(SettingsError, match=f"`{instead} SERVICE=payments`"):
        folder.folder(Deployment(4, env, "http://127.0.0.1:8400", {}), "payments")


@pytest.mark.parametrize("stage", SERVICES)
def test_chalice_alone_is_given_every_other_service(stage):
    home = Deployment(stage, "dev", None, {})
    for service in set(home.services) - set(WITH_QUEUES if stage == 4 else ()):
        folder._refuse_queues(home, service)


def test_an_answer_of_api_gateways_own_has_the_status_that_its_body_says():
    for answer in error_answers({}).values():
        said = json.loads(answer["Properties"]["ResponseTemplates"]["application/json"])
        assert answer["Properties"]["StatusCode"] == str(said["code"])
