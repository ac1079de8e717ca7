"""A browser, and a guest in it. The lead fixture `stage` runs the stage."""

import os
import shutil
import uuid

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.conftest import BY_BEARER

from .guest import Guest

# Cognito comes with stage 3. What compares signers needs no stage and is there always.
collect_ignore = ["test_cognito.py"] if BY_BEARER else []

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
# A browser under test asks no one but the stage: no updates, no background requests.
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 30_000  # milliseconds; a bound, nothing is asserted about time
DESKTOP = {"width": 1280, "height": 800}

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def browser():
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        message = (
            "There is no Chromium on this machine, so the page is not tried in a "
            f"browser. Install one of: {', '.join(CHROMIUM)}."
        )
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture
def viewport():
    return DESKTOP


@pytest.fixture
def page(browser: Browser, viewport):
    """A page in a browser context of its own, which must stay free of script errors."""
    context = browser.new_context(viewport=viewport)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(f"script error: {error}"))
    page.on(
        "console",
        lambda line: (
            wrong.append(line.text) if "Content Security Policy" in line.text else None
        ),
    )
    yield page
    context.close()
    assert wrong == []


@pytest.fixture
def guest(stage, page: Page) -> Guest:
    """A guest who has just signed up and sees the chat."""
    guest = Guest(stage, page, email=f"guest-{uuid.uuid4().hex[:12]}@example.com")
    guest.sign_up()
    return guest
