"""A comparison as one page of HTML that needs no other file."""

from __future__ import annotations

import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, select_autoescape
from markupsafe import Markup, escape

from load_tests import plots
from load_tests.costs.table import NAMES

from . import tables
from .conclusions import paragraphs
from .result import Result
from .summary import BASE, Summary

HERE = Path(__file__).resolve().parent


def page(result: Result, found: dict[int, Summary], pictures: dict[str, Path]) -> str:
    """Return the page.

    Args:
        result: the comparison.
        found: its figures.
        pictures: what each shows, and its PNG file.
    """
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=select_autoescape()
    )
    return environment.get_template("report.html").render(
        result=result,
        stages=[f"{stage} {NAMES[stage]}" for stage in found],
        conclusions=[_with_code(words) for words in paragraphs(result, found)],
        pictures={name: plots.data_uri(file) for name, file in pictures.items()},
        figures=tables.rows(found),
        ratios=tables.ratios(found) if BASE in found and len(found) > 1 else [],
        kinds=tables.kinds(result, found),
        memory_head=tables.MEMORY,
        memory={
            f"{stage} {NAMES[stage]}": list(tables.memory(result, stage))
            for stage in found
        },
        errors={
            f"{stage} {NAMES[stage]}": _errors(result, stage)
            for stage in found
            if found[stage].errors
        },
    )


def _with_code(words: str) -> Markup:
    """Escape words, and set what is in backticks as code."""
    told = re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(words)))
    return Markup(told)  # noqa: S704 (escaped in the line above)


def _errors(result: Result, stage: int) -> dict[str, int]:
    found: dict[str, int] = {}
    for turn in result.stages[stage].turns:
        for what, count in turn.errors.items():
            found[what] = found.get(what, 0) + count
    return found
