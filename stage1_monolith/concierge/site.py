"""The web page and the contract in Swagger UI, served beside the API."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, jsonify, redirect, send_file, send_from_directory
from flask.blueprints import BlueprintSetupState
from werkzeug.routing import PathConverter
from werkzeug.wrappers import Response as AnyResponse

from .config import Settings

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
PROTECTION = [
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
]


def protected(answer: Callable[..., Any]) -> Callable[..., Any]:
    """Tell browsers with every answer what a page of ours may load, and from where.

    Args:
        answer: the application. A hook of Flask would do as well, but costs more, and
            it would run with every request.
    """

    def answer_protected(env: dict[str, Any], start: Callable[..., Any]) -> Any:
        def begin(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            return start(status, headers + PROTECTION, *rest)

        return answer(env, begin)

    return answer_protected


class SiteFile(PathConverter):
    """A path of the page, never one of the API, whose wrong methods are its own."""

    regex = "(?!v1/)" + PathConverter.regex


def site(settings: Settings) -> Blueprint:
    """Serve the page from its folder.

    Args:
        settings: where the page and the contract are.
    """
    pages = Blueprint("site", __name__)

    @pages.record_once
    def learn(state: BlueprintSetupState) -> None:
        state.app.url_map.converters["site_file"] = SiteFile

    swagger = _swagger_assets()

    @pages.get("/")
    def index() -> Response:
        return send_from_directory(settings.frontend_dir, "index.html")

    @pages.get("/<site_file:path>")
    def file(path: str) -> Response:
        return send_from_directory(settings.frontend_dir, path)

    @pages.get("/config.json")
    def config() -> Response:
        return jsonify(stage=1, api_url="/v1", auth="bearer")

    @pages.get("/openapi.yaml")
    def contract() -> Response:
        return send_file(settings.contract_file, mimetype="application/yaml")

    @pages.get("/docs")
    def docs_without_slash() -> AnyResponse:
        return redirect("/docs/")

    @pages.get("/docs/")
    def docs() -> Response:
        return send_from_directory(settings.frontend_dir, "docs/index.html")

    @pages.get("/docs/assets/<path:path>")
    def docs_assets(path: str) -> Response:
        return send_from_directory(swagger, path)

    return pages


def _swagger_assets() -> Path:
    found = importlib.util.find_spec("flask_swagger_ui")
    if found is None or found.origin is None:
        raise RuntimeError(
            "flask-swagger-ui is missing: pip install -r requirements.txt"
        )
    return Path(found.origin).parent / "dist"
