"""The catalogue's operations over HTTP: each translates, and makes one call."""

import re

from flask import Blueprint, Response, current_app, g

from . import internal, web, wire
from .errors import NotFound
from .services import Services

api = Blueprint("api", __name__, url_prefix="/v1")

PRODUCT_ID = re.compile(r"[a-z0-9-]{1,64}")
ORDER_ID = re.compile(r"ord_[0-9a-f]{24}")


@api.get("/products")
def list_products() -> Response:
    """List what can be bought."""
    _services().guests.guest()
    return web.json(_services().catalog.page(web.query(wire.ProductQuery)))


@api.get("/products/<product_id>")
def get_product(product_id: str) -> Response:
    """Read one product."""
    _services().guests.guest()
    if not PRODUCT_ID.fullmatch(product_id):
        raise NotFound("This is not the id of a product. See GET /products.")
    return web.json(_services().catalog.product(product_id))


@api.get("/partner/products")
def list_partner_products() -> Response:
    """List what can be bought, for another company's site.

    The gateway asks for the partner's key and counts the calls.
    """
    return web.json(_services().catalog.page(web.query(wire.ProductQuery)))


@api.get("/internal/products")
def list_known_products() -> Response:
    """List every product, for the dialogue, or the one that checkout asks for."""
    _services().callers.admit("nlu", "checkout")
    return web.json(_services().catalog.known(web.query(internal.ProductsQuery)))


@api.put("/internal/reservations/<order_id>")
def reserve(order_id: str) -> Response:
    """Set stock aside for an order."""
    _services().callers.admit("checkout")
    wanted = web.body(internal.ReservationRequest)
    return web.json(_services().reservations.hold(_order(order_id), wanted))


@api.delete("/internal/reservations/<order_id>")
def release(order_id: str) -> Response:
    """Give back what an order holds."""
    _services().callers.admit("checkout")
    _services().reservations.release(_order(order_id))
    return Response(status=204)


@api.get("/health")
def health() -> Response:
    """Tell that the service is alive, and how its database is."""
    reachable = _services().database.reachable()
    return web.json(
        wire.Health(
            status="ok" if reachable else "degraded",
            stage="stage2_split_services",
            dependencies={"database": "ok" if reachable else "down"},
        )
    )


def _services() -> Services:
    services: Services = current_app.extensions["catalog"]
    return services


def _order(order_id: str) -> str:
    if not ORDER_ID.fullmatch(order_id):
        raise NotFound("This is not the id of an order.")
    g.order_id = order_id
    return order_id
