"""What the site adds to the pages: the sources they lead to, diagrams, Swagger UI.

A page in `docs/` links to a source as it would on a code host, by a relative path. On
the site that source is a page of its own, so nothing leads to another host.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

from course import contract
from course.hosts import foreign

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

REPOSITORY = Path(__file__).resolve().parents[1]
DOCS = "docs"
SOURCES = "source"
LINK = re.compile(r"(\]\()([^)\s#]+)((?:#[^)]*)?\))")
SWAGGER = REPOSITORY / "course" / "swagger"
BROWSER = REPOSITORY / "course" / "browser"
FENCE = re.compile(r"^(```+|~~~+).*?^\1[ \t]*$", re.MULTILINE | re.DOTALL)
PICTURES = {".png", ".svg"}
LANGUAGES = {
    ".py": "python",
    ".js": "javascript",
    ".json": "json",
    ".yaml": "yaml",
    ".toml": "toml",
    ".html": "html",
    ".template": "nginx",
}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for each source that a page leads to, and the drawer of diagrams."""
    waiting = [f"{DOCS}/{file.src_uri}" for file in files.documentation_pages()]
    seen = set(waiting)
    while waiting:
        page = waiting.pop()
        for target in _targets(page):
            if target not in seen and not _is_inside(target):
                seen.add(target)
                files.append(_shown(target, config))
                if target.endswith(".md"):
                    waiting.append(target)
    for uri, path in _assets():
        files.append(File.generated(config, uri, abs_src_path=str(path)))
    files.append(
        File.generated(config, "swagger/contract.js", content=contract.script())
    )
    return files


def on_page_markdown(
    markdown: str, page: Page, config: MkDocsConfig, files: Files
) -> str:
    """Lead the links of a page to where their targets are on the site."""
    here = page.file.src_uri
    at = here.removeprefix(f"{SOURCES}/") if _is_source(here) else f"{DOCS}/{here}"

    def led(found: re.Match[str]) -> str:
        target = resolved(at, found[2])
        if target is None:
            return found[0]
        way = posixpath.relpath(uri_of(target), posixpath.dirname(here) or ".")
        return found[1] + way + found[3]

    return outside_fences(markdown, lambda text: LINK.sub(led, text))


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Let no page out that would make a browser ask another host."""
    asked = list(foreign(output))
    if asked:
        raise PluginError(f"{page.file.src_uri} would load {', '.join(asked)}.")
    here = posixpath.dirname(page.file.dest_uri) or "."
    script = f'<script src="{posixpath.relpath("assets/folder.js", here)}"></script>'
    return output.replace("</head>", f"{script}</head>", 1)


def on_post_build(config: MkDocsConfig) -> None:
    """Write the search's index as a script: a page from a folder may fetch nothing."""
    folder = Path(config.site_dir) / "search"
    index = (folder / "search_index.json").read_text(encoding="utf-8")
    # Versions of the theme call it by one name or the other.
    script = f"var __index = {index}\nvar __search = __index\n"
    (folder / "search_index.js").write_text(script, encoding="utf-8")


def outside_fences(markdown: str, change: Callable[[str], str]) -> str:
    """Change a text, but for its listings."""
    parts, at = [], 0
    for fence in FENCE.finditer(markdown):
        parts += [change(markdown[at : fence.start()]), fence[0]]
        at = fence.end()
    return "".join([*parts, change(markdown[at:])])


def resolved(page: str, link: str) -> str | None:
    """Return where a link leads to, from the repository's root; None for an address.

    Args:
        page: where it stands, from the repository's root.
        link: as it is written, without its anchor.
    """
    if "://" in link or link.startswith("mailto:"):
        return None
    return posixpath.normpath(posixpath.join(posixpath.dirname(page), link))


def uri_of(target: str) -> str:
    """Return where a file or a folder of the repository is on the site."""
    if _is_inside(target):
        return target.removeprefix(f"{DOCS}/")
    if Path(target).suffix in PICTURES | {".md"}:
        return f"{SOURCES}/{target}"
    name = f"{target}/index" if (REPOSITORY / target).is_dir() else target
    return f"{SOURCES}/{name}.md"


def content_of(target: str) -> str:
    """Return the page that shows a file or a folder."""
    path = REPOSITORY / target
    if path.is_dir():
        names = sorted(
            child.name + "/" * child.is_dir()
            for child in path.iterdir()
            if not child.name.startswith(("__pycache__", ".run"))
        )
        return f"# {target}/\n\n" + "".join(f"* `{name}`\n" for name in names)
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return text
    return f"# {target}\n\n~~~~{LANGUAGES.get(path.suffix, 'text')}\n{text}\n~~~~\n"


def _shown(target: str, config: MkDocsConfig) -> File:
    path, uri = REPOSITORY / target, uri_of(target)
    if path.suffix in PICTURES:
        return File.generated(config, uri, abs_src_path=str(path))
    return File.generated(config, uri, content=content_of(target))


def _targets(page: str) -> Iterator[str]:
    text = FENCE.sub("", (REPOSITORY / page).read_text(encoding="utf-8"))
    for _, link, _ in LINK.findall(text):
        target = resolved(page, link)
        if target is not None and os.path.exists(REPOSITORY / target):
            yield target


def _is_inside(target: str) -> bool:
    return target.startswith(f"{DOCS}/")


def _is_source(uri: str) -> bool:
    return uri.startswith(f"{SOURCES}/")


def _assets() -> Iterator[tuple[str, Path]]:
    """Return what browsers need, and where it is: ours, and of packages of PyPI."""
    yield "assets/mermaid.js", _package("mermaidx") / "assets" / "mermaid.js"
    for name in ("folder.js", "swagger.js"):
        yield f"assets/{name}", BROWSER / name
    for name in ("index.html", "show.js"):
        yield f"swagger/{name}", SWAGGER / name
    for name in ("swagger-ui.css", "swagger-ui-bundle.js"):
        yield f"swagger/{name}", _package("flask_swagger_ui") / "dist" / name


def _package(name: str) -> Path:
    found = find_spec(name)
    if found is None or found.origin is None:
        raise FileNotFoundError(f"{name} is not installed: use `make docs`.")
    return Path(found.origin).parent
