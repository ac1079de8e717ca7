"""The page of the contract, made from it, and the contract as Swagger UI wants it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).resolve().parents[1]
SOURCE = REPOSITORY / "docs" / "reference" / "openapi.yaml"
METHODS = ("get", "post", "put", "delete")
PROOFS = {
    "bearer": "a token",
    "sigv4": "a signature",
    "partnerKey": "a partner's key",
    "service": "a service's token",
}
HEAD = """\
# The contract

<!-- Made by `make reference` from openapi.yaml: change it there. -->

One file describes the API of all four stages: [openapi.yaml](openapi.yaml). It was
written by hand, before the code. A running stage shows it in Swagger UI, at `/docs`
(stages 1 and 2) or `/docs/index.html` (3 and 4). So does this page on the course's
site, below the tables; a code host shows only the tables.

Every path begins with `/v1`. Amounts are integers in cents. Times are UTC, ISO 8601. An
error is `{"code", "message"}`, and its message says what to do. *A token* is the one of
`POST /login` (stages 1 and 2). *A signature* is Signature Version 4 (stages 3 and 4);
[from session to SigV4](../explanation/from-session-to-sigv4.md) tells why.
"""
SWAGGER = """
## In Swagger UI

<div id="swagger-ui" data-source="../swagger/index.html"></div>

The same in a page of its own: make the site (`make docs`), and open
`.run/site/swagger/index.html`.
"""


def read() -> dict[str, Any]:
    """Return the contract."""
    found: dict[str, Any] = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    return found


def script() -> str:
    """Write the contract as a script, for a page that may fetch no file."""
    return f"globalThis.contract = {json.dumps(read(), default=str)};\n"


def operations(contract: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Return each operation: its method, its path, and what is said of it.

    Args:
        contract: the whole of it.
    """
    return [
        (method.upper(), path, item[method])
        for path, item in contract["paths"].items()
        for method in METHODS
        if method in item
    ]


def page(contract: dict[str, Any] | None = None) -> str:
    """Write the page.

    Args:
        contract: the whole of it; the repository's unless another is given.
    """
    contract = contract or read()
    parts = [_section(tag, contract) for tag in contract["tags"]]
    return HEAD + "".join(parts) + SWAGGER


def _section(tag: dict[str, str], contract: dict[str, Any]) -> str:
    rows = "".join(
        f"| {method} | `{path}` | {told['summary']} | {_proof(told)} "
        f"| {_stages(told)} |\n"
        for method, path, told in operations(contract)
        if tag["name"] in told["tags"]
    )
    about = " ".join(tag["description"].split())
    return (
        f"\n## {tag['name'].capitalize()}\n\n{about}\n\n"
        "| | path | does | the caller shows | stages |\n"
        f"|---|---|---|---|---|\n{rows}"
    )


def _proof(told: dict[str, Any]) -> str:
    named = [PROOFS[name] for way in told.get("security", []) for name in way]
    return " or ".join(named) or "nothing"


def _stages(told: dict[str, Any]) -> str:
    return ", ".join(map(str, told.get("x-stages", (1, 2, 3, 4))))
