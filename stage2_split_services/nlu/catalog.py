"""The catalogue as the catalog service told it, kept for when that is away."""

import logging
import threading
import time

import msgspec

from .calls import Callee, as_service
from .errors import Problem, Unavailable
from .products import CATEGORIES, Product

log = logging.getLogger(__name__)

LEARN_SECONDS = 0.5


class Catalog:
    """The products, as they were a moment ago or when they could last be read.

    What is said of a price or of the stock may so be out of date by a moment; the
    checkout asks the catalogue itself.

    Args:
        service: the catalog service.
        key: our secret, which it knows.
        fresh_seconds: the age at which the list is read again, and the pause before a
            list that could not be read is asked for again.
        at_first: the same service, for the first list. When all start together it is
            away for a moment, and a breaker that remembers this would keep the first
            guests from the products for longer than that.
    """

    def __init__(
        self, service: Callee, key: str, fresh_seconds: float, at_first: Callee
    ) -> None:
        self._service = service
        self._at_first = at_first
        self._key = key
        self._fresh_seconds = fresh_seconds
        self._known: list[Product] | None = None
        self._asked: float | None = None
        self._asking = threading.Lock()

    def all(self) -> list[Product]:
        """Return every product with all that the dialogue knows of it.

        Raises:
            Unavailable: the catalogue is away, and was never read.
        """
        # One guest at a time waits for a new list; who can do with the old one does.
        if self._is_old() and self._asking.acquire(blocking=self._known is None):
            try:
                if self._is_old():
                    self._ask(self._service)
            finally:
                self._asking.release()
        if self._known is None:
            raise Unavailable("We cannot reach our catalogue now; try again.")
        return self._known

    def learn(self) -> threading.Thread:
        """Read the list beside the work, so that no guest waits for it.

        Returns: the thread, which ends when the list is there.
        """
        thread = threading.Thread(target=self._learn, daemon=True)
        thread.start()
        return thread

    def _learn(self) -> None:
        while self._known is None:
            with self._asking:
                self._ask(self._at_first)
            if self._known is None:
                time.sleep(LEARN_SECONDS)

    def _is_old(self) -> bool:
        age = None if self._asked is None else time.monotonic() - self._asked
        return age is None or age > self._fresh_seconds

    def _ask(self, service: Callee) -> None:
        try:
            answer = service.call(
                "GET",
                "/v1/internal/products",
                headers=as_service("nlu", "catalog", self._key),
                # Who has an old list need not insist.
                tries=1 if self._known else None,
            )
            listed = answer.read(_List).products
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
