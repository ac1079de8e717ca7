"""Any stage's bill by its number."""

from __future__ import annotations

from dataclasses import dataclass, field

from . import figures, serverless, servers
from .lines import Bill
from .prices import PriceList, prices
from .usage import Usage

STAGES = (1, 2, 3, 4)


@dataclass(frozen=True)
class Terms:
    """On which terms a bill is reckoned.

    Attributes:
        prices: what things cost.
        cognito: the user pool's plan: `lite`, `essentials`, `plus` or `none`.
        engine: what understands guests in stages 1 and 2: `light` or `strong`.
        detailed_metrics: whether API Gateway writes metrics of each method.
    """

    prices: PriceList = field(default_factory=prices)
    cognito: str = "essentials"
    engine: str = "light"
    detailed_metrics: bool = False


def bill(stage: int, usage: Usage, terms: Terms | None = None) -> Bill:
    """Return a stage's bill of a month.

    Args:
        stage: 1 to 4.
        usage: what guests do.
        terms: prices and plans; by default the price file's, without Lambda's free
            tier.

    Raises:
        FiguresError: a result is missing.
        TooLarge: no machine of the price file is large enough.
    """
    terms = terms or Terms()
    if stage == 1:
        work = figures.monolith(terms.engine)
        return servers.bill(stage, usage, work, terms.prices)
    if stage == 2:
        work = figures.services(terms.engine)
        return servers.bill(stage, usage, work, terms.prices)
    used = figures.functions(stage)
    return serverless.bill(
        stage, usage, used, terms.prices, terms.cognito, terms.detailed_metrics
    )
