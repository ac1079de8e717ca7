"""The operations of nlu over HTTP: each translates, and makes one call."""

from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app

from . import web, wire
from .services import Services

api = Blueprint("api", __name__, url_prefix="/v1")


@api.post("/nlu")
@api.post("/chatbot")
def converse() -> Response:
    """Say something to the concierge."""
    guest = _services().guests.guest()
    conversation = web.body(wire.Conversation)
    return web.json(_services().nlu.converse(guest, conversation, web.now()))


@api.get("/health")
def health() -> Response:
    """Tell that the service is alive, and who of those that it asks listens."""
    settings = _services().settings
    up = {
        "redis": _services().nlu.remembers(),
        "catalog": _listens(settings.catalog_url),
        "checkout": _listens(settings.checkout_url),
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


def _listens(url: str) -> bool:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return web.listens(parts.hostname or "", port)


def _services() -> Services:
    services: Services = current_app.extensions["nlu"]
    return services
