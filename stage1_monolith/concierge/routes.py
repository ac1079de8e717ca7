"""The contract's operations over HTTP: each translates, and makes one call."""

import re
from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, g, request

from . import web, wire
from .errors import BadRequest, NotFound
from .orders import Status, answer, view
from .services import Services

api = Blueprint("api", __name__, url_prefix="/v1")

IDEMPOTENCY_KEY = re.compile(r"[!-~]{1,255}")
PRODUCT_ID = re.compile(r"[a-z0-9-]{1,64}")


@api.post("/nlu")
@api.post("/chatbot")
def converse() -> Response:
    """Say something to the concierge."""
    guest_id = _guest()
    conversation = web.body(wire.Conversation)
    return web.json(_services().nlu.converse(guest_id, conversation, web.now()))


@api.get("/products")
def list_products() -> Response:
    """List what can be bought."""
    services, token = _services(), web.bearer_token()
    with services.database.statement() as tx:  # one for both, as it is asked for most
        services.identity.guest(token, web.now(), tx)
        page = services.catalog.page(web.query(wire.ProductQuery), tx)
    return web.json(page)


@api.get("/products/<product_id>")
def get_product(product_id: str) -> Response:
    """Read one product."""
    _guest()
    if not PRODUCT_ID.fullmatch(product_id):
        raise NotFound("This is not the id of a product. See GET /products.")
    return web.json(_services().catalog.product(product_id))


@api.get("/partner/products")
def list_partner_products() -> Response:
    """List what can be bought, for another company's site."""
    _services().partners.admit(request.headers.get("X-Api-Key"), web.now())
    return web.json(_services().catalog.page(web.query(wire.ProductQuery)))


@api.post("/checkout")
def checkout() -> Response:
    """Buy a product by card."""
    guest_id = _guest()
    key = request.headers.get("Idempotency-Key", "")
    if not IDEMPOTENCY_KEY.fullmatch(key):
        raise BadRequest(
            "Idempotency-Key: send this header with a value of your own for each "
            "purchase, a UUID say: 1 to 255 visible ASCII characters."
        )
    order = _services().checkout.buy(
        guest_id, key, web.body(wire.CheckoutRequest), web.now()
    )
    g.order_id = order.order_id
    if order.status is not Status.PENDING:
        return web.json(answer(order))
    accepted = web.json(answer(order), 202)
    accepted.headers["Location"] = f"/v1/orders/{order.order_id}"
    return accepted


@api.get("/orders")
def list_orders() -> Response:
    """List the caller's own orders."""
    guest_id = _guest()
    return web.json(_services().orders.page(guest_id, web.query(wire.OrderQuery)))


@api.get("/orders/<order_id>")
def get_order(order_id: str) -> Response:
    """Read one of the caller's own orders."""
    guest_id = _guest()
    g.order_id = order_id[:64]
    return web.json(view(_services().orders.of_guest(guest_id, order_id)))


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
    _guest()
    _services().identity.log_out(web.bearer_token())
    return Response(status=204)


@api.get("/health")
def health() -> Response:
    """Tell that the stage is alive, and how its dependencies are."""
    services = _services()
    stripe_url = urlsplit(services.settings.stripe_api_base or "https://api.stripe.com")
    stripe_port = stripe_url.port or (443 if stripe_url.scheme == "https" else 80)
    settings = services.settings
    up = {
        "database": services.database.reachable(),
        "stripe": web.listens(stripe_url.hostname or "", stripe_port),
        "mail": web.listens(settings.smtp_host, settings.smtp_port),
    }
    return web.json(
        wire.Health(
            status="ok" if all(up.values()) else "degraded",
            stage="stage1_monolith",
            dependencies={
                name: "ok" if is_up else "down" for name, is_up in up.items()
            },
        )
    )


def _services() -> Services:
    services: Services = current_app.extensions["concierge"]
    return services


def _guest() -> str:
    """Tell who calls, from the token and never from the body."""
    return _services().identity.guest(web.bearer_token(), web.now())
