"""What exercise 3 is graded by. Run it with `make grade EXERCISE=3`.

The shipped functions of stage 3's catalogue run over tables in memory. Before a call
leaves, it is held against the student's policies, as IAM would do it; a call that they
do not allow gets AccessDeniedException.
"""

import json
import re
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import count

import boto3
import pytest
from botocore.exceptions import ClientError

from course import handed_in
from tests.chalice_apps import application

sys.dont_write_bytecode = True
POLICIES = "stage3_serverless/catalog/.chalice"
API, SHELVES = "policy-api_handler.json", "policy-stock_shelves.json"
ACCOUNT = "arn:aws:dynamodb:us-east-1:123456789012:"
TABLE = f"{ACCOUNT}table/catalog"
SHELF = f"{TABLE}/index/on_shelf"
NAMES = {
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::AccountId": "123456789012",
    "CatalogTable": "catalog",
}
# What is none of this service's business, and stands for the rest of the account.
STRANGE = (
    f"{ACCOUNT}table/orders",
    f"{ACCOUNT}table/catalog-of-another-team",
    f"{TABLE}/index/by_price",
    f"{TABLE}/backup/01",
)
LINES = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/catalog"
LOGGING = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")
WANTED = {"productId": "candy-jar", "quantity": 1}
RESERVATION = "/internal/reservations/{orderId}"


@dataclass(frozen=True)
class Policy:
    """A policy of the student's."""

    name: str
    statements: list

    def allows(self, action, thing):
        """Whether it does, as IAM decides: a Deny is stronger than any Allow."""
        effects = {s["Effect"] for s in self.statements if _is_about(s, action, thing)}
        return "Allow" in effects and "Deny" not in effects


def _is_about(statement, action, thing):
    for key in ("NotAction", "NotResource", "Condition"):
        assert key not in statement, f"{key}: do without it; say what is allowed."
    actions = [at.lower() for at in _listed(statement["Action"])]
    things = [_arn(at) for at in _listed(statement["Resource"])]
    return any(fnmatchcase(action.lower(), at) for at in actions) and any(
        fnmatchcase(thing, at) for at in things
    )


def _listed(value):
    return value if isinstance(value, list) else [value]


def _arn(resource):
    text = resource["Fn::Sub"] if isinstance(resource, dict) else resource
    return re.sub(r"\$\{([^}]+)\}", lambda at: NAMES.get(at[1], at[0]), text)


@pytest.fixture(scope="session")
def policy():
    """Read a policy of the student's."""

    def read(name):
        path = handed_in.path(f"{POLICIES}/{name}")
        try:
            return Policy(name, json.loads(path.read_text())["Statement"])
        except ValueError as error:
            pytest.fail(f"{name} is no JSON any more: {error}", pytrace=False)

    return read


def needed(operation, parameters):
    """Tell what IAM asks of a call to DynamoDB: actions, and on what.

    A transaction has no action of its own: each part needs that of its kind.
    """
    if operation == "TransactWriteItems":
        for part in parameters["TransactItems"]:
            [(kind, write)] = part.items()
            yield from needed(f"{kind}Item", write)
        return
    thing = f"{ACCOUNT}table/{parameters['TableName']}"
    index = parameters.get("IndexName")
    yield f"dynamodb:{operation}", f"{thing}/index/{index}" if index else thing


class Gate:
    """Stands before DynamoDB, and holds calls against a policy."""

    def __init__(self, session):
        self.policy, self.seen, self.refused = None, set(), set()
        session.events.register("before-parameter-build.dynamodb", self._check)

    def of(self, policy):
        """Let the role change: from now on, another function calls."""
        self.policy, self.refused = policy, set()

    def _check(self, params, model, **_):
        if self.policy is None:
            return
        for action, thing in needed(model.name, params):
            self.seen.add((action, thing))
            if not self.policy.allows(action, thing):
                self.refused.add(f"{model.name} on {thing.removeprefix(ACCOUNT)}")
                said = {"Code": "AccessDeniedException", "Message": "not authorized"}
                raise ClientError({"Error": said}, model.name)

    def complaint(self, what):
        """Say what was refused, to whom."""
        refused = " and ".join(sorted(self.refused))
        return (
            f"{what} failed. With {self.policy.name}, DynamoDB refuses "
            f"{refused or 'nothing'}. The code that asks for it is in "
            "stage3_serverless/catalog/chalicelib/database.py."
        )


class Service:
    """The catalogue, run with the student's policies over full shelves."""

    def __init__(self, app, gate, policy):
        self._app, self._gate, self._policy = app, gate, policy
        self._orders = count()
        app.module.stock_shelves({}, None)

    def stock(self):
        """Fill the shelves, as whoever deploys does; return what was asked for."""
        gate = self._gate
        gate.seen.clear()
        with self._in_role(SHELVES):
            try:
                self._app.module.stock_shelves({}, None)
            except Exception as error:
                said = gate.complaint("stock_shelves")
                pytest.fail(f"{said}\n{error}", pytrace=False)
        return gate.seen

    def call(self, method, path, **more):
        """Call an operation of the API, which must work."""
        with self._in_role(API):
            answer = self._app.call(method, path, **more)
            if answer.status >= 400:
                said = self._gate.complaint(f"{method} {path}")
                told = f"The guest was told {answer.status}: {answer.body}"
                pytest.fail(f"{said}\n{told}", pytrace=False)
        return answer.body

    def new_order(self):
        """Return the name of another order in a path."""
        return {"orderId": f"ord_{next(self._orders):024d}"}

    def use(self):
        """Do all that the API is there for; return what was asked for."""
        self._gate.seen.clear()
        self.call("GET", "/products")
        self.call("GET", "/products/{productId}", names={"productId": "candy-jar"})
        names = self.new_order()
        self.call("PUT", RESERVATION, names=names, body=WANTED)
        self.call("DELETE", RESERVATION, names=names)
        return self._gate.seen

    @contextmanager
    def _in_role(self, name):
        self._gate.of(self._policy(name))
        try:
            yield
        finally:
            self._gate.policy = None


@pytest.fixture(scope="session")
def service(policy):
    with application("catalog", LOG_LEVEL="ERROR") as app:
        before = boto3.DEFAULT_SESSION
        boto3.DEFAULT_SESSION = boto3.Session()
        yield Service(app, Gate(boto3.DEFAULT_SESSION), policy)
        boto3.DEFAULT_SESSION = before


@pytest.mark.row(1)
def test_guests_see_products(service):
    assert service.call("GET", "/products")["products"]
    service.call("GET", "/products/{productId}", names={"productId": "candy-jar"})


@pytest.mark.row(1)
def test_an_order_reserves_its_stock(service):
    names = service.new_order()
    assert service.call("PUT", RESERVATION, names=names, body=WANTED)["state"] == "held"


@pytest.mark.row(1)
def test_a_reservation_can_be_released(service):
    service.call("DELETE", RESERVATION, names=service.new_order())


@pytest.mark.row(2)
def test_the_shelves_are_stocked(service):
    service.stock()


@pytest.mark.row(3)
def test_the_api_may_do_no_more_than_it_does(service, policy):
    complain(too_much(policy(API), service.use()))


@pytest.mark.row(4)
def test_stocking_may_do_no_more_than_it_does(service, policy):
    complain(too_much(policy(SHELVES), service.stock()))


@pytest.mark.row(2)
def test_both_may_write_their_lines(policy):
    for name in (API, SHELVES):
        silent = [at for at in LOGGING if not policy(name).allows(at, LINES)]
        assert silent == [], f"{name}: a function that cannot log cannot be mended."


def too_much(policy, seen):
    """Return what a policy allows and none of these calls needs."""
    things = (TABLE, SHELF, *STRANGE)
    return [
        f"{action} on {thing.removeprefix(ACCOUNT)}"
        for action in actions()
        for thing in things
        if (action, thing) not in seen and policy.allows(action, thing)
    ]


def complain(found):
    """Fail with the first few things that are allowed for nothing."""
    if found:
        first = "\n  ".join(found[:5])
        pytest.fail(
            f"Allowed, and called for by nothing ({len(found)}):\n  {first}",
            pytrace=False,
        )


def actions():
    """Return every action of DynamoDB, one of another service, and one to be."""
    named = boto3.client("dynamodb").meta.service_model.operation_names
    return [*(f"dynamodb:{name}" for name in named), "s3:GetObject", "dynamodb:New"]
