"""The local AWS keeps what it knows, however it ends."""

from __future__ import annotations

import io
import os
import signal
import socket
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from wait import until

from deployment.cloud import wait_until_there

# Longer than anybody waits who stops it.
SLEEPER = b"import time\ndef handler(event, context):\n    time.sleep(120)\n"
STOP_SECONDS = 20


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def cloud(port: int, data: Path, keep_seconds: float = 3600):
    """Run one, which nothing stops at the end but SIGKILL."""
    command = [sys.executable, "-m", "sandbox.aws", "--port", str(port)]
    with subprocess.Popen(
        [*command, "--data", str(data)],
        env=os.environ | {"KEEP_SECONDS": str(keep_seconds)},
    ) as process:
        try:
            wait_until_there(f"http://127.0.0.1:{port}")
            yield process
        finally:
            process.kill()


def client(service: str, port: int):
    return boto3.client(
        service,
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(read_timeout=30, retries={"total_max_attempts": 3}),
    )


def write(port: int) -> None:
    """Make a table with one thing in it."""
    client("dynamodb", port).create_table(
        TableName="things",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    client("dynamodb", port).put_item(TableName="things", Item={"id": {"S": "one"}})


def things(port: int) -> int:
    return client("dynamodb", port).scan(TableName="things")["Count"]


def test_a_function_in_the_middle_of_a_call_does_not_cost_the_state(port, tmp_path):
    with cloud(port, tmp_path) as process, ThreadPoolExecutor(1) as pool:
        write(port)
        role = client("iam", port).create_role(
            RoleName="sleeper", AssumeRolePolicyDocument='{"Statement": []}'
        )
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w") as written:
            written.writestr("app.py", SLEEPER)
        client("lambda", port).create_function(
            FunctionName="sleeper",
            Runtime=f"python3.{sys.version_info[1]}",
            Handler="app.handler",
            Role=role["Role"]["Arn"],
            Timeout=120,
            Code={"ZipFile": package.getvalue()},
        )

        def call() -> None:
            with suppress(BotoCoreError, ClientError):
                client("lambda", port).invoke(FunctionName="sleeper")

        pool.submit(call)
        workers = tmp_path / "tmp"
        until(lambda: list(workers.glob("*-lambda-*/code/app.py")), "it is called")
        process.send_signal(signal.SIGTERM)
        process.wait(STOP_SECONDS)
    with cloud(port, tmp_path):
        assert things(port) == 1
        assert client("lambda", port).get_function(FunctionName="sleeper")


def test_killed_it_knows_again_what_it_knew_a_moment_before(port, tmp_path):
    with cloud(port, tmp_path, keep_seconds=0.2):
        write(port)
        state = tmp_path / "state" / "dynamodb.json"
        until(lambda: state.exists() and '"one"' in state.read_text(), "it is kept")
    with cloud(port, tmp_path):
        assert things(port) == 1


def test_killed_before_it_kept_anything_it_begins_anew(port, tmp_path):
    with cloud(port, tmp_path):
        client("s3", port).create_bucket(Bucket="packages")
        client("s3", port).put_object(Bucket="packages", Key="a", Body=b"1")
    with cloud(port, tmp_path):
        assert client("s3", port).list_buckets()["Buckets"] == []
        client("s3", port).create_bucket(Bucket="packages")
