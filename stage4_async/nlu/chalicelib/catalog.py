"""The catalogue as the catalog service told it, kept for when that is away."""

import logging
import time

import msgspec

from .calls import Callee
from .errors import Problem, Unavailable
from .products import CATEGORIES, Product

log = logging.getLogger(__name__)

PRODUCTS = "/internal/products"


class Catalog:
    """The products, as they were a moment ago or when they could last be read.

    A worker serves one guest at a time and keeps the list from one to the next. What is
    said of a price or of the stock may so be out of date by a moment; the checkout asks
    the catalogue itself.

    Args:
        service: the catalog service.
        fresh_seconds: the age at which the list is read again, and the pause before a
            list that could not be read is asked for again.
    """

    def __init__(self, service: Callee, fresh_seconds: float) -> None:
        self._service = service
        self._fresh_seconds = fresh_seconds
        self._known: list[Product] | None = None
        self._asked: float | None = None

    def all(self) -> list[Product]:
        """Return every product with all that the dialogue knows of it.

        Raises:
            Unavailable: the catalogue is away, and was never read.
        """
        if self._known is None or self._is_old():
            self._ask()
        if self._known is None:
            raise Unavailable("We cannot reach our catalogue now; try again.")
        return self._known

    def _is_old(self) -> bool:
        age = None if self._asked is None else time.monotonic() - self._asked
        return age is None or age > self._fresh_seconds

    def _ask(self) -> None:
        try:
            listed = self._service.call("GET", PRODUCTS).read(_List).products
        except (Problem, msgspec.DecodeError) as error:
            kept = None if self._known is None else len(self._known)
            log.warning(
                "catalogue not read", extra={"reason": str(error), "kept": kept}
            )
        else:
            # A category that the catalogue's team added is nothing that we can talk of
            # before our own next release.
            known = [each for each in listed if each.category in CATEGORIES]
            self._known = [Product(**msgspec.structs.asdict(each)) for each in known]
        self._asked = time.monotonic()


class _Listed(msgspec.Struct, rename="camel"):
    product_id: str
    category: str
    name: str
    description: str
    unit_amount: int
    currency: str
    stock: int
    image_url: str
    keywords: tuple[str, ...] = ()
    occasions: tuple[str, ...] = ()
    serves: int | None = None
    pack: int | None = None


class _List(msgspec.Struct):
    products: list[_Listed]
