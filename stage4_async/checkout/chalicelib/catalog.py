"""The catalogue, as another service: what a product costs."""

import logging
import time
from http import HTTPStatus

from . import wire
from .calls import Callee
from .errors import NotFound, Unavailable

log = logging.getLogger(__name__)


class Product(wire.Product, forbid_unknown_fields=False):
    """A product; what the catalogue will tell of it one day is passed over."""


class Products(wire.Body, forbid_unknown_fields=False):
    """The product that was asked for, or none."""

    products: list[Product]


class Catalog:
    """Asks the catalogue, and remembers for a moment what it said.

    Args:
        callee: where it is.
        fresh_seconds: how old a price may be.
    """

    def __init__(self, callee: Callee, fresh_seconds: float) -> None:
        self._callee = callee
        self._fresh_seconds = fresh_seconds
        self._known: dict[str, tuple[float, wire.Product]] = {}

    def product(self, product_id: str) -> wire.Product:
        """Read one product.

        Raises:
            NotFound: there is none with this id.
            Unavailable: the catalogue is away.
        """
        asked_at, known = self._known.get(product_id, (0.0, None))
        now = time.monotonic()
        if known is None or now - asked_at > self._fresh_seconds:
            known = self._ask(product_id)
            self._known[product_id] = now, known
        return known

    def _ask(self, product_id: str) -> wire.Product:
        answer = self._callee.call("GET", f"/internal/products?productId={product_id}")
        if answer.status >= HTTPStatus.BAD_REQUEST:
            # A no to a service is a mistake of ours, which the guest cannot mend.
            log.error("catalog refused", extra={"told": answer.content.decode()[:500]})
            raise Unavailable("We cannot reach our catalogue now. Try again later.")
        found = answer.read(Products).products
        if not found:
            raise NotFound("We do not sell a product with this id. See GET /products.")
        return found[0]
