"""The monolith's entrypoint: one Flask application that does everything."""

from http import HTTPStatus

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from . import config, logs, wire
from .errors import Problem
from .routes import MAX_BODY_BYTES, api
from .services import assemble
from .site import site

EXPLAINED = {
    404: "There is nothing at this address. The contract is at /docs.",
    405: "This address does not take this method. The contract is at /docs.",
    413: "The body is over 64 KiB. Send less at once.",
}


def create_app(settings: config.Settings | None = None) -> Flask:
    """Make the application.

    Args:
        settings: as `config.load` reads them, which is the default.

    Raises:
        SettingsError: the environment is not right.
    """
    settings = settings or config.load()
    logs.configure(settings.log_level, "stage1_monolith")
    app = Flask(__name__, static_folder=None)
    # One byte more than is allowed: of a body that does not tell its length, Werkzeug
    # reads this much and drops the rest without a word.
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES + 1
    app.extensions["concierge"] = assemble(settings)
    app.register_blueprint(api)
    app.register_blueprint(site(settings))
    logs.log_requests(app)
    app.register_error_handler(Problem, tell)
    app.register_error_handler(HTTPException, tell_http)
    app.register_error_handler(Exception, tell_bug)
    return app


def tell(problem: Problem) -> Response:
    """Answer with a problem's own words."""
    answer = _error(problem.code, problem.message)
    if problem.retry_after is not None:
        answer.headers["Retry-After"] = str(problem.retry_after)
    if problem.code == HTTPStatus.UNAUTHORIZED:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def tell_http(error: HTTPException) -> Response:
    """Answer a request that no route takes."""
    code = error.code or 500
    answer = _error(code, EXPLAINED.get(code, f"{error.name}. See /docs."))
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            answer.headers[name] = value
    return answer


def tell_bug(error: Exception) -> Response:
    """Answer when the fault is ours: log all of it, tell nothing of it."""
    logs.log.exception("unexpected error", exc_info=error)
    return _error(500, "Something went wrong on our side. Please try again.")


def _error(code: int, message: str) -> Response:
    body = wire.write(wire.Error(code=code, message=message))
    return Response(body, code, mimetype="application/json")
