"""The catalogue's entrypoint: each operation translates, and makes one call."""

import re
from typing import Any

from chalice.app import Chalice, Response
from chalicelib import config, internal, web, wire
from chalicelib.errors import NotFound
from chalicelib.logs import order_id as order_at_hand
from chalicelib.products import load_products
from chalicelib.services import assembled

app = Chalice(app_name="catalog", configure_logs=False)
api = web.Operations(app, prepare=assembled)

PRODUCT_ID = re.compile(r"[a-z0-9-]{1,64}")
ORDER_ID = re.compile(r"ord_[0-9a-f]{24}")


@api.get("/products")
def list_products() -> Response:
    """List what can be bought."""
    query = web.query(web.current(app), wire.ProductQuery)
    return web.json(assembled().catalog.page(query))


@api.get("/products/{productId}")
def get_product(product_id: str) -> Response:
    """Read one product."""
    if not PRODUCT_ID.fullmatch(product_id):
        raise NotFound("This is not the id of a product. See GET /products.")
    return web.json(assembled().catalog.product(product_id))


@api.get("/partner/products")
def list_partner_products() -> Response:
    """List what can be bought, for another company's site.

    API Gateway asks for the partner's key and counts the calls.
    """
    query = web.query(web.current(app), wire.ProductQuery)
    return web.json(assembled().catalog.page(query))


@api.get("/internal/products")
def list_known_products() -> Response:
    """List every product, for the dialogue, or the one that checkout asks for."""
    query = web.query(web.current(app), internal.ProductsQuery)
    return web.json(assembled().catalog.known(query))


@api.put("/internal/reservations/{orderId}")
def reserve(order_id: str) -> Response:
    """Set stock aside for an order."""
    wanted = web.body(web.current(app), internal.ReservationRequest)
    return web.json(assembled().reservations.hold(_order(order_id), wanted))


@api.delete("/internal/reservations/{orderId}")
def release(order_id: str) -> Response:
    """Give back what an order holds."""
    assembled().reservations.release(_order(order_id))
    return web.nothing()


@app.lambda_function(name="stock_shelves")
def stock_shelves(event: Any, context: Any) -> dict[str, int]:
    """Put the goods of the product file on the shelves; for whoever deploys."""
    goods = load_products()
    assembled().catalog.stock_shelves(goods)
    return {"products": len(goods)}


def _order(order_id: str) -> str:
    if not ORDER_ID.fullmatch(order_id):
        raise NotFound("This is not the id of an order.")
    order_at_hand.set(order_id)
    return order_id


if config.on_lambda():
    # While a worker starts, Lambda lends it a whole processor.
    assembled()
