"""The operations of notifications over HTTP: each translates, and makes one call."""

import re

from flask import Blueprint, Response, current_app, g

from . import internal, web, wire
from .errors import NotFound
from .letters import SUBJECTS
from .services import Services

api = Blueprint("api", __name__, url_prefix="/v1")

ORDER_ID = re.compile(r"ord_[0-9a-f]{24}")


@api.put("/internal/notifications/<order_id>/<event>")
def notify(order_id: str, event: str) -> Response:
    """Have a guest told of an event of an order."""
    _services().callers.admit("checkout")
    if not ORDER_ID.fullmatch(order_id) or event not in SUBJECTS:
        raise NotFound(f"Name an order and one of its events: {', '.join(SUBJECTS)}.")
    g.order_id = order_id
    said = web.body(internal.NotificationRequest)
    _services().notifications.announce(order_id, event, said)
    _services().sweep.wake()
    return Response(status=202)


@api.get("/health")
def health() -> Response:
    """Tell that the service is alive, and how its dependencies are."""
    settings = _services().settings
    up = {
        "database": _services().database.reachable(),
        "mail": web.listens(settings.smtp_host, settings.smtp_port),
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
    services: Services = current_app.extensions["notifications"]
    return services
