"""What the roles of a stage are granted: as it is shipped, and one grant taken away."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from deployment import public_api
from deployment.settings import CONTRACT, FOLDERS, REPOSITORY

API_HANDLER = "api_handler"
GUEST = "guest"
ACCOUNT = "${AWS::AccountId}:"
Document = dict[str, Any]

# Whoever may send letters to anybody sends them from one address. The local AWS does
# not say whose a letter is; SES always does.
FROM_US = {"StringEqualsIfExists": {"ses:FromAddress": {"Ref": "MailIdentity"}}}


@dataclass(frozen=True)
class Grant:
    """One action on one thing.

    Attributes:
        stage: 3 or 4.
        role: without the deployment's name: `checkout-sweep`.
        action: as policies write it.
        thing: the end of its ARN, as the template writes it.
        at: which statement, action and resource of the policy it is.
    """

    stage: int
    role: str
    action: str
    thing: str
    at: tuple[int, int, int]

    def __str__(self) -> str:
        return f"{self.role} {self.action} {self.thing}"


def shipped(stage: int) -> dict[str, Document]:
    """Return the policy of each role of a stage, as the repository has it."""
    found = {}
    folder = REPOSITORY / FOLDERS[stage]
    for path in sorted(folder.glob("*/.chalice/policy-*.json")):
        function = path.stem.removeprefix("policy-")
        name = "api" if function == API_HANDLER else function
        service = path.parents[1].name
        found[f"{service}-{name}"] = json.loads(path.read_text())
    return {**found, GUEST: _guests(stage)}


def carried_over() -> set[str]:
    """Return the roles of stage 4 with the very policies that they have in stage 3."""
    before, now = shipped(3), shipped(4)
    return {role for role in before.keys() & now if before[role] == now[role]}


@cache
def _guests(stage: int) -> Document:
    base = REPOSITORY / FOLDERS[stage] / "public_api.yaml"
    template = public_api.public_api(base, CONTRACT, stage)
    policy = template["Resources"]["GuestsMayCall"]["Properties"]
    document: Document = policy["PolicyDocument"]
    return document


def grants(stage: int) -> list[Grant]:
    """Return every grant of every shipped policy of a stage."""
    return [
        Grant(stage, role, action, thing(resource), (at, nth, which))
        for role, document in shipped(stage).items()
        for at, statement in enumerate(document["Statement"])
        for nth, action in enumerate(listed(statement["Action"]))
        for which, resource in enumerate(resources(statement))
    ]


def resources(statement: Document) -> list[Any]:
    """Return what a statement is about."""
    if "NotResource" in statement:
        return [f"not {statement['NotResource']}"]
    return listed(statement["Resource"])


def thing(resource: Any) -> str:
    """Return the end of an ARN as a template writes it: what follows the account."""
    if isinstance(resource, dict) and "Fn::If" in resource:
        resource = resource["Fn::If"][2]
    if isinstance(resource, dict) and "Ref" in resource:
        resource = f"${{{resource['Ref']}}}"
    if isinstance(resource, dict):
        resource = resource["Fn::Sub"]
    if resource.startswith("not "):
        return str(resource)
    before, _, after = str(resource).partition(ACCOUNT)
    return after or before


def listed(value: Any) -> list[Any]:
    """Return one or many as a list."""
    return value if isinstance(value, list) else [value]


def less(document: Document, grant: Grant) -> Document:
    """Return a policy without one of its grants; all others stay."""
    at, nth, which = grant.at
    whole = copy.deepcopy(document)
    statement = whole["Statement"].pop(at)
    actions = listed(statement["Action"])
    assert actions[nth] == grant.action, "the policy is another than the shipped one"
    others = [action for action in actions if action != grant.action]
    if others:
        whole["Statement"].append({**statement, "Action": others})
    things = resources(statement)
    left = [resource for at, resource in enumerate(things) if at != which]
    if left:
        one = {**statement, "Action": [grant.action], "Resource": left}
        whole["Statement"].append(one)
    return whole


class Roles:
    """The roles of a deployment on the local AWS.

    Args:
        iam: a client with the rights of its root.
        prefix: of the deployment's names.
    """

    def __init__(self, iam: Any, prefix: str = "concierge-local") -> None:
        self._iam = iam
        self._prefix = prefix

    def arn(self, role: str) -> str:
        """Return the ARN of a role."""
        return str(self._iam.get_role(RoleName=self._name(role))["Role"]["Arn"])

    def document(self, role: str) -> Document:
        """Return the one policy of a role, as it is deployed."""
        document: Document = self._policy(role)["PolicyDocument"]
        return document

    @contextmanager
    def without(self, grant: Grant) -> Iterator[None]:
        """Take one grant away for a while."""
        policy = self._policy(grant.role)
        whole = policy["PolicyDocument"]
        self._put(policy, less(whole, grant))
        try:
            yield
        finally:
            self._put(policy, whole)

    def _name(self, role: str) -> str:
        return f"{self._prefix}-{role}"

    def _policy(self, role: str) -> dict[str, Any]:
        name = self._name(role)
        (policy,) = self._iam.list_role_policies(RoleName=name)["PolicyNames"]
        attached = self._iam.list_attached_role_policies(RoleName=name)
        assert not attached["AttachedPolicies"], f"{name} is granted more elsewhere"
        found: dict[str, Any] = self._iam.get_role_policy(
            RoleName=name, PolicyName=policy
        )
        return found

    def _put(self, policy: dict[str, Any], document: Document) -> None:
        # A policy without a statement is none.
        if not document["Statement"]:
            nothing = {"Effect": "Deny", "Action": "none:None", "Resource": "none"}
            document = {**document, "Statement": [nothing]}
        self._iam.put_role_policy(
            RoleName=policy["RoleName"],
            PolicyName=policy["PolicyName"],
            PolicyDocument=json.dumps(document),
        )
