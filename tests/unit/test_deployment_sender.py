"""Where letters and alarms come from and go to: an address that somebody reads."""

from __future__ import annotations

import json
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from deployment import cloud, sender, templates, values
from deployment.settings import FOLDERS, LOCAL, REPOSITORY, Deployment, SettingsError

ADDRESS = "you@example.org"
SETTINGS = {"PARTNER_API_KEY": "key", "STRIPE_API_KEY": "sk_test_1"}
DEV = Deployment(3, "dev", None, SETTINGS | {"MAIL_FROM": f"Concierge <{ADDRESS}>"})

every_stage = pytest.mark.parametrize("stage", FOLDERS)


@pytest.fixture(autouse=True)
def account(monkeypatch) -> Iterator[None]:
    """An empty account of Amazon's, in this process."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    with mock_aws():
        cloud.client.cache_clear()
        cloud.account.cache_clear()
        yield
    cloud.client.cache_clear()
    cloud.account.cache_clear()


def known_to_ses(address: str) -> None:
    cloud.client("sesv2").create_email_identity(EmailIdentity=address)


def resources_with_sender(deployment: Deployment, address: str) -> None:
    template = {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {}}},
        "Outputs": {"Sender": {"Value": address}},
    }
    cloud.client("cloudformation").create_stack(
        StackName=deployment.stack("resources"), TemplateBody=json.dumps(template)
    )


def test_an_address_that_ses_does_not_know_is_made():
    assert sender.makes_sender(DEV, ADDRESS)


def test_an_address_of_another_deployment_is_used_and_not_made_again():
    known_to_ses(ADDRESS)
    assert not sender.makes_sender(DEV, ADDRESS)
    resources_with_sender(DEV, "")
    assert not sender.makes_sender(DEV, ADDRESS)


def test_an_address_of_its_own_stays_in_the_stack():
    known_to_ses(ADDRESS)
    resources_with_sender(DEV, ADDRESS)
    assert sender.makes_sender(DEV, ADDRESS)
    # And one that it has no longer is no reason to take another's.
    known_to_ses("other@example.org")
    assert not sender.makes_sender(DEV, "other@example.org")


@every_stage
def test_the_stack_has_the_sender_only_when_it_makes_it(stage):
    template = templates.read(REPOSITORY / FOLDERS[stage] / "resources.yaml")
    assert template["Resources"]["Sender"]["Condition"] == "MakesSender"
    made = {"Fn::Equals": [{"Ref": "MakesSender"}, "true"]}
    assert template["Conditions"]["MakesSender"] == made
    told = {"Fn::If": ["MakesSender", {"Ref": "Sender"}, ""]}
    assert template["Outputs"]["Sender"]["Value"] == told


def test_a_deployment_without_an_address_to_send_from_is_refused():
    with pytest.raises(SettingsError, match=r"Set MAIL_FROM .* you read"):
        values.told(Deployment(3, "dev", None, SETTINGS))
    with pytest.raises(SettingsError, match="PARTNER_API_KEY and STRIPE_API_KEY and"):
        values.told(Deployment(3, "dev", None, {}))
    assert values.told(DEV)["MailIdentity"] == ADDRESS


def test_the_laptop_needs_no_address():
    local = Deployment(3, LOCAL, "http://127.0.0.1:8300", SETTINGS)
    assert values.told(local)["MailIdentity"] == "concierge@example.com"


@every_stage
def test_alarms_go_to_the_sender_unless_another_is_named(stage):
    resources = templates.read(REPOSITORY / FOLDERS[stage] / "resources.yaml")
    told = {
        "Fn::If": ["HasBudgetEmail", {"Ref": "BudgetEmail"}, {"Ref": "MailIdentity"}]
    }
    addresses = []
    for resource in resources["Resources"].values():
        properties = resource.get("Properties", {})
        if properties.get("Protocol") == "email":
            assert "Condition" not in resource
            addresses.append(properties["Endpoint"])
        for one in properties.get("NotificationsWithSubscribers", []):
            addresses += [to["Address"] for to in one["Subscribers"]]
    assert addresses == [told] * (2 if stage == 4 else 1)
