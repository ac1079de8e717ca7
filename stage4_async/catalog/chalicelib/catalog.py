"""The catalogue in its table: what can be bought, at what price, and how many."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import TypeVar

from msgspec import UNSET

from . import internal, wire
from .database import Item, Table
from .errors import NotFound
from .products import Product, search

# Products share their table with reservations. Only products are on the shelf, which
# is an index: a list reads them and nothing else, in the order of their ids.
SHELF = "on_shelf"
ON_SHELF = "#shelf = :shelf"
AFTER = f"{ON_SHELF} AND #product_id > :after"
PRODUCTS = "products"

P = TypeVar("P", bound=wire.Product)


class Catalog:
    """The products of a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def page(self, query: wire.ProductQuery) -> wire.ProductPage:
        """List the products that pass the filters, a page at a time.

        There are some forty: to read them all costs less than an index a filter.
        """
        wanted = search(
            self._on_shelf("" if query.cursor is UNSET else query.cursor),
            category=None if query.category is UNSET else query.category,
            text=query.text,
            min_amount=query.min_amount,
            max_amount=None if query.max_amount is UNSET else query.max_amount,
        )
        found = [_shown(product, wire.Product) for product in wanted[: query.limit]]
        more = len(wanted) > query.limit
        return wire.ProductPage(
            products=found, next_cursor=found[-1].product_id if more else UNSET
        )

    def known(self, query: internal.ProductsQuery) -> internal.Products:
        """Read every product with all that the dialogue knows of it, or only one."""
        if query.product_id is UNSET:
            chosen = self._on_shelf()
        else:
            one = self._find(query.product_id)
            chosen = [one] if one else []
        found = [_shown(product, internal.Product) for product in chosen]
        return internal.Products(products=found)

    def product(self, product_id: str) -> wire.Product:
        """Read one product.

        Raises:
            NotFound: there is none with this id.
        """
        product = self._find(product_id)
        if product is None:
            raise NotFound("We do not sell a product with this id. See GET /products.")
        return _shown(product, wire.Product)

    def stock_shelves(self, goods: Iterable[Product]) -> None:
        """Put new products on sale and renew the words and prices of known ones.

        The stock of a known product stays: it has been sold from.
        """
        for product in goods:
            self._put(product)

    def _put(self, product: Product) -> None:
        values = {k: v for k, v in asdict(product).items() if v is not None}
        gone = [name for name in asdict(product) if name not in values]
        renewed = [f"#{name} = :{name}" for name in values if name != "stock"]
        update = "SET " + ", ".join(
            [*renewed, "#shelf = :shelf", "#stock = if_not_exists(#stock, :stock)"]
        )
        if gone:
            update += " REMOVE " + ", ".join(f"#{name}" for name in gone)
        values |= {"keywords": list(product.keywords)}
        values |= {"occasions": list(product.occasions)}
        # Any state of the item will do, so the condition is one that always holds.
        always = "attribute_not_exists(pk) OR attribute_exists(pk)"
        key = product_key(product.product_id)
        self._table.change(key, update, always, shelf=PRODUCTS, **values)

    def _find(self, product_id: str) -> Product | None:
        item = self._table.read(product_key(product_id))
        return _product(item) if item else None

    def _on_shelf(self, after: str = "") -> list[Product]:
        more = {"after": after} if after else {}
        condition = AFTER if after else ON_SHELF
        found = self._table.find(SHELF, condition, {"shelf": PRODUCTS} | more)
        return [_product(item) for item in found]


def product_key(product_id: str) -> str:
    """Return the key of a product's item."""
    return f"product#{product_id}"


def _product(item: Item) -> Product:
    fields = {name: item[name] for name in Product.__match_args__ if name in item}
    for listed in ("keywords", "occasions"):
        fields[listed] = tuple(fields[listed])
    return Product(**fields)


def _shown(product: Product, shape: type[P]) -> P:
    """Show a product as one of the contract's shapes has it."""
    return shape(**{name: getattr(product, name) for name in shape.__struct_fields__})
