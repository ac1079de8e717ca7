"""The contract itself: valid, complete, and every example in it fits its schema."""

from __future__ import annotations

import pytest
import requests
from openapi_spec_validator import validate

from tests.contract.contract import JSON, Contract

CONTRACT = Contract()
OPERATIONS = CONTRACT.operations()
every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: o.id)


def schemas_with_examples(operation):
    """Yield (where, schema, example) for everything that the operation mentions."""
    for parameter in operation.parameters:
        if "example" in parameter:
            yield parameter["name"], parameter["schema"], parameter["example"]
    contents = {"request": operation.spec.get("requestBody", {}).get("content", {})}
    for status, response in operation.responses.items():
        contents[status] = response.get("content", {})
        for name, header in response.get("headers", {}).items():
            yield f"{status} {name}", header["schema"], header["example"]
    for place, content in contents.items():
        for media_type, media in content.items():
            for name, example in media["examples"].items():
                yield f"{place} {media_type} {name}", media["schema"], example["value"]


def test_the_file_is_valid_openapi():
    validate(CONTRACT.document)


@every_operation
def test_every_example_fits_its_schema(operation):
    for where, schema, example in schemas_with_examples(operation):
        CONTRACT.validate(example, schema, f"{operation.id} {where}")


def test_the_judge_of_examples_finds_a_wrong_one():
    orders = CONTRACT.operation("listOrders").responses[200]["content"][JSON]["schema"]
    with pytest.raises(AssertionError, match="orders"):
        CONTRACT.validate({"orders": [{"orderId": "ord_1"}]}, orders, "planted")


def test_operation_ids_are_unique():
    ids = [operation.id for operation in OPERATIONS]
    assert len(set(ids)) == len(ids)


@every_operation
def test_every_operation_is_described(operation):
    assert operation.spec["summary"]
    assert operation.spec["tags"]
    assert "security" in operation.spec, "say who may call it, or [] for anybody"


@every_operation
def test_every_required_parameter_and_every_body_has_an_example(operation):
    for parameter in operation.parameters:
        assert "example" in parameter or not parameter.get("required")
        assert parameter["description"]
    if operation.body:
        assert operation.body["examples"]


@every_operation
def test_every_error_is_the_one_error_of_the_contract(operation):
    error = CONTRACT.document["components"]["schemas"]["Error"]
    errors = {s: r for s, r in operation.responses.items() if s >= 400}
    assert errors
    for status, response in errors.items():
        media = response["content"][JSON]
        assert media["schema"] == error
        assert {e["value"]["code"] for e in media["examples"].values()} == {status}
        if status in (429, 503):
            assert "Retry-After" in response["headers"]


@every_operation
def test_every_body_can_be_refused(operation):
    if operation.body:
        assert {400, 413, 415} <= set(operation.responses)


@every_operation
def test_whatever_needs_credentials_can_refuse_them(operation):
    if operation.schemes:
        assert operation.responses.keys() & {401, 403}


def planted(status, body, **headers):
    """Make an answer of `GET /v1/orders` that no server gave."""
    answer = requests.Response()
    answer.status_code, answer._content = status, body
    answer.headers.update({"Content-Type": JSON} | headers)
    answer.request = requests.Request("GET", "http://site/v1/orders?limit=1").prepare()
    return answer


def test_the_judge_lets_a_right_answer_pass():
    CONTRACT.check(planted(200, b'{"orders": []}'))
    error = b'{"code": 503, "message": "Try again."}'
    CONTRACT.check(planted(503, error, **{"Retry-After": "5"}))


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (planted(418, b"{}"), "this status is not in the contract"),
        (planted(200, b'{"orders": [], "total": 0}'), "total"),
        (planted(200, b"{}", **{"Content-Type": "text/html"}), "text/html"),
        (planted(400, b'{"code": 404, "message": "Send less."}'), "400"),
        (planted(400, b'{"code": 400, "message": ""}'), "says nothing"),
        (planted(503, b'{"code": 503, "message": "Try again."}'), "Retry-After"),
        (
            planted(503, b'{"code": 503, "message": "x"}', **{"Retry-After": "soon"}),
            "integer",
        ),
    ],
)
def test_the_judge_finds_a_wrong_answer(answer, why):
    with pytest.raises(AssertionError, match=why):
        CONTRACT.check(answer)


# How a service proves itself to another, by stage.
SERVICE_SCHEMES = {2: "service", 3: "sigv4", 4: "sigv4"}


def test_what_is_internal_is_for_services_and_says_so():
    for operation in OPERATIONS:
        inside = operation.path.startswith("/internal/")
        assert operation.internal == inside == ("internal" in operation.spec["tags"])
        if inside:
            schemes = {SERVICE_SCHEMES[stage] for stage in operation.stages}
            assert operation.schemes == schemes or operation.id == "publishedKeys"


def test_nothing_internal_is_for_guests():
    public = CONTRACT.public_document()["paths"]
    assert len(public) < len(CONTRACT.document["paths"])
    assert not any("internal" in path for path in public)
    for stage in (1, 2, 3, 4):
        assert not any(o.internal for o in CONTRACT.operations(stage))


@every_operation
def test_what_can_be_asked_wrongly_may_be_answered_so(operation):
    read = [at for at in operation.parameters if at["in"] == "query"]
    if read or operation.body:
        assert 400 in operation.responses


def test_without_a_gateway_only_what_is_counted_is_over_its_rate():
    rated = {o.id for o in OPERATIONS if set(o.stages) <= {1, 2} and 429 in o.responses}
    assert rated == {"logIn"}, "only failures to log in are counted"
