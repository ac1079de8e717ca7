"""The bills of all stages over users, of flat and of bursty traffic."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from load_tests.plots import DOTS_AN_INCH, STAGE_LOOKS

from .instances import TooLarge
from .serverless import NO_COGNITO
from .stages import STAGES, Terms, bill
from .table import BURSTY, NAMES
from .usage import Usage

POINTS = [round(100 * 10 ** (at / 12)) for at in range(49)]  # 100 to a million


def draw(usage: Usage, terms: Terms, file: Path) -> None:
    """Draw the bills into a file, whose ending chooses the format: PNG, SVG, PDF.

    Args:
        usage: what guests do; users and peak are the plot's own.
        terms: prices and plans.
        file: to write.
    """
    # The same picture, the same bytes; and words that can be searched for.
    mpl.rcParams |= {"svg.hashsalt": "concierge", "svg.fonttype": "none"}
    figure = Figure(figsize=(11, 5), layout="constrained")
    both = figure.subplots(1, 2, sharey=True)
    for axes, peak in zip(both, (Decimal(1), BURSTY), strict=True):
        for stage in STAGES:
            users, dollars = _bills(stage, replace(usage, peak=peak), terms)
            axes.plot(
                users,
                dollars,
                label=f"{stage} {NAMES[stage]}",
                markevery=(stage - 1, 4),
                **STAGE_LOOKS[stage],
            )
        alone = replace(terms, cognito=NO_COGNITO)
        axes.plot(
            *_bills(3, replace(usage, peak=peak), alone),
            label="3, were Cognito free",
            color="black",
            linewidth=1,
        )
        how = "flat traffic" if peak == 1 else f"the peak {peak} times the mean"
        axes.set(xscale="log", yscale="log", title=how)
        axes.set_xlabel("users a month")
        axes.grid(visible=True, which="major", alpha=0.4)
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.yaxis.set_major_formatter("{x:,.0f}")
    both[0].set_ylabel("US dollars a month")
    both[0].legend()
    figure.suptitle(
        f"A month of the concierge on AWS ({terms.prices.region}, prices of "
        f"{terms.prices.read}); stages 3 and 4: never measured there"
    )
    figure.savefig(file, dpi=DOTS_AN_INCH)


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
