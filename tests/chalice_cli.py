"""Chalice's own command line, aimed at the local AWS: `python chalice_cli.py deploy`.

MiniStack lacks two calls that Chalice makes: to make an API of a Swagger file, and to
make it another one. It does both for CloudFormation, so they are answered here with its
help, by hooks of botocore, and Chalice does not notice. And where Chalice reads such an
API, a number that MiniStack leaves empty is left out.
"""

from __future__ import annotations

import json
import os
import time
from types import SimpleNamespace
from typing import Any

import boto3
import botocore.session
from botocore.exceptions import ClientError
from chalice.cli import main

OK = SimpleNamespace(status_code=200, headers={}, raw=None)
PATIENCE_SECONDS = 60
NEW_SESSION = botocore.session.Session.__init__


def hooked(session: botocore.session.Session, *args: Any, **kwargs: Any) -> None:
    """Make a session of botocore's, with the hooks."""
    NEW_SESSION(session, *args, **kwargs)
    session.register("before-call.apigateway.ImportRestApi", import_rest_api)
    session.register("before-call.apigateway.PutRestApi", put_rest_api)
    for operation in ("GetRestApi", "UpdateRestApi"):
        session.register(f"before-parse.apigateway.{operation}", no_empty_number)


def import_rest_api(params: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]]:
    """Answer ImportRestApi."""
    return OK, {"id": deployed(body(params), f"imported-{time.time_ns()}")}


def put_rest_api(params: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]]:
    """Answer PutRestApi, of an API that was made here."""
    api_id = params["url_path"].rpartition("/")[2]
    (stack,) = [
        each["StackName"]
        for each in cloudformation().describe_stacks()["Stacks"]
        if {"OutputKey": "Id", "OutputValue": api_id} in map(short, each["Outputs"])
    ]
    return OK, {"id": deployed(body(params), stack, update=True)}


def no_empty_number(response_dict: dict[str, Any], **_: Any) -> None:
    """Leave out a number that is there without a value."""
    said = json.loads(response_dict["body"])
    kept = {name: value for name, value in said.items() if value != ""}
    response_dict["body"] = json.dumps(kept).encode()


def short(output: dict[str, str]) -> dict[str, str]:
    return {name: output[name] for name in ("OutputKey", "OutputValue")}


def body(params: dict[str, Any]) -> str:
    found = params["body"]
    return found.decode() if isinstance(found, bytes) else str(found)


def cloudformation() -> Any:
    return boto3.client("cloudformation")


def deployed(swagger: str, stack: str, *, update: bool = False) -> str:
    """Have CloudFormation make an API of a Swagger file, and return its id."""
    template = f"""
        {{"Resources": {{"Api": {{"Type": "AWS::ApiGateway::RestApi",
                                  "Properties": {{"Body": {swagger}}}}}}},
          "Outputs": {{"Id": {{"Value": {{"Ref": "Api"}}}}}}}}
    """
    change = cloudformation().update_stack if update else cloudformation().create_stack
    try:
        change(StackName=stack, TemplateBody=template)
    except ClientError as error:
        if "No updates" not in str(error):
            raise
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        (found,) = cloudformation().describe_stacks(StackName=stack)["Stacks"]
        if found["StackStatus"].endswith("_COMPLETE"):
            return str(found["Outputs"][0]["OutputValue"])
        time.sleep(0.1)
    raise TimeoutError(f"The stack {stack} is {found['StackStatus']}.")


if __name__ == "__main__":
    assert os.environ["AWS_ENDPOINT_URL"], "this is for the local AWS only"
    botocore.session.Session.__init__ = hooked  # type: ignore[method-assign]
    raise SystemExit(main())
