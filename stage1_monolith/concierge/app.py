"""The monolith's entrypoint: one Flask application that does everything."""

from flask import Flask

from . import config, logs, web
from .routes import api
from .services import assemble
from .site import protected, site


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
    app.extensions["concierge"] = assemble(settings)
    app.register_blueprint(api)
    app.register_blueprint(site(settings))
    web.guard(app)
    logs.log_requests(app)
    app.wsgi_app = protected(app.wsgi_app)  # type: ignore[method-assign]
    return app
