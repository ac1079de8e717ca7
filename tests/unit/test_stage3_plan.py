"""What `chalice deploy` would make, beside the template that is deployed: the same."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deployment import folder, packaging
from deployment.intrinsics import Filled
from deployment.settings import REGION, REPOSITORY

STAGE = REPOSITORY / "stage3_serverless"
SERVICES = ("catalog", "checkout", "nlu")
KNOWN = {
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::AccountId": "123456789012",
    "CatalogTable": "a-catalog",
    "DialogueTable": "a-dialogue",
    "OrdersTable": "an-orders",
    "UserPoolId": "us-east-1_pool",
    "CatalogApiId": "catalogapi",
    "CatalogApiUrl": "https://catalog.example/v1",
    "CheckoutApiId": "checkoutapi",
    "CheckoutApiUrl": "https://checkout.example/v1",
    "StripeApiKey": "sk_test_plan",
}
PATIENCE_SECONDS = 120


@pytest.fixture(scope="module", params=SERVICES)
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    """The plan of `chalice deploy`, and the packaged template with values filled in."""
    base = tmp_path_factory.mktemp("services")
    ignored = shutil.ignore_patterns("deployments", "deployed", "__pycache__")
    copy = shutil.copytree(STAGE / request.param, base / request.param, ignore=ignored)
    (copy / "requirements.txt").write_text("")
    packaged = packaging.chalice_package(copy, base / "package").template
    folder.fill(copy, KNOWN, {})
    return plan(copy), packaged, Filled(packaged, KNOWN)


def test_the_functions_are_the_same(both):
    planned, packaged, filled = both
    made = {call["handler"]: call for call in planned["create_function"]}
    of_type = [
        resource["Properties"]
        for resource in packaged["Resources"].values()
        if resource["Type"] == "AWS::Serverless::Function"
    ]
    assert made.keys() == {properties["Handler"] for properties in of_type}
    for properties in of_type:
        call = made[properties["Handler"]]
        assert call["runtime"] == properties["Runtime"]
        assert call["timeout"] == properties["Timeout"]
        assert call["memory_size"] == properties["MemorySize"]
        assert [call["architecture"]] == properties["Architectures"]
        variables = properties["Environment"]["Variables"]
        assert call["environment_variables"] == filled.value(variables)


def test_each_function_has_the_same_role(both):
    planned, packaged, filled = both
    made = {call["name"]: call["policy"] for call in planned["create_role"]}
    wanted = [
        filled.value(resource["Properties"]["Policies"][0]["PolicyDocument"])
        for resource in packaged["Resources"].values()
        if resource["Type"] == "AWS::IAM::Role"
    ]
    assert len(made) == len(planned["create_function"])
    by_text = sorted(map(json.dumps, made.values()))
    assert by_text == sorted(map(json.dumps, wanted))


def test_the_api_has_the_same_routes_with_the_same_signatures(both):
    planned, packaged, _ = both
    (made,) = planned["import_rest_api"]
    (api,) = [
        resource["Properties"]
        for resource in packaged["Resources"].values()
        if resource["Type"] == "AWS::Serverless::Api"
    ]
    swagger, wanted = made["swagger_document"], api["DefinitionBody"]
    assert routes(swagger) == routes(wanted)
    assert all(security == [{"sigv4": []}] for security in routes(swagger).values())
    (stage,) = planned["deploy_rest_api"]
    assert stage["api_gateway_stage"] == api["StageName"]


def test_the_schedules_are_the_same(both):
    planned, packaged, _ = both
    wanted = [
        event["Properties"]["Schedule"]
        for resource in packaged["Resources"].values()
        for event in resource["Properties"].get("Events", {}).values()
    ]
    rules = planned.get("get_or_create_rule_arn", [])
    assert [rule["schedule_expression"] for rule in rules] == wanted


def test_nothing_else_is_planned(both):
    planned, *_ = both
    assert planned.keys() <= {
        "create_function",
        "create_role",
        "import_rest_api",
        "deploy_rest_api",
        "update_rest_api",
        "add_permission_for_apigateway",
        "get_or_create_rule_arn",
        "connect_rule_to_lambda",
        "add_permission_for_cloudwatch_event",
        # No limit of the function's own is to stand in the way.
        "delete_function_concurrency",
    }


def test_roles_of_the_account_are_used_where_none_may_be_made(tmp_path):
    copy = shutil.copytree(STAGE / "nlu", tmp_path / "nlu")
    (copy / "requirements.txt").write_text("")
    role = "arn:aws:iam::123456789012:role/lent"
    folder.fill(copy, KNOWN, {"nlu-api": role})
    planned = plan(copy)
    assert "create_role" not in planned
    assert [call["role_arn"] for call in planned["create_function"]] == [role]


def plan(copy: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the calls that Chalice plans, by their names."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    kept.pop("PYTHONPATH", None)
    done = subprocess.run(
        [sys.executable, str(REPOSITORY / "tests" / "chalice_plan.py")],
        cwd=copy,
        env=kept
        | {
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, list[dict[str, Any]]] = {}
    # Before it, Chalice says what it does.
    for name, call in json.loads(done.stdout.splitlines()[-1]):
        found.setdefault(name, []).append(call)
    return found


def routes(swagger: dict[str, Any]) -> dict[tuple[str, str], Any]:
    """Return who may call each route."""
    return {
        (method, path): operation.get("security")
        for path, operations in swagger["paths"].items()
        for method, operation in operations.items()
    }
