"""Shelves that no load empties.

What is sold out is answered in another way and faster. Guests take turns at a few
products, so that not all of them wait for one row, and there are a million of each
while the load lasts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import requests

from sandbox.runner import RunningStage
from tests.backstage import WAYS, backstage_of

from . import answers
from .accounts import Account

PRODUCTS = ("roses-red-dozen", "truffles-chocolate", "pizza-margherita", "candy-jar")
PLENTY = 1_000_000
TIMEOUT_SECONDS = 30


@contextmanager
def filled(
    stage: RunningStage, account: Account, told: Callable[[str], None]
) -> Iterator[None]:
    """Fill the shelves, and put back afterwards what was there before.

    A stage whose data we cannot reach keeps what it has; sold out is counted apart.

    Args:
        stage: where.
        account: of a guest, who reads what is there.
        told: gets a line about it.
    """
    if stage.stage not in WAYS:
        told(f"stage {stage.stage} has no way to its stock: it may be sold out")
        yield
        return
    backstage = backstage_of(stage)
    before = {product: _stock(stage, account, product) for product in PRODUCTS}
    try:
        for product in PRODUCTS:
            backstage.set_stock(product, PLENTY)
        told(f"filled {len(PRODUCTS)} shelves with {PLENTY:,} each")
        yield
    finally:
        try:
            for product, stock in before.items():
                backstage.set_stock(product, stock)
        except Exception as error:  # what was measured is worth more
            told(f"the old stock is not put back: {type(error).__name__}: {error}")


def _stock(stage: RunningStage, account: Account, product_id: str) -> int:
    url = f"{stage.api_url}/products/{product_id}"
    headers = account.headers("GET", url)
    found = requests.get(url, headers=headers, timeout=TIMEOUT_SECONDS)
    return answers.read(found.status_code, found.content, answers.Product).stock
