"""Write the pages of the reference that are made from sources: `make reference`."""

from __future__ import annotations

from pathlib import Path

from . import commands, contract, costs, data_models, messages

REPOSITORY = Path(__file__).resolve().parents[1]
REFERENCE = REPOSITORY / "docs" / "reference"


def pages() -> dict[Path, str]:
    """Return each page that is made, and what must be in it."""
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    return {
        REFERENCE / "commands.md": commands.page(makefile),
        REFERENCE / "contract.md": contract.page(),
        REFERENCE / "costs.md": costs.costs(),
        REFERENCE / "limits.md": costs.limits(),
        REFERENCE / "data-models.md": data_models.page(),
        REFERENCE / "messages.md": messages.page(),
    }


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(REPOSITORY))
