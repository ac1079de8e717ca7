"""The page keeps its promises: text stays text, nothing inline, no foreign code."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

FRONTEND = Path(__file__).parents[2] / "frontend"
SOURCES = sorted(
    path
    for path in FRONTEND.rglob("*")
    if path.suffix in {".html", ".css", ".js"} or path.parent == FRONTEND / "art"
)
SCRIPTS = [path for path in SOURCES if path.suffix == ".js"]
PAGES = [path for path in SOURCES if path.suffix == ".html"]
SERVED_BY_STAGE = {
    "docs/assets/swagger-ui.css",
    "docs/assets/swagger-ui-bundle.js",
    "openapi.yaml",
}
SINKS = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|setHTML|document\.write|DOMParser"
    r"|createContextualFragment|\beval\b|new Function|srcdoc|\.style\b"
    r"|setTimeout\(\s*['\"`]"
)
NAMESPACE = 'xmlns="http://www.w3.org/2000/svg"'  # a name, which nothing loads


def named(path: Path) -> str:
    return path.relative_to(FRONTEND).as_posix()


class Page(HTMLParser):
    """Notes each start tag, and what is inside script and style elements."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.inline = ""
        self._inside = ""
        self.feed(path.read_text())

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self._inside = tag

    def handle_endtag(self, tag):
        self._inside = ""

    def handle_data(self, data):
        if self._inside in {"script", "style"}:
            self.inline += data.strip()


def test_there_is_a_page_to_check():
    assert {named(page) for page in PAGES} == {
        "index.html",
        "chat.html",
        "orders.html",
        "docs/index.html",
    }
    assert SCRIPTS


@pytest.mark.parametrize("path", SCRIPTS, ids=named)
def test_no_script_turns_text_into_markup_or_code(path):
    assert SINKS.findall(path.read_text()) == []


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_nothing_refers_to_another_host(path):
    text = path.read_text().replace(NAMESPACE, "")
    assert re.findall(r"https?://\S+|[\"'(]//\w\S*", text) == []


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_nothing_is_inline(path):
    page = Page(path)
    assert page.inline == ""
    for tag, attributes in page.tags:
        assert tag != "style"
        assert not [name for name in attributes if name.startswith("on")]
        assert "style" not in attributes
        assert "javascript:" not in " ".join(attributes.values())


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_what_a_page_refers_to_is_a_file_of_the_site(path):
    for tag, attributes in Page(path).tags:
        target = attributes.get("src") or attributes.get("href") or ""
        if not target or target.startswith("#"):
            continue
        assert not target.startswith("/"), f"{tag}: a site may be mounted anywhere"
        file = (path.parent / target.split("#")[0]).resolve()
        inside = file.relative_to(FRONTEND).as_posix()
        assert file.is_file() or inside in SERVED_BY_STAGE, target


@pytest.mark.parametrize("path", SCRIPTS, ids=named)
def test_what_a_script_imports_is_a_file_of_the_site(path):
    for target in re.findall(r'from "([^"]+)"', path.read_text()):
        assert (path.parent / target).is_file(), target


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_every_page_has_a_policy_an_icon_a_title_and_a_language(path):
    page = Page(path)
    metas = [attributes for tag, attributes in page.tags if tag == "meta"]
    policies = [meta["content"] for meta in metas if "http-equiv" in meta]
    assert len(policies) == 1
    assert "default-src 'none'; script-src 'self'" in policies[0]
    assert "connect-src 'self';" in policies[0], "whoever uploads it adds hosts there"
    assert "unsafe" not in policies[0]
    links = [attributes for tag, attributes in page.tags if tag == "link"]
    assert [link for link in links if link.get("rel") == "icon"]
    assert ("html", {"lang": "en"}) in page.tags
    assert "title" in {tag for tag, _ in page.tags}


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_every_field_has_a_label_and_every_picture_a_text(path):
    tags = Page(path).tags
    labelled = {attributes.get("for") for tag, attributes in tags if tag == "label"}
    for tag, attributes in tags:
        if (
            tag in {"input", "select", "textarea"}
            and attributes.get("type") != "hidden"
        ):
            assert attributes["id"] in labelled
        if tag == "img":
            assert {"alt", "width", "height"} <= attributes.keys()
