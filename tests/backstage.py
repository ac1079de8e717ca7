"""What tests set up where no guest can: stock levels and the end of a session.

Each stage keeps its data elsewhere, so each has its own way backstage.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlsplit

import boto3
import jwt
import psycopg
from botocore.config import Config
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sandbox.runner import RunningStage
from sandbox.runner.stages import SANDBOX_PORTS
from sandbox.runner.state import RUN_ROOT

# Without it, botocore waits five minutes for an AWS that has stopped answering.
BOUNDED = Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 2})


class Backstage(Protocol):
    """A way to the data of a running stage.

    Where guests have tokens of ours, it also has `expired(token)`, which returns a
    token as this one will be when its time has run out.
    """

    def set_stock(self, product_id: str, stock: int) -> None:
        """Put exactly so many of a product on the shelf."""


class MonolithBackstage:
    """The way to the monolith's data: its one database."""

    def __init__(self, stage: RunningStage) -> None:
        self._url = database_url(stage)

    def set_stock(self, product_id: str, stock: int) -> None:
        self._change(
            "UPDATE products SET stock = %s WHERE product_id = %s", stock, product_id
        )

    def expired(self, token: str) -> str:
        self._change(
            "UPDATE sessions SET expires_at = clock_timestamp() - interval '1 second' "
            "WHERE token_hash = %s",
            hashlib.sha256(token.encode()).digest(),
        )
        return token

    def _change(self, statement: str, *values: object) -> None:
        with psycopg.connect(self._url, connect_timeout=5) as connection:
            changed = connection.execute(statement, values).rowcount
        assert changed == 1, f"{statement} changed {changed} rows"


class ServicesBackstage:
    """The way to the data of the split services: a database and a user each.

    Args:
        stage: the running stage, whose folder keeps the passwords.
    """

    def __init__(self, stage: RunningStage) -> None:
        secrets = json.loads((RUN_ROOT / stage.name / "secrets.json").read_text())
        server = urlsplit(database_url(stage)).netloc.rpartition("@")[2]
        self._urls = {
            name: f"postgresql://{name}:{password}@{server}/{name}"
            for name, password in secrets["databases"].items()
        }

    def set_stock(self, product_id: str, stock: int) -> None:
        with psycopg.connect(self._urls["catalog"], connect_timeout=5) as catalog:
            catalog.execute(
                "UPDATE products SET stock = %s WHERE product_id = %s",
                [stock, product_id],
            )

    def expired(self, token: str) -> str:
        with psycopg.connect(self._urls["identity"], connect_timeout=5) as identity:
            found = identity.execute("SELECT key_id, private_key FROM signing_keys")
            keys: dict[str, bytes] = dict(found.fetchall())
        key_id = jwt.get_unverified_header(token)["kid"]
        claims = jwt.decode(token, options={"verify_signature": False})
        key = Ed25519PrivateKey.from_private_bytes(keys[key_id])
        claims |= {"exp": int(time.time()) - 1}
        return jwt.encode(claims, key, "EdDSA", headers={"kid": key_id})


class ServerlessBackstage:
    """The way to the tables of a stage on the local AWS, with the rights of its root.

    Args:
        stage: the running stage, whose state names the tables.
    """

    def __init__(self, stage: RunningStage) -> None:
        dynamodb = boto3.resource(
            "dynamodb",
            endpoint_url=stage.aws_endpoint_url,
            region_name=stage.region,
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - of the local AWS
            config=BOUNDED,
        )
        self._catalog = dynamodb.Table(stage.tables["catalog"])

    def set_stock(self, product_id: str, stock: int) -> None:
        self._catalog.update_item(
            Key={"pk": f"product#{product_id}"},
            UpdateExpression="SET stock = :stock",
            ConditionExpression="attribute_exists(pk)",
            ExpressionAttributeValues={":stock": stock},
        )


WAYS: dict[int, Callable[[RunningStage], Backstage]] = {
    1: MonolithBackstage,
    2: ServicesBackstage,
    3: ServerlessBackstage,
    4: ServerlessBackstage,
}


def database_url(stage: RunningStage, database: str = "concierge") -> str:
    """Return where the PostgreSQL of a run is, as psycopg writes it."""
    offset = next(p.offset for p in SANDBOX_PORTS if p.variable == "POSTGRES_PORT")
    port = (urlsplit(stage.site_url).port or 0) + offset
    return f"postgresql://postgres@127.0.0.1:{port}/{database}"


def backstage_of(stage: RunningStage) -> Backstage:
    """Return the way to the data of a stage."""
    return WAYS[stage.stage](stage)
