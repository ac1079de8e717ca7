"""A month's bill: `python -m load_tests.costs --users 10000`, `--plot bill.png`."""

from __future__ import annotations

import argparse
import sys
from decimal import Decimal, InvalidOperation
from pathlib import Path

from .figures import FiguresError
from .instances import TooLarge
from .prices import PriceError, prices
from .stages import Terms
from .table import report
from .usage import Usage


def main() -> int:
    """Print what was asked for; return the exit status."""
    parser = _parser()
    asked = parser.parse_args()
    try:
        known = prices()
        terms = Terms(
            known.with_free_tier() if asked.free_tier else known,
            asked.cognito,
            asked.engine,
            asked.detailed_metrics,
        )
        usage = usage_of(asked)
        if asked.plot:
            return _plot(usage, terms, asked.plot)
        print(report(usage, terms))
    except ValueError as error:
        parser.error(str(error))
    except (PriceError, FiguresError, TooLarge) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def usage_arguments(parser: argparse.ArgumentParser) -> None:
    """Let a parser ask how the concierge is used."""
    like = Usage(Decimal(10_000))
    words = {
        "users": "people a month",
        "visits": "of each in the month",
        "products": "lists of products seen in a visit",
        "chats": "messages in a visit",
        "checkouts": "purchases in a visit",
        "orders": "looks at an order in a visit",
        "peak": "the busiest moments' rate over the mean; 1 is flat",
    }
    for name, text in words.items():
        otherwise = getattr(like, name)
        parser.add_argument(
            f"--{name}", type=_number, default=otherwise, help=f"{text} ({otherwise})"
        )


def usage_of(asked: argparse.Namespace) -> Usage:
    """Return the usage that the command line asks for.

    Raises:
        ValueError: it cannot be.
    """
    names = ("users", "visits", "products", "chats", "checkouts", "orders", "peak")
    return Usage(**{name: getattr(asked, name) for name in names})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m load_tests.costs", description=__doc__
    )
    usage_arguments(parser)
    parser.add_argument(
        "--cognito",
        default="essentials",
        choices=("lite", "essentials", "plus", "none"),
    )
    parser.add_argument("--engine", default="light", choices=("light", "strong"))
    parser.add_argument(
        "--detailed-metrics",
        action="store_true",
        help="API Gateway's of each method, as with API_DETAILED_METRICS=true",
    )
    parser.add_argument(
        "--free-tier", action="store_true", help="subtract Lambda's, and no other"
    )
    parser.add_argument("--plot", type=Path, help="draw the bills over users to a file")
    return parser


def _plot(usage: Usage, terms: Terms, file: Path) -> int:
    try:
        from .plot import draw
    except ImportError:
        print("Drawing needs matplotlib: `make test` installs it.", file=sys.stderr)
        return 1
    file.parent.mkdir(parents=True, exist_ok=True)
    draw(usage, terms, file)
    print(f"Written to {file}")
    return 0


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text.replace(",", "").replace("_", ""))
    except InvalidOperation:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from None
    if not number.is_finite():
        raise argparse.ArgumentTypeError(f"{text!r} is no number to reckon with")
    return number


if __name__ == "__main__":
    sys.exit(main())
