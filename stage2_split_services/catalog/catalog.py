"""The catalogue in the database: what can be bought, at what price, and how many."""

import re
from collections.abc import Iterable
from dataclasses import asdict
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from msgspec import UNSET
from sqlalchemy.dialects.postgresql import insert

from . import internal, wire
from .database import Database, products
from .errors import NotFound
from .products import Product

SHOWN = [products.c[name] for name in wire.Product.__struct_fields__]
SEARCHED = sa.func.concat_ws(
    " ",
    products.c.name,
    products.c.description,
    products.c.category,
    sa.func.array_to_string(products.c.keywords, " "),
)


class Catalog:
    """The products of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, query: wire.ProductQuery) -> wire.ProductPage:
        """List the products that pass the filters, a page at a time."""
        with self._database.statement() as tx:
            rows = tx.execute(_chosen(query)).all()
        found = [wire.Product(*row) for row in rows[: query.limit]]
        more = len(rows) > query.limit
        return wire.ProductPage(
            products=found, next_cursor=found[-1].product_id if more else UNSET
        )

    def known(self, query: internal.ProductsQuery) -> internal.Products:
        """Read every product with all that the dialogue knows of it, or the one."""
        chosen = sa.select(products).order_by(products.c.product_id)
        if query.product_id is not UNSET:
            chosen = chosen.where(products.c.product_id == query.product_id)
        with self._database.statement() as tx:
            found = [internal.Product(**row._mapping) for row in tx.execute(chosen)]
        return internal.Products(products=found)

    def product(self, product_id: str) -> wire.Product:
        """Read one product.

        Raises:
            NotFound: there is none with this id.
        """
        chosen = sa.select(*SHOWN).where(products.c.product_id == product_id)
        with self._database.statement() as tx:
            row = tx.execute(chosen).one_or_none()
        if row is None:
            raise NotFound("We do not sell a product with this id. See GET /products.")
        return wire.Product(*row)


def stock_shelves(tx: sa.Connection, goods: Iterable[Product]) -> None:
    """Put new products on sale and renew the words and prices of known ones.

    The stock of a known product stays: it has been sold from.
    """
    for product in goods:
        offered = insert(products).values(asdict(product))
        renewed = {
            column.name: column
            for column in offered.excluded
            if column.name not in ("product_id", "stock")
        }
        tx.execute(
            offered.on_conflict_do_update(index_elements=["product_id"], set_=renewed)
        )


@lru_cache(maxsize=256)
def _chosen(query: wire.ProductQuery) -> sa.Select[Any]:
    # Most guests ask the same few questions, and to put a statement together costs as
    # much as to run it.
    chosen = sa.select(*SHOWN).order_by(products.c.product_id)
    return chosen.where(*_conditions(query)).limit(query.limit + 1)


def _conditions(query: wire.ProductQuery) -> list[sa.ColumnElement[bool]]:
    conditions = [products.c.unit_amount >= query.min_amount]
    if query.max_amount is not UNSET:
        conditions.append(products.c.unit_amount <= query.max_amount)
    if query.category is not UNSET:
        conditions.append(products.c.category == query.category)
    if query.cursor is not UNSET:
        conditions.append(products.c.product_id > query.cursor)
    # Each word must begin a word of the product, as `products.search` has it.
    for word in re.findall(r"\w+", query.text):
        conditions.append(SEARCHED.regexp_match(rf"\m{word}", flags="i"))
    return conditions
