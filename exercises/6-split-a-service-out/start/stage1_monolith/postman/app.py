"""The entrypoint of postman: other services have it send letters to guests."""

from flask import Flask, Response


def create_app() -> Flask:
    """Make the application; its settings are in the environment.

    `POSTMAN_KEY` is what callers must know, `SMTP_HOST` and `SMTP_PORT` where the mail
    server is, `SMTP_TIMEOUT_SECONDS` how long it may take, `MAIL_FROM` who writes.
    """
    app = Flask(__name__, static_folder=None)

    @app.get("/health")
    def health() -> Response:
        return Response(status=204)

    return app
