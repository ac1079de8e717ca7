"""The page in a real browser, against a running stage."""

import re

import pytest
from playwright.sync_api import Page, Response, Route, expect

from tests.contract.outside import Ledger, until

from .guest import ADDRESS, Guest
from .markup import PAYLOADS

CARD_FAULTS = {
    "Declined card": "declined",
    "Insufficient funds": "declined",
    "Needs authentication": "declined",
}
PHONE = {"width": 360, "height": 640}
LONG_MS = 60_000


@pytest.fixture
def stripe_down(stage):
    """Refuse every call to Stripe; answers a function that ends it."""
    stripe = Ledger(stage.stripe_url)
    with stripe.going_wrong(refuse=True):
        yield stripe.heal


# -------------------------------------------------------------------- buying


def test_a_guest_signs_up_buys_flowers_and_gets_mail(guest: Guest):
    guest.ask_for_flowers().click()
    guest.fill_checkout()
    guest.pay()
    guest.sees_outcome("Order confirmed")
    order = guest.orders()[0]
    expect(guest.checkout).to_contain_text(order["orderId"])
    guest.checkout.get_by_role("button", name="Done").click()
    expect(guest.log.get_by_text("Confirmed", exact=True)).to_be_visible()
    mail = guest.eventually(guest.mail)
    assert len(mail) == 1
    assert order["orderId"] in mail[0]["subject"] + mail[0]["text"]


def test_a_guest_orders_by_talking(guest: Guest):
    guest.ask_for_flowers()
    guest.log.locator(".card button").first.click()
    guest.await_answer()
    guest.answer_until_summary()
    guest.log.get_by_role("button", name="Pay by card").click()
    expect(guest.checkout.get_by_label("Delivery address")).not_to_be_empty()
    guest.pay()
    guest.sees_outcome("Order confirmed")
    guest.checkout.get_by_role("button", name="Done").click()
    expect(guest.log.get_by_role("button", name="Ordered")).to_be_disabled()


@pytest.mark.parametrize(("card", "status"), CARD_FAULTS.items())
def test_a_refused_card_can_be_changed(guest: Guest, card, status):
    guest.ask_for_flowers().click()
    guest.fill_checkout(card=card)
    guest.pay()
    guest.sees_outcome("Card declined")
    assert [order["status"] for order in guest.orders()] == [status]
    guest.checkout.get_by_role("button", name="Use another card").click()
    guest.checkout.get_by_label("Pay with").select_option(label="Mastercard")
    guest.pay()
    guest.sees_outcome("Order confirmed")
    assert [order["status"] for order in guest.orders()] == ["confirmed", status]


def test_what_is_out_of_stock_is_not_sold(guest: Guest):
    scarce = min(guest.products(), key=lambda product: product["stock"])
    guest.is_shown([scarce])
    guest.say("What is left?")
    guest.log.get_by_role("button", name=f"Buy now {scarce['name']}").click()
    guest.fill_checkout(quantity=scarce["stock"] + 1)
    guest.pay()
    guest.sees_outcome(re.compile(r"^(Sold out|Only \d+ left)$"))
    assert all(order["status"] == "failed" for order in guest.orders())


@pytest.mark.synchronous
def test_stripe_down_is_told_and_trying_again_buys_once(guest: Guest, stripe_down):
    guest.ask_for_flowers().click()
    guest.fill_checkout()
    guest.pay()
    again = guest.checkout.get_by_role("button", name="Try again")
    expect(again).to_be_visible()
    expect(guest.checkout_status).to_contain_text("nothing is charged twice")
    stripe_down()
    again.click()
    guest.sees_outcome("Order confirmed")
    assert [order["status"] for order in guest.orders()] == ["confirmed"]
    assert len(guest.eventually(guest.mail)) == 1


def test_a_lost_connection_is_told_and_trying_again_buys_once(guest: Guest):
    guest.ask_for_flowers().click()
    guest.fill_checkout()
    guest.page.route("**/checkout", lose_answer, times=1)
    guest.pay()
    expect(guest.checkout_status).to_contain_text("cannot be reached")
    guest.checkout.get_by_role("button", name="Try again").click()
    guest.sees_outcome("Order confirmed")
    assert len(guest.orders()) == 1


def lose_answer(route: Route) -> None:
    """Let the request reach the stage, and lose what it answers."""
    route.fetch()
    route.abort()


def test_a_reload_in_the_middle_goes_on_with_the_same_purchase(guest: Guest):
    reached: list[str] = []

    def never_answer(route: Route) -> None:
        reached.append(route.request.headers["idempotency-key"])
        route.fetch()

    guest.ask_for_flowers().click()
    guest.fill_checkout()
    guest.page.route("**/checkout", never_answer, times=1)
    guest.pay()
    guest.eventually(guest.orders)
    with guest.page.expect_request("**/checkout") as second:
        guest.page.reload()
    guest.sees_outcome("Order confirmed")
    assert second.value.headers["idempotency-key"] == reached[0]
    assert len(guest.orders()) == 1
    guest.page.reload()
    expect(guest.log.get_by_text("Confirmed", exact=True)).to_be_visible()
    expect(guest.checkout).to_be_hidden()


def test_an_accepted_purchase_is_followed_to_its_end(guest: Guest):
    def accept(route: Route) -> None:
        answer = route.fetch().json()
        answer["order"] |= {"status": "pending", "message": "We are on it."}
        location = f"/v1/orders/{answer['order']['orderId']}"
        route.fulfill(status=202, headers={"Location": location}, json=answer)
        guest.page.route(
            f"**{location}", lambda look: look.fulfill(json=answer["order"]), times=2
        )

    guest.ask_for_flowers().click()
    guest.fill_checkout()
    guest.page.route("**/checkout", accept, times=1)
    guest.pay()
    guest.sees_outcome("Order confirmed")


def test_an_order_that_cannot_be_seen_is_not_bought_again(guest: Guest):
    def refuse(route: Route) -> None:
        route.fulfill(
            status=404, json={"code": 404, "message": "There is no such order."}
        )

    guest.ask_for_flowers().click()
    guest.fill_checkout()
    guest.page.route("**/orders/ord_*", refuse, times=1)
    with guest.page.expect_request("**/checkout") as first:
        guest.pay()
    expect(guest.checkout_status).to_contain_text("There is no such order.")
    expect(guest.checkout_status).not_to_contain_text("Nothing was charged")
    with guest.page.expect_request("**/checkout") as second:
        guest.checkout.get_by_role("button", name="Try again").click()
    guest.sees_outcome("Order confirmed")
    keys = {asked.value.headers["idempotency-key"] for asked in (first, second)}
    assert len(keys) == len(guest.orders()) == 1


def test_a_session_that_ends_while_paying_goes_on_after_sign_in(guest: Guest):
    guest.ask_for_flowers().click()
    guest.fill_checkout()
    guest.session.end()
    guest.pay()
    expect(guest.page.get_by_text("Your session has ended.").first).to_be_visible()
    guest.sign_in()
    guest.sees_outcome("Order confirmed")
    assert len(guest.orders()) == 1


@pytest.mark.asynchronous
def test_stripe_down_is_not_noticed_but_in_the_time_it_takes(guest: Guest, stripe_down):
    guest.ask_for_flowers().click()
    guest.fill_checkout()
    pay_until_accepted(guest)
    expect(guest.checkout_status).to_contain_text("the purchase goes on")
    stripe_down()
    confirmed = guest.checkout.get_by_role("heading", name="Order confirmed")
    expect(confirmed).to_be_visible(timeout=LONG_MS)
    assert [order["status"] for order in guest.orders()] == ["confirmed"]
    assert len(guest.eventually(guest.mail)) == 1


@pytest.mark.asynchronous
def test_a_page_that_was_left_loses_nothing(guest: Guest, stripe_down):
    guest.ask_for_flowers().click()
    guest.fill_checkout()
    pay_until_accepted(guest)
    guest.page.goto("about:blank")
    stripe_down()
    guest.page.goto(guest.stage.page_url)

    def ended():
        return [o for o in guest.orders() if o["status"] == "confirmed"]

    assert len(until(ended, "the order is confirmed")) == 1


def pay_until_accepted(guest: Guest) -> None:
    """Pay; on return the stage has the order, and nobody has to wait for its end."""
    with guest.page.expect_response(answers_the_checkout) as accepted:
        guest.pay()
    assert accepted.value.status == 202


def answers_the_checkout(answer: Response) -> bool:
    # A browser asks first whether it may, with a request of its own.
    return answer.url.endswith("/checkout") and answer.request.method == "POST"


@pytest.mark.synchronous
def test_a_closed_checkout_waits_and_can_be_continued(guest: Guest, stripe_down):
    guest.ask_for_flowers().click()
    guest.fill_checkout()
    guest.pay()
    expect(guest.checkout.get_by_role("button", name="Try again")).to_be_visible()
    guest.page.keyboard.press("Escape")
    expect(guest.checkout).to_be_hidden()
    stripe_down()
    guest.page.get_by_role("button", name="Continue").click()
    guest.sees_outcome("Order confirmed")
    assert len(guest.orders()) == 1


def test_a_wrong_field_is_named_and_can_be_corrected(guest: Guest):
    guest.ask_for_flowers().click()
    guest.fill_checkout()
    refusal = {"code": 422, "message": "deliveryDate: it has passed. Choose another."}
    guest.page.route(
        "**/checkout", lambda route: route.fulfill(status=422, json=refusal), times=1
    )
    guest.pay()
    expect(guest.checkout_status).to_contain_text("it has passed")
    expect(guest.checkout.get_by_label("Delivery date")).to_be_focused()
    guest.pay()
    guest.sees_outcome("Order confirmed")


def test_too_many_requests_are_explained(guest: Guest):
    refusal = {"code": 429, "message": "Too many requests."}
    guest.page.route(
        "**/nlu",
        lambda route: route.fulfill(
            status=429,
            json=refusal,
            headers={
                "Retry-After": "2",
                "Access-Control-Expose-Headers": "Retry-After",
            },
        ),
        times=1,
    )
    guest.say("Hello")
    expect(guest.log).to_contain_text("Wait 2 seconds, then try again.")
    guest.log.get_by_role("button", name="Send again").click()
    guest.await_answer()
    expect(guest.log.locator(".turn-concierge")).not_to_have_count(0)


def test_orders_are_listed_newest_first_and_page_by_page(guest: Guest):
    guest.ask_for_flowers().click()
    guest.fill_checkout()
    guest.pay()
    guest.sees_outcome("Order confirmed")
    order = guest.orders()[0]
    pages = {
        "": {"orders": [numbered(order, n) for n in range(10)], "nextCursor": "next"},
        "next": {"orders": [numbered(order, n) for n in range(10, 13)]},
    }

    def answer(route: Route) -> None:
        found = re.search(r"cursor=(\w+)", route.request.url)
        route.fulfill(json=pages[found[1] if found else ""])

    guest.open("orders.html")
    expect(guest.page.get_by_role("article")).to_contain_text(order["orderId"])
    guest.page.route("**/orders?*", answer)
    guest.open("orders.html")
    expect(guest.page.get_by_role("article")).to_have_count(10)
    guest.page.get_by_role("button", name="Load more").click()
    expect(guest.page.get_by_role("article")).to_have_count(13)
    expect(guest.page.get_by_role("button", name="Load more")).to_be_hidden()


def numbered(order: dict, number: int) -> dict:
    return {**order, "orderId": f"ord_{number:024x}"}


def test_a_pending_order_is_followed_to_its_end(guest: Guest):
    guest.ask_for_flowers().click()
    guest.fill_checkout()
    guest.pay()
    guest.sees_outcome("Order confirmed")
    pending = {**guest.orders()[0], "status": "pending", "message": "We are on it."}
    guest.page.route(
        "**/orders?*", lambda route: route.fulfill(json={"orders": [pending]})
    )
    guest.page.route(
        "**/orders/ord_*", lambda route: route.fulfill(json=pending), times=1
    )
    guest.open("orders.html")
    badge = guest.page.get_by_role("article").locator(".badge")
    expect(badge).to_have_text("In progress")
    expect(badge).to_have_text("Confirmed")


# -------------------------------------------------------------------- session


def test_the_conversation_is_back_after_a_reload(guest: Guest):
    guest.ask_for_flowers()
    before = guest.log.inner_text()
    guest.page.reload()
    expect(
        guest.log.get_by_role("button", name=re.compile("^Buy now"))
    ).not_to_have_count(0)
    assert guest.log.inner_text() == before


def test_signing_out_ends_the_session_on_the_server(guest: Guest):
    session, proof = guest.session, guest.session.proof()
    assert session.lasts(proof)
    guest.sign_out()
    assert not session.lasts(proof)
    guest.open("chat.html")
    expect(guest.page.get_by_role("form", name="Sign in")).to_be_visible()


@pytest.mark.parametrize("path", ["chat.html", "orders.html"])
def test_a_session_that_ended_leads_to_sign_in_and_back(guest: Guest, path):
    guest.session.end()
    guest.open(path)
    if path == "chat.html":
        guest.box.fill("Hello")
        guest.box.press("Enter")
    expect(guest.page.get_by_text("Your session has ended.").first).to_be_visible()
    guest.sign_in()
    guest.page.wait_for_url(f"**/{path}")
    if path == "chat.html":
        expect(guest.log.get_by_role("button", name="Send again")).to_be_visible()


def test_a_wrong_password_and_a_taken_address_are_explained(guest: Guest):
    guest.sign_out()
    form = guest.page.get_by_role("form", name="Sign in")
    form.get_by_label("E-mail").fill(guest.email)
    form.get_by_label("Password").fill("not this one at all")
    form.get_by_role("button", name="Sign in").click()
    expect(form.get_by_role("alert")).not_to_be_empty()
    guest.page.get_by_role("link", name="Create account").click()
    form = guest.page.get_by_role("form", name="Sign up")
    form.get_by_label("E-mail").fill(guest.email)
    form.get_by_label("Password").fill("a quite unusual phrase")
    form.get_by_role("button", name="Create account").click()
    expect(form.get_by_role("alert")).to_contain_text("Sign in instead")


# -------------------------------------------------------------------- text is text


def test_markup_in_the_chat_stays_text(guest: Guest):
    opened: list[str] = []
    guest.page.on(
        "dialog", lambda dialog: (opened.append(dialog.message), dialog.dismiss())
    )
    assert len(PAYLOADS) == 50
    for payload in PAYLOADS:
        guest.say(payload)
        said = guest.log.locator(".turn-guest .bubble").last
        assert said.evaluate("bubble => bubble.lastChild.data") == payload.strip()
    assert_nothing_ran(guest.page, opened)


def test_markup_from_the_server_stays_text(guest: Guest):
    opened: list[str] = []
    guest.page.on(
        "dialog", lambda dialog: (opened.append(dialog.message), dialog.dismiss())
    )
    for payload in PAYLOADS:
        guest.hears(hostile(payload))
        guest.say("Hello")
    guest.page.reload()
    expect(guest.log.get_by_role("button", name="Pay by card")).not_to_have_count(0)
    assert_nothing_ran(guest.page, opened)


def hostile(text: str) -> list[dict]:
    """Messages that have a text in every place that the page shows."""
    card = {
        "productId": "x",
        "name": text,
        "price": 1,
        "imageUrl": text,
        "buttonLabel": text,
        "clickAction": "checkout",
    }
    summary = {
        "productId": "x",
        "name": text,
        "quantity": 1,
        "deliveryAddress": text,
        "deliveryDate": text,
        "unitAmount": 100,
        "currency": "usd",
    }
    replies = {"replies": [{"label": text, "value": text}]}
    structured = [
        ("product", card),
        ("checkout", summary),
        ("quick-replies", replies),
        (text, {"html": text}),
    ]
    return [{"type": "unstructured", "unstructured": {"text": text}}] + [
        {
            "type": "structured",
            "structured": {"text": text, "type": kind, "payload": what},
        }
        for kind, what in structured
    ]


def assert_nothing_ran(page: Page, opened: list[str]) -> None:
    page.wait_for_timeout(300)
    assert opened == []
    assert page.evaluate("window.pwned") is None
    made = (
        "script, iframe, object, embed, svg, style, form, [onerror], [onload], [style]"
    )
    assert page.get_by_role("log").locator(made).count() == 0
    outside = "links => links.filter(link => link.origin !== location.origin).length"
    assert (
        page.locator("a, img").evaluate_all(outside.replace("link.origin", ORIGIN)) == 0
    )


ORIGIN = "new URL(link.href || link.src).origin"


READ = """async (path) => {
    const answer = await fetch(path);
    return [answer.headers.get("Content-Security-Policy"), await answer.text()];
}"""


def test_the_policy_forbids_inline_script(stage, page: Page):
    page.goto(f"{stage.site_url}/index.html")
    for path in ("index.html", "chat.html", "orders.html", "docs/index.html"):
        policy, text = page.evaluate(READ, path)
        if stage.auth == "cognito":  # S3 sends no such header, so the page brings it
            policy = re.findall(r'Content-Security-Policy" content="([^"]+)"', text)[0]
        else:
            assert "frame-ancestors 'none'" in policy
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy


# -------------------------------------------------------------------- for everyone


def test_a_purchase_needs_only_the_keyboard(guest: Guest):
    keys = guest.page.keyboard
    expect(guest.box).to_be_focused()
    keys.type("I'd like to send flowers to my mother")
    keys.press("Enter")
    expect(
        guest.log.get_by_role("button", name=re.compile("^Buy now")).first
    ).to_be_visible()
    guest.await_answer()
    walk_to(guest.page, "Shift+Tab", r"^Buy now")
    keys.press("Enter")
    expect(guest.checkout).to_be_visible()
    walk_to(guest.page, "Tab", r"^deliveryAddress$")
    keys.type(ADDRESS)
    walk_to(guest.page, "Tab", r"^paymentMethod$")
    keys.type("Master")
    walk_to(guest.page, "Tab", r"^Pay \$")
    keys.press("Enter")
    guest.sees_outcome("Order confirmed")
    walk_to(guest.page, "Tab", r"^Done$")
    keys.press("Enter")
    expect(guest.checkout).to_be_hidden()
    expect(guest.box).to_be_focused()


def walk_to(page: Page, key: str, name: str) -> None:
    """Press a key until what has the focus, visibly, has this name or text."""
    for _ in range(60):
        page.keyboard.press(key)
        focused, outline = page.evaluate(
            """() => {
                const at = document.activeElement;
                const name = at.name || at.textContent.trim();
                return [name, getComputedStyle(at).outlineStyle];
            }"""
        )
        if re.search(name, focused):
            assert outline != "none", f"{focused}: the focus cannot be seen."
            return
    raise AssertionError(f"{key} does not lead to {name}")


def test_escape_closes_the_checkout_and_gives_the_focus_back(guest: Guest):
    button = guest.ask_for_flowers()
    button.click()
    expect(guest.checkout).to_be_visible()
    guest.page.keyboard.press("Escape")
    expect(guest.checkout).to_be_hidden()
    expect(button).to_be_focused()


@pytest.mark.parametrize("viewport", [PHONE])
def test_a_phone_shows_everything_without_sideways_scrolling(guest: Guest, viewport):
    guest.ask_for_flowers()
    assert_fits(guest.page)
    guest.log.get_by_role("button", name=re.compile("^Buy now")).first.click()
    assert_fits(guest.page)
    guest.fill_checkout()
    guest.pay()
    guest.sees_outcome("Order confirmed")
    assert_fits(guest.page)
    for path in ("orders.html", "index.html"):
        guest.open(path)
        expect(guest.page.get_by_role("button", name="Sign out")).to_be_visible()
        assert_fits(guest.page)


def assert_fits(page: Page) -> None:
    """Nothing wider than the screen, and nothing to press smaller than 44 pixels."""
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    small = page.locator(
        "button, .button, nav a, input, select, textarea"
    ).evaluate_all(
        """found => found
            .filter((one) => one.checkVisibility() && one.type !== "hidden")
            .filter((one) => one.getBoundingClientRect().height < 44)
            .map((one) => one.outerHTML)"""
    )
    assert small == []


def test_the_contract_is_shown_in_swagger_ui(stage, page: Page):
    page.goto(f"{stage.site_url}/docs/index.html")
    expect(page.get_by_text("Say something to the concierge").first).to_be_visible()
