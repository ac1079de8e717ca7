"""What the pages say is there, is there."""

import re

import pytest

from tests.meta.carried_over import REPOSITORY
from tests.meta.pages import name_of, tracked

PAGES = tracked("*.md")
TARGETS = set(
    re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
)


def unknown_targets(text: str) -> list[str]:
    told = re.findall(r"\bmake ([a-z][a-z-]+)", _code(text))
    return [target for target in told if target not in TARGETS]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_is_in_the_makefile(page):
    assert unknown_targets(page.read_text()) == []


def test_a_target_that_is_not_there_is_found():
    assert unknown_targets("`make run-stage`, then\n```sh\nmake coffee\n```") == [
        "coffee"
    ]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_module_that_a_stage_names_exists(page):
    for module in re.findall(r"`(concierge/[a-z_/.]+)`", page.read_text()):
        assert (page.parent / module).exists(), module


def test_every_target_has_its_help_beside_it():
    described = re.findall(
        r"^([a-z-]+):.*## ", (REPOSITORY / "Makefile").read_text(), re.MULTILINE
    )
    assert set(described) == TARGETS


def test_the_project_stands_alone():
    for file in tracked("*.py", "*.md", "*.js", "*.html", "Makefile", "*.toml"):
        assert "/".join(("..", "shared")) not in file.read_text(), file


def _code(text: str) -> str:
    return "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL))
