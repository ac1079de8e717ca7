"""The catalogue's entrypoint: a Flask application of products and reservations."""

from flask import Flask

from . import config, deadlines, logs, web
from .routes import api
from .services import assemble


def create_app(settings: config.Settings | None = None) -> Flask:
    """Make the application.

    Args:
        settings: as `config.load` reads them, which is the default.

    Raises:
        SettingsError: the environment is not right.
    """
    settings = settings or config.load()
    logs.configure(settings.log_level, "stage2_split_services/catalog")
    app = Flask(__name__, static_folder=None)
    app.extensions["catalog"] = assemble(settings)
    app.register_blueprint(api)
    web.guard(app)
    logs.log_requests(app)
    if settings.resilient:
        deadlines.keep(app)
    return app
