"""The course says what is true: its listings, links, commands, variables and words."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys

import pytest

from course import commands as command_page
from course import reference
from course.hosts import foreign
from tests.lessons import make, matches, play
from tests.meta import commands, pages, printed
from tests.meta.carried_over import REPOSITORY, STAGES
from tests.meta.pages import DOCS, LESSONS, Fence, name_of

PAGES = pages.tracked("*.md")
COURSE = [page for page in PAGES if DOCS in page.parents]
TYPED = commands.in_lessons()
# A page of every command there is, told without what one would add.
LISTS = {DOCS / "reference" / "commands.md"}
HEADINGS = [
    "What hurts",
    "What changes",
    "Read",
    "Run",
    "See",
    "What it cost",
    "The lecture's claims, and where you saw them",
    "To think about",
]
SHORT_COMMANDS = ("help", "intents", "diff FROM=1 TO=2", "diff FROM=2 TO=3 ALL=yes")
# Words that a dictionary of misspellings takes for one.
RIGHT_WORDS = "ans,hel,simpy"

every_page = pytest.mark.parametrize("page", PAGES, ids=name_of)
every_page_of_the_course = pytest.mark.parametrize("page", COURSE, ids=name_of)
every_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=name_of)


def read(path):
    return path.read_text(encoding="utf-8")


# Listings, differences and trees


@every_page_of_the_course
def test_what_a_page_prints_is_in_the_source_that_it_names(page):
    if page != DOCS / "reference" / "understanding.md":
        for fence in pages.fences(read(page)):
            assert list(printed.complaints(fence)) == []


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "old.py").write_text("a = 1\nb = 2\nc = 3\n")
    (tmp_path / "shop" / "new.py").write_text("a = 1\nb = 4\nc = 3\n")
    return tmp_path


DIFF = " a = 1\n-b = 2\n+b = 4\n"


@pytest.mark.parametrize(
    ("fence", "is_right"),
    [
        (Fence("python", "shop/old.py", "b = 2\nc = 3\n"), True),
        (Fence("python", "shop/old.py", "a = 1\n…\nc = 3\n"), True),
        (Fence("python", "shop/old.py", "b = 3\n"), False),
        (Fence("python", "shop/old.py", "c = 3\n…\na = 1\n"), False),
        (Fence("python", "shop/gone.py", "b = 2\n"), False),
        (Fence("python", "", "b = 2\n"), False),
        (Fence("diff", "shop/old.py → shop/new.py", DIFF), True),
        (Fence("diff", "shop/new.py → shop/old.py", DIFF), False),
        (Fence("diff", "shop/old.py → shop/new.py", DIFF + "+d = 5\n"), False),
        (Fence("diff", "shop/old.py", DIFF), False),
        (Fence("text", "./", "shop/\n  old.py\n  new.py  # later\n"), True),
        (Fence("text", "./", "shop/\n  older.py\n"), False),
        (Fence("text", "./", "shop\n"), False),
    ],
)
def test_a_listing_that_drifted_is_found(fence, is_right, tree):
    assert (list(printed.complaints(fence, tree)) == []) == is_right


# Links


@every_page
def test_every_link_and_anchor_leads_somewhere(page):
    assert list(pages.dead_links(page, read(page))) == []


@pytest.mark.parametrize(
    ("link", "is_right"),
    [
        ("index.md", True),
        ("index.md#where-to-begin", True),
        ("#here-it-is", True),
        ("gone.md", False),
        ("index.md#where-to-end", False),
        ("#here-it-was", False),
    ],
)
def test_a_dead_link_is_found(link, is_right):
    text = f"# Here it is\n\nSee [this]({link}).\n"
    dead = list(pages.dead_links(DOCS / "new.md", text))
    assert (dead == []) == is_right


@pytest.mark.parametrize(
    ("html", "is_right"),
    [
        ('<script src="assets/mermaid.js"></script>', True),
        ('<a href="https://example.org/">there</a>', True),
        ('<script src="https://example.org/mermaid.js"></script>', False),
        ('<link rel="stylesheet" href="//example.org/fonts.css">', False),
        ('<img src="http://example.org/seen.gif">', False),
    ],
)
def test_a_page_that_would_ask_another_host_is_found(html, is_right):
    assert (list(foreign(html)) == []) == is_right


# Commands


@every_page
def test_every_command_is_run_by_a_test_or_excused(page):
    if page not in LISTS:
        assert list(commands.unlisted(read(page), TYPED)) == []


@pytest.mark.parametrize(
    "text",
    [
        "```sh\nmake something-new\n```\n",
        "```\ncurl localhost:8100/new\n```\n",
        "Then `make deploy STAGE=5`.\n",
        "`FAST=yes make run-stage STAGE=7`",
    ],
)
def test_a_command_that_nobody_runs_is_found(text):
    assert list(commands.unlisted(text, TYPED)) != []


@pytest.mark.parametrize("rule", commands.RUN, ids=lambda rule: rule.pattern)
def test_what_is_said_to_run_a_command_does(rule):
    assert commands.says(rule.file, rule.words)


@pytest.mark.parametrize("rule", commands.EXCUSED, ids=lambda rule: rule.pattern)
def test_a_command_is_excused_for_a_listed_reason(rule):
    assert rule.reason in commands.REASONS


def test_no_row_of_the_tables_is_left_over():
    told = {line for page in PAGES for line in pages.commands(read(page))}
    for rule in (*commands.RUN, *commands.EXCUSED):
        assert any(re.fullmatch(rule.pattern, line) for line in told), rule.pattern


@pytest.mark.parametrize("command", SHORT_COMMANDS)
def test_a_short_command_works(command):
    assert "help" in _made("help") if command == "help" else _made(command)


@pytest.mark.parametrize("page", pages.WITHOUT_STAGE, ids=name_of)
def test_what_is_typed_without_a_stage_prints_what_its_page_says(page):
    for step, out in play(page, {}):
        if step.expected:
            assert matches(step.expected, out), f"{step.commands} printed\n{out}"


@pytest.mark.parametrize(
    ("out", "is_right"),
    [
        ("Ready.\n200 after 0.1 s\n", True),
        ("200 after 3 s\n", True),
        ("503 after 0.1 s\n", False),
    ],
)
def test_an_output_that_drifted_is_found(out, is_right):
    assert matches("200 after … s\n", out) == is_right


# Targets, variables and generated pages


@pytest.mark.parametrize("path", reference.pages(), ids=name_of)
def test_what_is_made_from_sources_is_up_to_date(path):
    assert read(path) == reference.pages()[path], "Run `make reference`."


def test_the_makefile_prints_the_same_with_every_shell():
    # What `echo` makes of a backslash differs between dash and bash.
    lines = read(REPOSITORY / "Makefile").splitlines()
    assert not [line for line in lines if re.search(r'echo "[^"]*\\[^$"]', line)]


def test_the_page_of_commands_has_every_target():
    makefile = read(REPOSITORY / "Makefile")
    named = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    listed = re.findall(r"^\| `make ([a-z-]+)` \|", read(next(iter(LISTS))), re.M)
    assert set(listed) == named


def test_every_variable_that_the_makefile_reads_is_explained():
    makefile = read(REPOSITORY / "Makefile")
    makes_own = {"CURDIR", "MAKE", "MAKEFILE_LIST", "NAMED", "PYTHON", "PYTHONPATH"}
    internal = set(re.findall(r"^([A-Z_]+) :?= ", makefile, re.MULTILINE)) | makes_own
    names = set(re.findall(r"\$\((?:if \$\()?([A-Z_]+)[):]", makefile)) - internal
    assert names <= command_page.VARIABLES.keys()
    assert {"SERVICE", "STAGE", "DATA"} <= names


def test_every_variable_of_the_page_says_what_holds_without_it():
    _, _, table = read(next(iter(LISTS))).partition("## Variables")
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.+?) \| (.*) \|$", table, re.MULTILINE)
    assert {name for name, _, _ in rows} == command_page.VARIABLES.keys()
    assert [name for name, *told in rows if not all(map(str.strip, told))] == []


def said_by(file, flag):
    """Return the default of an option, as the source of its command has it."""
    module = ast.parse(read(REPOSITORY / file))
    constants = {
        ast.unparse(line.targets[0]): line.value
        for line in module.body
        if isinstance(line, ast.Assign)
    }
    for call in ast.walk(module):
        if isinstance(call, ast.Call) and ast.unparse(call).startswith(
            f"parser.add_argument({flag!r}"
        ):
            told = {at.arg: at.value for at in call.keywords}["default"]
            found = ast.literal_eval(constants.get(ast.unparse(told), told))
            return found if isinstance(found, str) else f"{found:.8g}"
    raise AssertionError(f"{file} has no {flag}")


@pytest.mark.parametrize(
    ("variable", "file", "flag"),
    [
        ("ARRIVALS", "load_tests/open_loop/__main__.py", "--arrivals"),
        ("COGNITO", "load_tests/costs/__main__.py", "--cognito"),
        ("PROCESSES", "load_tests/journeys/__main__.py", "--processes"),
        ("RATE", "load_tests/open_loop/__main__.py", "--rate"),
        ("SECONDS", "load_tests/open_loop/__main__.py", "--seconds"),
        ("SEED", "load_tests/open_loop/__main__.py", "--seed"),
        ("SHAPE", "load_tests/journeys/__main__.py", "--shape"),
        ("SIGN_UP", "load_tests/journeys/__main__.py", "--sign-up"),
        ("STRIPE_MS", "load_tests/limits/__main__.py", "--stripe-ms"),
        ("THINK", "load_tests/journeys/__main__.py", "--think"),
        ("USERS", "load_tests/compare/__main__.py", "--guests"),
        ("USERS", "load_tests/journeys/__main__.py", "--users"),
    ],
)
def test_the_page_of_commands_has_the_default_that_a_command_has(variable, file, flag):
    assert f"`{said_by(file, flag)}`" in command_page.VARIABLES[variable][1]


def test_a_new_target_or_variable_changes_the_page_of_commands():
    makefile = read(REPOSITORY / "Makefile")
    before = command_page.page(makefile)
    new = 'greet: ## Say hello to one SERVICE\n\t@echo "$(SERVICE)"\n\nhelp:'
    after = command_page.page(makefile.replace("help:", new, 1))
    assert after != before
    assert "| `make greet` | Say hello to one SERVICE | `SERVICE` |" in after


def unknown_variables(text):
    """Return the variables that a page sets and that no page explains."""
    settings = read(DOCS / "reference" / "configuration.md")
    explained = set(re.findall(r"^\| `([A-Z_]+)` \|", settings, re.MULTILINE))
    known = explained | command_page.VARIABLES.keys()
    for command in pages.commands(text):
        for name in re.findall(r"\b([A-Z][A-Z_]+)=", command):
            if name not in known:
                yield name


@every_page
def test_every_variable_in_a_command_is_explained(page):
    assert list(unknown_variables(read(page))) == []


def test_a_variable_that_is_not_explained_is_found():
    assert list(unknown_variables("`SPEED=high make test`")) == ["SPEED"]


def test_the_page_of_the_stripe_sandbox_has_every_fault_card_and_operation():
    from sandbox.stripe.cards import CARDS
    from sandbox.stripe.faults import Settings
    from sandbox.stripe.gateway import OPERATIONS

    for page in (
        DOCS / "reference" / "stripe-sandbox.md",
        REPOSITORY / "sandbox" / "stripe" / "README.md",
    ):
        for name in (*Settings.__struct_fields__, *CARDS, *OPERATIONS):
            assert re.search(rf"\b{name}\b", read(page)), (name, page)


# Lessons


def ordered(names):
    """Tell what is wrong with the order of lessons, by the names of their files."""
    for place, name in enumerate(names, start=1):
        if not name.startswith(f"{place}-"):
            yield f"{name} is not number {place}"


def test_lessons_come_in_the_order_of_the_stages():
    names = [lesson.name for lesson in LESSONS]
    assert list(ordered(names)) == []
    # One for each stage, and one that compares them.
    assert len(names) <= len(STAGES) + 1
    listed = re.findall(r"tutorial/(\S+\.md)", read(REPOSITORY / "mkdocs.yml"))
    assert listed == names
    assert re.findall(r"tutorial/(\S+?\.md)", read(DOCS / "index.md")) == names


@pytest.mark.parametrize("names", [["2-b.md", "3-c.md"], ["1-a.md", "3-c.md"]])
def test_a_lesson_that_is_missing_is_found(names):
    assert list(ordered(names)) != []


def shape(text, number):
    """Tell what a lesson lacks.

    Args:
        text: the lesson.
        number: its own.
    """
    found = re.findall(r"^## (.+)$", pages.without_fences(text), re.MULTILINE)
    if found != HEADINGS:
        yield f"its headings are {found}"
    if not re.search(r"^\*About \d+ minutes", text, re.MULTILINE):
        yield "it has no estimate of its time"
    is_of_a_stage = number <= len(STAGES)
    if is_of_a_stage and f"make run-stage STAGE={number}\n" not in text:
        yield "it does not start its stage"
    if number > 1 and f"[lesson {number - 1}]" not in text:
        yield "it does not begin with what hurt in the one before"


@every_lesson
def test_a_lesson_has_all_its_parts_in_order(lesson):
    assert list(shape(read(lesson), int(lesson.name[0]))) == []


@every_lesson
def test_a_lesson_leads_to_the_next(lesson):
    following = LESSONS[LESSONS.index(lesson) + 1 :]
    for after in following[:1]:
        last = read(lesson).strip().splitlines()[-1]
        assert last.startswith("Next: ")
        assert f"({after.name})" in last


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("## Read\n", "## Reading\n"),
        ("*About ", "*Some "),
        ("STAGE=2\n", "STAGE=1\n"),
        ("[lesson 1]", "[the one before]"),
    ],
)
def test_a_lesson_that_lost_a_part_is_found(good, bad):
    text = read(LESSONS[1])
    assert good in text
    assert list(shape(text.replace(good, bad), 2)) != []


# Spelling


def misspelt(*paths):
    """Return what codespell complains of."""
    done = subprocess.run(
        [sys.executable, "-m", "codespell_lib", "-L", RIGHT_WORDS, *map(str, paths)],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
    )
    assert done.stderr == ""
    return done.stdout


def test_the_pages_are_spelt_right():
    assert misspelt(*PAGES, *pages.tracked("Makefile", "*.yml")) == ""


def test_a_misspelt_word_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("All was " + "recieved" + ".\n")
    assert "received" in misspelt(page)


def _made(command):
    done = subprocess.run(
        ["bash", "-c", f"{make()}\nmake {command}"],
        cwd=REPOSITORY,
        env=os.environ | {"MAKEFLAGS": ""},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
