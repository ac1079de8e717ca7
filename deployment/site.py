"""The page on S3: the files of `frontend/`, and their configuration beside them."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import mimetypes
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from .cloud import client
from .settings import CONTRACT, FRONTEND

TYPES = {".js": "text/javascript", ".svg": "image/svg+xml", ".yaml": "text/yaml"}
LEFT_OUT = {"README.md"}
OWN_HOST_ONLY = b"connect-src 'self'"
SWAGGER_ASSETS = ("swagger-ui.css", "swagger-ui-bundle.js")


def upload(bucket: str, config: Mapping[str, Any]) -> str:
    """Upload the page; what is there already and the same is left.

    Args:
        bucket: its name.
        config: what the page is told, its `config.json`.

    Returns:
        What was done, in words.
    """
    files = {name: _with_hosts(data, config) for name, data in _files().items()}
    files["config.json"] = json.dumps(config, indent=2).encode() + b"\n"
    files["openapi.yaml"] = CONTRACT.read_bytes()
    for name in SWAGGER_ASSETS:
        files[f"docs/assets/{name}"] = (_swagger() / name).read_bytes()
    there = _there(bucket)
    changed = [n for n, data in files.items() if there.get(n) != _etag(data)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: _put(bucket, name, files[name]), changed))
    gone = there.keys() - files.keys()
    for name in gone:
        client("s3").delete_object(Bucket=bucket, Key=name)
    if not changed and not gone:
        return "unchanged"
    return f"{len(changed)} files uploaded"


def empty(bucket: str) -> None:
    """Delete all that is in a bucket; a bucket that is not there is empty."""
    try:
        for name in _there(bucket):
            client("s3").delete_object(Bucket=bucket, Key=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise


def _with_hosts(data: bytes, config: Mapping[str, Any]) -> bytes:
    """Let a page call the hosts that it is told of; its own policy allows no other."""
    urls = [urlsplit(str(v)) for name, v in config.items() if name.endswith("_url")]
    hosts = sorted({f"{url.scheme}://{url.netloc}" for url in urls if url.netloc})
    return data.replace(
        OWN_HOST_ONLY, " ".join([OWN_HOST_ONLY.decode(), *hosts]).encode()
    )


def _files() -> dict[str, bytes]:
    return {
        path.relative_to(FRONTEND).as_posix(): path.read_bytes()
        for path in sorted(FRONTEND.rglob("*"))
        if path.is_file() and path.name not in LEFT_OUT
    }


def _swagger() -> Path:
    found = importlib.util.find_spec("flask_swagger_ui")
    if found is None or found.origin is None:
        raise RuntimeError("flask-swagger-ui is missing: `make run-stage` installs it.")
    return Path(found.origin).parent / "dist"


def _there(bucket: str) -> dict[str, str]:
    pages = client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return {
        item["Key"]: item["ETag"].strip('"')
        for page in pages
        for item in page.get("Contents", [])
    }


def _put(bucket: str, name: str, data: bytes) -> None:
    suffix = Path(name).suffix
    kind = TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "text/plain"
    if kind.startswith("text/") or suffix in {".js", ".json", ".svg"}:
        kind += "; charset=utf-8"
    # Asked for anew each time, and answered by "not modified": a page and its modules
    # are of one age then.
    client("s3").put_object(
        Bucket=bucket, Key=name, Body=data, ContentType=kind, CacheControl="no-cache"
    )


def _etag(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
