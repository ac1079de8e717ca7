"""The shapes of the contract's internal part that this service answers."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from . import wire


class Product(wire.Product):
    """A product with all that the dialogue knows of it."""

    keywords: tuple[str, ...]
    occasions: tuple[str, ...]
    serves: int | None
    pack: int | None


class Products(wire.Body):
    """Every product, or the one that was asked for."""

    products: list[Product]


class ProductsQuery(wire.Body):
    """Which product, where one is enough: the path stays the one that may be asked."""

    product_id: wire.ProductId | UnsetType = UNSET


class ReservationRequest(wire.Body):
    """What an order needs of the stock."""

    product_id: wire.ProductId
    quantity: Annotated[int, Meta(ge=1, le=100)]


class Reservation(wire.Body):
    """What became of a reservation."""

    order_id: str
    state: Literal["held", "refused"]
