"""The bills of all stages over users, of flat and of bursty traffic."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from matplotlib.axes import Axes

from load_tests import plots

from .instances import TooLarge
from .serverless import NO_COGNITO
from .stages import STAGES, Terms, bill
from .table import BURSTY
from .usage import Usage

POINTS = [round(100 * 10 ** (at / 12)) for at in range(49)]  # 100 to a million


def draw(usage: Usage, terms: Terms, file: Path) -> None:
    """Draw the bills into a file, whose ending chooses the format: PNG, SVG, PDF.

    Args:
        usage: what guests do; users and peak are the plot's own.
        terms: prices and plans.
        file: to write.
    """
    title = (
        f"A month of the concierge on AWS ({terms.prices.region}, prices of "
        f"{terms.prices.read}); stages 3 and 4: never measured there"
    )
    with plots.drawing(file, columns=2, title=title, height=5.0) as both:
        for axes, peak in zip(both, (Decimal(1), BURSTY), strict=True):
            _draw(axes, replace(usage, peak=peak), terms)
            how = "flat traffic" if peak == 1 else f"the peak {peak} times the mean"
            plots.labelled(axes, how, "users a month", "")
        both[1].sharey(both[0])
        both[0].set_ylabel("US dollars a month")
        both[0].legend()


def _draw(axes: Axes, usage: Usage, terms: Terms) -> None:
    for stage in STAGES:
        users, dollars = _bills(stage, usage, terms)
        axes.plot(
            users,
            dollars,
            label=plots.stage_name(stage),
            markevery=(stage - 1, 4),
            **plots.STAGE_LOOKS[stage],
        )
    axes.plot(
        *_bills(3, usage, replace(terms, cognito=NO_COGNITO)),
        label="3, were Cognito free",
        color="black",
        linewidth=1,
    )
    axes.set(xscale="log", yscale="log")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.yaxis.set_major_formatter("{x:,.0f}")


def _bills(stage: int, usage: Usage, terms: Terms) -> tuple[list[int], list[float]]:
    users, dollars = [], []
    for count in POINTS:
        try:
            total = bill(stage, replace(usage, users=Decimal(count)), terms).total
        except TooLarge:
            break
        users.append(count)
        dollars.append(float(total))
    return users, dollars
