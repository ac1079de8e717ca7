"""The operations of checkout over HTTP: each translates, and makes one call."""

import re
from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, g, request

from . import web, wire
from .errors import BadRequest
from .orders import Status, answer, order_id, view
from .services import Services

api = Blueprint("api", __name__, url_prefix="/v1")

IDEMPOTENCY_KEY = re.compile(r"[!-~]{1,255}")


@api.post("/checkout")
def checkout() -> Response:
    """Buy a product by card."""
    guest = _services().guests.guest()
    key = request.headers.get("Idempotency-Key", "")
    if not IDEMPOTENCY_KEY.fullmatch(key):
        raise BadRequest(
            "Idempotency-Key: send this header with a value of your own for each "
            "purchase, a UUID say: 1 to 255 visible ASCII characters."
        )
    # Before the work, so that the services that it calls are told of it as well.
    g.order_id = order_id(guest.guest_id, key)
    purchase = web.body(wire.CheckoutRequest)
    order = _services().checkout.buy(guest, key, purchase, web.now())
    if order.status is not Status.PENDING:
        return web.json(answer(order))
    accepted = web.json(answer(order), 202)
    accepted.headers["Location"] = f"/v1/orders/{order.order_id}"
    return accepted


@api.get("/orders")
def list_orders() -> Response:
    """List the caller's own orders."""
    guest_id = _services().guests.guest().guest_id
    return web.json(_services().orders.page(guest_id, web.query(wire.OrderQuery)))


@api.get("/orders/<order_id>")
def get_order(order_id: str) -> Response:
    """Read one of the caller's own orders."""
    guest_id = _services().guests.guest().guest_id
    g.order_id = order_id[:64]
    return web.json(view(_services().orders.of_guest(guest_id, order_id)))


@api.get("/health")
def health() -> Response:
    """Tell that the service is alive, and how its dependencies are."""
    services = _services()
    stripe_url = urlsplit(services.settings.stripe_api_base or "https://api.stripe.com")
    stripe_port = stripe_url.port or (443 if stripe_url.scheme == "https" else 80)
    up = {
        "database": services.database.reachable(),
        "stripe": web.listens(stripe_url.hostname or "", stripe_port),
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
    services: Services = current_app.extensions["checkout"]
    return services
