"""Identity's operations over HTTP: each translates, and makes one call."""

from flask import Blueprint, Response, current_app

from . import web, wire
from .services import Services

api = Blueprint("api", __name__, url_prefix="/v1")


@api.post("/signup")
def sign_up() -> Response:
    """Make an account."""
    credentials = web.body(wire.Credentials)
    return web.json(_services().identity.sign_up(credentials, web.now()), 201)


@api.post("/login")
def log_in() -> Response:
    """Exchange an e-mail address and a password for a token."""
    return web.json(_services().identity.log_in(web.body(wire.Credentials), web.now()))


@api.post("/logout")
def log_out() -> Response:
    """Revoke the token that this call carries."""
    _services().identity.log_out(web.bearer_token(), web.now())
    return Response(status=204)


@api.get("/internal/keys")
def published_keys() -> Response:
    """Publish what tokens are verified with."""
    return web.json(_services().keys.published())


@api.get("/health")
def health() -> Response:
    """Tell that the service is alive, and how its dependencies are."""
    services = _services()
    up = {
        "database": services.database.reachable(),
        "redis": services.revoked.reachable(),
    }
    return web.json(
        wire.Health(
            status="ok" if all(up.values()) else "degraded",
            stage="stage2_split_services",
            dependencies={
                name: "ok" if is_up else "down" for name, is_up in up.items()
            },
        )
    )


def _services() -> Services:
    services: Services = current_app.extensions["identity"]
    return services
