"""The page's own part in Cognito: codes, credentials that end, wrong clocks."""

import datetime as dt
import uuid
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from tests.cognito import Pools

from .guest import PASSWORD, Guest
from .test_page import PHONE, assert_fits


@pytest.fixture
def newcomer(stage, page: Page) -> Guest:
    """Somebody who was just asked for the code in the mail."""
    guest = Guest(stage, page, email=f"guest-{uuid.uuid4().hex[:12]}@example.com")
    guest.open("index.html")
    guest._enter("Sign up", "Create account")
    expect(guest.confirming).to_be_visible()
    return guest


def sees_chat(guest: Guest) -> None:
    guest.page.wait_for_url("**/chat.html")
    expect(guest.box).to_be_visible()


def sees_orders(guest: Guest) -> None:
    guest.open("orders.html")
    expect(guest.page.get_by_text("Nothing ordered yet.")).to_be_visible()


# -------------------------------------------------------------------- the code


def test_a_wrong_code_is_told_and_a_new_one_is_mailed(newcomer: Guest):
    form = newcomer.confirming
    wrong = "000000" if newcomer.code() != "000000" else "111111"
    newcomer.confirm(wrong)
    expect(form.get_by_role("alert")).to_contain_text("not the code in our mail")
    expect(form.get_by_label("Code from the mail")).to_be_focused()
    form.get_by_role("button", name="Send a new code").click()
    expect(form.get_by_role("status")).to_contain_text("on its way")
    assert len(newcomer.mailbox.all_of(newcomer.email)) == 2
    newcomer.confirm(newcomer.code())
    sees_chat(newcomer)


def test_who_left_before_the_code_is_asked_for_it_at_sign_in(newcomer: Guest):
    newcomer.page.reload()
    newcomer.page.get_by_role("link", name="Sign in").click()
    newcomer.sign_in()
    expect(newcomer.confirming).to_contain_text(newcomer.email)
    newcomer.confirm(" ".join(newcomer.code()))
    sees_chat(newcomer)


def test_another_address_can_be_used_instead(newcomer: Guest):
    newcomer.confirming.get_by_role("button", name="Use another address").click()
    expect(newcomer.confirming).to_be_hidden()
    expect(newcomer.page.get_by_role("form", name="Sign up")).to_be_visible()


def test_the_code_needs_only_the_keyboard(newcomer: Guest):
    expect(newcomer.confirming.get_by_label("Code from the mail")).to_be_focused()
    newcomer.page.keyboard.type(newcomer.code())
    newcomer.page.keyboard.press("Enter")
    sees_chat(newcomer)


@pytest.mark.parametrize("viewport", [PHONE])
def test_a_phone_shows_the_step_without_sideways_scrolling(newcomer: Guest, viewport):
    expect(newcomer.confirming).to_be_visible()
    assert_fits(newcomer.page)


REFUSALS = {
    "ExpiredCodeException": "That code is too old.",
    "LimitExceededException": "Too many attempts.",
    "CodeDeliveryFailureException": "could not be sent",
    "SomethingNewException": "What AWS says",
}


@pytest.mark.parametrize(("name", "words"), REFUSALS.items())
def test_what_cognito_refuses_is_told_in_words(newcomer: Guest, name, words):
    refuse_next(newcomer, name, "What AWS says")
    newcomer.confirm("123123")
    expect(newcomer.confirming.get_by_role("alert")).to_contain_text(words)


def test_a_weak_password_is_told_with_the_rules_it_breaks(newcomer: Guest):
    newcomer.page.reload()
    refuse_next(
        newcomer,
        "InvalidPasswordException",
        "Password did not conform with policy: Password must have symbol characters",
    )
    newcomer._enter("Sign up", "Create account")
    form = newcomer.page.get_by_role("form", name="Sign up")
    expect(form.get_by_role("alert")).to_have_text(
        "Choose another password. It must have symbol characters."
    )


def refuse_next(guest: Guest, name: str, message: str) -> None:
    """Have Cognito's next answer be a refusal."""

    def refuse(route: Route) -> None:
        route.fulfill(status=400, json={"__type": name, "message": message})

    guest.page.route(f"{guest.stage.aws_endpoint_url}/", refuse, times=1)


# -------------------------------------------------------------------- credentials


def test_credentials_are_renewed_before_they_end(guest: Guest):
    before = guest.session.auth().credentials.access_key
    guest.session.run_out()
    sees_orders(guest)
    assert guest.session.auth().credentials.access_key != before


DAMAGES = {
    "another-secret": "kept.credentials.secretKey = 'x'",
    "no-session": "kept.credentials.sessionToken = ''",
    "a-clock-that-was-set": "kept.clockAhead += 3600e3",
}


@pytest.mark.parametrize("script", DAMAGES.values(), ids=DAMAGES)
def test_refused_credentials_are_renewed_once(guest: Guest, script):
    answers: list[int] = []
    guest.session.change(script)
    guest.page.on(
        "response",
        lambda answer: (
            answers.append(answer.status) if "/orders?" in answer.url else None
        ),
    )
    sees_orders(guest)
    assert answers == [403, 200]


@pytest.mark.parametrize("hours", [-2, 2])
def test_a_device_with_a_wrong_clock_can_buy(stage, page: Page, hours):
    page.clock.install(
        time=dt.datetime.now(dt.timezone.utc) + dt.timedelta(hours=hours)
    )
    guest = Guest(stage, page, email=f"guest-{uuid.uuid4().hex[:12]}@example.com")
    guest.sign_up()
    sees_orders(guest)


def test_the_password_is_not_kept(guest: Guest):
    kept = guest.page.evaluate("JSON.stringify([sessionStorage, localStorage])")
    assert PASSWORD not in kept
    assert "localStorage" not in kept


# -------------------------------------------------------------------- from elsewhere


def test_no_other_provider_is_offered_unless_the_stage_has_one(stage, page: Page):
    Guest(stage, page, email="").open("index.html")
    expect(page.get_by_role("form", name="Sign up")).to_be_visible()
    expect(page.get_by_role("button", name="Continue with")).to_have_count(0)


@pytest.fixture
def with_facebook(stage, page: Page):
    """A page that is told of Facebook; answers where it was sent, as it was asked."""
    pages = f"{stage.aws_endpoint_url}/pages"
    config = page.goto(f"{stage.site_url}/config.json").json()
    config["facebook_sign_in_url"] = pages
    page.route("**/config.json", lambda route: route.fulfill(json=config))
    asked: dict[str, dict[str, list[str]]] = {}

    def authorize(route: Route) -> None:
        asked["authorize"] = query = parse_qs(urlsplit(route.request.url).query)
        back = f"{query['redirect_uri'][0]}?code=a-code&state={query['state'][0]}"
        route.fulfill(status=302, headers={"Location": back})

    def exchange(route: Route) -> None:
        asked["token"] = parse_qs(route.request.post_data or "")
        pools = Pools.of(stage)
        email = f"guest-{uuid.uuid4().hex[:12]}@example.com"
        pools.sign_up(email, PASSWORD)
        tokens = pools.sign_in(email, PASSWORD)
        names = {"id_token": "IdToken", "refresh_token": "RefreshToken"}
        route.fulfill(json={ours: tokens[theirs] for ours, theirs in names.items()})

    page.route(f"{pages}/oauth2/authorize?*", authorize)
    page.route(f"{pages}/oauth2/token", exchange)
    return asked


def test_a_guest_comes_in_by_facebook(stage, page: Page, with_facebook):
    guest = Guest(stage, page, email="")
    guest.open("index.html")
    page.get_by_role("button", name="Continue with Facebook").click()
    sees_chat(guest)
    assert with_facebook["authorize"]["identity_provider"] == ["Facebook"]
    assert with_facebook["authorize"]["code_challenge_method"] == ["S256"]
    assert with_facebook["token"]["code"] == ["a-code"]
    assert len(with_facebook["token"]["code_verifier"][0]) == 43
    sees_orders(guest)


@pytest.mark.parametrize("brought", ["?code=a-code&state=another", "?state=x&error=no"])
def test_a_way_back_that_was_not_begun_here_signs_nobody_in(
    stage, page: Page, with_facebook, brought
):
    Guest(stage, page, email="").open(f"index.html{brought}")
    expect(page.get_by_text("That sign-in did not work.")).to_be_visible()
    assert "token" not in with_facebook
    assert page.url.endswith("/index.html")
