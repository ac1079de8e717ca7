"""The templates that are deployed: valid, and granting no more than what they name."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from deployment import addresses, packaging, public_api, templates, values
from deployment.service_template import Package, service_template
from deployment.settings import CONTRACT, FOLDERS, REPOSITORY, Deployment
from tests.grants import FROM_US, listed, resources, thing

STAGE = REPOSITORY / "stage3_serverless"
SERVICES = ("catalog", "checkout", "nlu")
Statement = dict[str, Any]

# Every wildcard that a policy has, and why there is no way around it.
LOGS = "log-group:/aws/lambda/*"
WILDCARDS = {
    # The exception that was agreed on: any group of a function's own lines.
    LOGS,
    # An order's id has one length, and a `?` stands for one character of it ...
    "${CatalogApiId}/v1/PUT/internal/reservations/ord_????????????????????????",
    "${CatalogApiId}/v1/DELETE/internal/reservations/ord_????????????????????????",
    # ... as has that of a guest.
    "${CheckoutApiId}/v1/GET/internal/guests/"
    "${AWS::Region}:????????-????-????-????-????????????/orders",
    # What a guest writes in a path may be anything: the contract has a 404 for what is
    # no id, in the service's words, and API Gateway would answer 403 in its own. And a
    # product's id has no one length; IAM has no wildcard for "1 to 64 characters".
    "${Api}/v1/GET/products/*",
    "${Api}/v1/GET/orders/*",
    # A bucket's policy names objects: every file of the public page, for reading.
    "${SiteBucket.Arn}/*",
    # While an account is in SES's sandbox, SES asks for the recipient's identity, too;
    # a condition names the one that letters are from.
    "identity/*",
    # A telephone has no ARN, so what is granted is whatever is not a topic.
    "not arn:aws:sns:*:*:*",
}


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The template of every stack; the services without what they import."""
    folder = tmp_path_factory.mktemp("packages")
    found = {
        "resources": templates.read(STAGE / "resources.yaml"),
        "public-api": public_api.public_api(STAGE / "public_api.yaml", CONTRACT, 3),
    }
    for name in SERVICES:
        ignored = shutil.ignore_patterns("deployments", "__pycache__")
        copy = shutil.copytree(STAGE / name, folder / name, ignore=ignored)
        (copy / "requirements.txt").write_text("")
        packaged = packaging.chalice_package(copy, folder / f"{name}-package")
        found[name] = service_template(
            packaged.template,
            name,
            "concierge-test",
            Package("packages", f"{name}.zip"),
            "0",
            {},
        )
    return found


def test_the_page_is_served_where_browsers_let_it_sign():
    amazon = Deployment(3, "dev", None, {})
    assert addresses.site_origin(amazon, "b") == "https://b.s3.us-east-1.amazonaws.com"
    local = Deployment(3, "local", "http://127.0.0.1:8300", {})
    assert addresses.site_origin(local, "b").endswith(".localhost:8300")


def test_every_template_passes_cfn_lint(deployed, tmp_path):
    paths = []
    for name, template in deployed.items():
        path = tmp_path / f"{name}.json"
        path.write_text(templates.write(template))
        paths.append(path)
    sources = [STAGE / "resources.yaml"]
    lint = [Path(sys.executable).with_name("cfn-lint"), "--", *paths, *sources]
    done = subprocess.run(lint, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def test_policies_have_no_wildcard_but_those_that_are_listed(deployed):
    granted = [s for template in deployed.values() for s in statements(template)]
    assert len(granted) > len(SERVICES)
    found = set()
    for statement in granted:
        assert "NotAction" not in statement
        for action in listed(statement["Action"]):
            assert not set(action) & set("*?"), statement
        if "ses:SendRawEmail" in statement["Action"]:
            assert statement["Condition"] == FROM_US
        if "NotResource" in statement:
            assert statement["Action"] == ["sns:Publish"]
        things = map(written, resources(statement))
        found |= {thing for thing in things if set(thing) & set("*?")}
    assert found == WILDCARDS


def test_only_the_local_aws_takes_any_sender_of_letters(monkeypatch):
    monkeypatch.setattr(values, "account", lambda: "000000000000")
    asked = {
        "MAIL_FROM": "Concierge <you@example.org>",
        "PARTNER_API_KEY": "key",
        "STRIPE_API_KEY": "sk_test_1",
    }
    amazon = values.told(Deployment(3, "dev", None, asked))
    assert not [name for name, value in amazon.items() if "*" in value]
    local = Deployment(3, "local", "http://127.0.0.1:8300", asked)
    wild = [name for name, value in values.told(local).items() if "*" in value]
    assert wild == ["MailIdentityArn"]


def test_every_function_has_a_role_of_its_own(deployed):
    for name in SERVICES:
        resources = deployed[name]["Resources"].values()
        functions = [r for r in resources if r["Type"] == "AWS::Serverless::Function"]
        roles = [f["Properties"]["Role"]["Fn::GetAtt"][0] for f in functions]
        assert functions
        assert len(set(roles)) == len(functions)


def test_every_operation_of_the_contract_is_opened_as_it_says(deployed):
    contract = yaml.safe_load(CONTRACT.read_text())
    wanted = public_api.operations(contract, 3)
    resources = deployed["public-api"]["Resources"]
    assert {operation.path for operation in wanted} >= {"/nlu", "/partner/products"}
    assert not {o.path for o in wanted} & {"/signup", "/internal/products"}
    for operation in wanted:
        method = resources[operation.title]["Properties"]
        assert method["HttpMethod"] == operation.method
        by_guest = "sigv4" in operation.security
        assert method["AuthorizationType"] == ("AWS_IAM" if by_guest else "NONE")
        assert method["ApiKeyRequired"] == ("partnerKey" in operation.security)


def test_guests_may_call_the_guest_operations_and_nothing_else(deployed):
    policy = deployed["public-api"]["Resources"]["GuestsMayCall"]["Properties"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == "execute-api:Invoke"
    ends = {thing(arn).partition("/v1/")[2] for arn in statement["Resource"]}
    assert ends == {
        "POST/nlu",
        "POST/chatbot",
        "GET/products",
        "GET/products/*",
        "POST/checkout",
        "GET/orders",
        "GET/orders/*",
    }


@pytest.mark.parametrize("stage", FOLDERS)
def test_metrics_that_cost_more_than_the_rest_are_off_unless_asked_for(stage):
    template = templates.read(REPOSITORY / FOLDERS[stage] / "public_api.yaml")
    (setting,) = template["Resources"]["Stage"]["Properties"]["MethodSettings"]
    asked = {"Fn::If": ["HasDetailedMetrics", True, False]}
    assert setting["MetricsEnabled"] == asked
    assert template["Parameters"]["DetailedMetrics"]["Default"] == "false"


def test_what_changes_in_the_contract_is_deployed_again(tmp_path):
    base = STAGE / "public_api.yaml"
    before = public_api.public_api(base, CONTRACT, 3)["Resources"]
    assert public_api.public_api(base, CONTRACT, 3)["Resources"] == before
    changed = yaml.safe_load(CONTRACT.read_text())
    changed["components"]["schemas"]["CheckoutRequest"]["required"] = ["productId"]
    other = tmp_path / "openapi.yaml"
    other.write_text(yaml.safe_dump(changed))
    after = public_api.public_api(base, other, 3)["Resources"]
    deployments = [n for n in before if n.startswith("Deployment")]
    assert not set(deployments) & after.keys()


def statements(template: dict[str, Any]) -> Iterator[Statement]:
    """Return the statements of all policies, wherever they stand."""
    for document in documents(template["Resources"]):
        # Who may take a role or call a function is no grant of an action on a thing.
        yield from (s for s in document["Statement"] if "sts:" not in str(s["Action"]))


def documents(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "Statement" in value:
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from documents(part)


def written(resource: Any) -> str:
    """Return what a policy is about, as it is written, without region and account."""
    if isinstance(resource, dict) and "Fn::GetAtt" in resource:
        return str(resource["Fn::GetAtt"])
    return thing(resource)
