"""The contract's operations over HTTP: each translates, and makes one call."""

import datetime as dt
import re
import socket
from typing import TypeVar
from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, g, request
from werkzeug.exceptions import RequestEntityTooLarge

from . import wire
from .errors import BadRequest, NotFound, Unauthorized, UnsupportedMediaType
from .orders import Status, answer, view
from .services import Services

T = TypeVar("T", bound=wire.Body)

api = Blueprint("api", __name__, url_prefix="/v1")

IDEMPOTENCY_KEY = re.compile(r"[!-~]{1,255}")
PRODUCT_ID = re.compile(r"[a-z0-9-]{1,64}")
MAX_BODY_BYTES = 64 * 1024


@api.post("/nlu")
@api.post("/chatbot")
def converse() -> Response:
    """Say something to the concierge."""
    guest_id = _guest()
    conversation = _body(wire.Conversation)
    return _json(_services().nlu.converse(guest_id, conversation, _now()))


@api.get("/products")
def list_products() -> Response:
    """List what can be bought."""
    _guest()
    return _json(_services().catalog.page(_query(wire.ProductQuery)))


@api.get("/products/<product_id>")
def get_product(product_id: str) -> Response:
    """Read one product."""
    _guest()
    if not PRODUCT_ID.fullmatch(product_id):
        raise NotFound("This is not the id of a product. See GET /products.")
    return _json(_services().catalog.product(product_id))


@api.get("/partner/products")
def list_partner_products() -> Response:
    """List what can be bought, for another company's site."""
    _services().partners.admit(request.headers.get("X-Api-Key"), _now())
    return _json(_services().catalog.page(_query(wire.ProductQuery)))


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
    order = _services().checkout.buy(guest_id, key, _body(wire.CheckoutRequest), _now())
    g.order_id = order.order_id
    if order.status is not Status.PENDING:
        return _json(answer(order))
    accepted = _json(answer(order), 202)
    accepted.headers["Location"] = f"/v1/orders/{order.order_id}"
    return accepted


@api.get("/orders")
def list_orders() -> Response:
    """List the caller's own orders."""
    guest_id = _guest()
    return _json(_services().orders.page(guest_id, _query(wire.OrderQuery)))


@api.get("/orders/<order_id>")
def get_order(order_id: str) -> Response:
    """Read one of the caller's own orders."""
    guest_id = _guest()
    g.order_id = order_id[:64]
    return _json(view(_services().orders.of_guest(guest_id, order_id)))


@api.post("/signup")
def sign_up() -> Response:
    """Make an account."""
    credentials = _body(wire.Credentials)
    return _json(_services().identity.sign_up(credentials, _now()), 201)


@api.post("/login")
def log_in() -> Response:
    """Exchange an e-mail address and a password for a token."""
    return _json(_services().identity.log_in(_body(wire.Credentials), _now()))


@api.post("/logout")
def log_out() -> Response:
    """Revoke the token that this call carries."""
    _guest()
    _services().identity.log_out(_token())
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
        "stripe": _listens(stripe_url.hostname or "", stripe_port),
        "mail": _listens(settings.smtp_host, settings.smtp_port),
    }
    return _json(
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


def _now() -> dt.datetime:
    return dt.datetime.now(dt.timezone.utc)


def _token() -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized(
            "Please sign in: send the token of POST /v1/login as "
            "Authorization: Bearer <token>."
        )
    return token.strip()


def _guest() -> str:
    """Tell who calls, from the token and never from the body."""
    return _services().identity.guest(_token(), _now())


def _body(shape: type[T]) -> T:
    data = request.get_data(cache=False)
    if len(data) > MAX_BODY_BYTES:
        raise RequestEntityTooLarge
    if request.mimetype != "application/json":
        raise UnsupportedMediaType("Send JSON, with Content-Type: application/json.")
    return wire.read_body(data, shape)


def _query(shape: type[T]) -> T:
    return wire.read_query(request.args.to_dict(), shape)


def _json(body: wire.Body, status: int = 200) -> Response:
    return Response(wire.write(body), status, mimetype="application/json")


def _listens(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=0.5).close()
    except OSError:
        return False
    return True
