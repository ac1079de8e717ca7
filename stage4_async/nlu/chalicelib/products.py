"""Products as the catalogue, the dialogue and the search see them: plain values."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

PRODUCTS_FILE = Path(__file__).parent / "data" / "products.json"

# What the guest must say about the place: where to deliver, where to be picked up,
# or only the city.
Place: TypeAlias = Literal["address", "pickup", "city"]


class ProductFileError(ValueError):
    """The product file is wrong; the message names the product and the field."""


@dataclass(frozen=True)
class Category:
    """A kind of product: its words, and what has to be known to order one.

    party asks for how many people, timed for a time of day; nightly is priced a night.
    """

    name: str
    words: tuple[str, ...]
    place: Place = "address"
    party: bool = False
    timed: bool = False
    nightly: bool = False


CATEGORIES: dict[str, Category] = {
    category.name: category
    for category in (
        Category("flowers", ("flower", "bouquet", "blossom", "bloom", "florist")),
        Category("gifts", ("gift", "present", "souvenir", "toy")),
        Category("sweets", ("sweet", "dessert", "pastry", "confectionery")),
        Category("food", ("food", "meal", "snack", "grocery", "lunch", "takeaway")),
        Category(
            "tables",
            ("table", "restaurant", "dinner", "dining", "seat", "reservation"),
            place="city",
            party=True,
            timed=True,
        ),
        Category(
            "tickets",
            ("ticket", "show", "event", "performance", "play"),
            place="city",
        ),
        Category(
            "rides",
            ("ride", "taxi", "cab", "car", "driver", "transfer", "transport"),
            place="pickup",
            party=True,
            timed=True,
        ),
        Category(
            "rooms",
            ("room", "hotel", "stay", "accommodation", "lodging", "overnight", "sleep"),
            place="city",
            party=True,
            nightly=True,
        ),
    )
}


@dataclass(frozen=True)
class Product:
    """One thing to buy.

    unit_amount is in cents of the currency. serves is how many people one unit serves,
    for products whose quantity follows from the party's size. pack is the number of
    pieces in one unit, where guests count pieces ("a dozen roses").
    """

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

    @property
    def kind(self) -> Category:
        """The category of this product."""
        return CATEGORIES[self.category]


_FIELDS: dict[str, tuple[str, type]] = {
    "productId": ("product_id", str),
    "category": ("category", str),
    "name": ("name", str),
    "description": ("description", str),
    "unitAmount": ("unit_amount", int),
    "currency": ("currency", str),
    "stock": ("stock", int),
    "imageUrl": ("image_url", str),
    "keywords": ("keywords", list),
    "occasions": ("occasions", list),
    "serves": ("serves", int),
    "pack": ("pack", int),
}
_OPTIONAL = {"serves", "pack"}


def load_products(path: Path = PRODUCTS_FILE) -> tuple[Product, ...]:
    """Read and check the products of a JSON file, in its order.

    Raises ProductFileError, which says what to correct.
    """
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ProductFileError(f"{path}: not JSON: {error}") from error
    if not isinstance(entries, list):
        raise ProductFileError(f"{path}: expected a list of products")
    products = tuple(
        _product(entry, f"{path}, product {number}")
        for number, entry in enumerate(entries, start=1)
    )
    seen: set[str] = set()
    for product in products:
        if product.product_id in seen:
            raise ProductFileError(f"{path}: {product.product_id} is there twice")
        seen.add(product.product_id)
    return products


def search(
    products: Iterable[Product],
    category: str | None = None,
    text: str | None = None,
    min_amount: int | None = None,
    max_amount: int | None = None,
) -> list[Product]:
    """Return the products that meet every condition given, in their order.

    text matches when each of its words begins a word of the product's name,
    description, category or keywords; the amounts are in cents and inclusive.
    """
    words = _words(text or "")
    return [
        product
        for product in products
        if (category is None or product.category == category)
        and (min_amount is None or product.unit_amount >= min_amount)
        and (max_amount is None or product.unit_amount <= max_amount)
        and (not words or _has_words(product, words))
    ]


def by_id(products: Iterable[Product]) -> dict[str, Product]:
    """Return the products under their ids."""
    return {product.product_id: product for product in products}


def price(amount: int, currency: str = "usd") -> str:
    """Write an amount in cents for people, as in "$49.99" or "49.99 EUR"."""
    figure = f"{amount // 100:,}.{amount % 100:02d}"
    return f"${figure}" if currency == "usd" else f"{figure} {currency.upper()}"


def _has_words(product: Product, words: Sequence[str]) -> bool:
    shown = (product.name, product.description, product.category, *product.keywords)
    own = _words(" ".join(shown))
    return all(any(mine.startswith(word) for mine in own) for word in words)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _product(entry: Any, where: str) -> Product:
    if not isinstance(entry, Mapping):
        raise ProductFileError(f"{where}: expected an object")
    if unknown := set(entry) - set(_FIELDS):
        raise ProductFileError(f"{where}: unknown field {sorted(unknown)[0]!r}")
    values: dict[str, Any] = {}
    for field, (name, kind) in _FIELDS.items():
        if field not in entry and field in _OPTIONAL:
            continue
        value = entry.get(field)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise ProductFileError(f"{where}: {field} must be a {kind.__name__}")
        values[name] = tuple(value) if isinstance(value, list) else value
    product = Product(**values)
    if problem := _problem(product):
        raise ProductFileError(f"{where}: {problem}")
    return product


def _problem(product: Product) -> str | None:
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", product.product_id):
        return "productId must be words in lower case, joined by hyphens"
    if product.category not in CATEGORIES:
        return f"category must be one of {', '.join(CATEGORIES)}"
    if product.unit_amount <= 0 or product.stock < 0:
        return "unitAmount must be above 0 and stock not below it"
    if product.kind.party != bool(product.serves):
        return f"serves must be given for {product.category} that ask the party's size"
    return None
