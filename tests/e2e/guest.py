"""What a guest does with the page, found the way a guest finds it: by name and role."""

import re
from collections.abc import Callable
from typing import Any

import requests
from playwright.sync_api import Locator, Page, expect

from tests.contract.outside import Mailbox

from .sessions import Session, session_of

PASSWORD = "a bell at the counter"  # noqa: S105 (of accounts that live for one test)
ADDRESS = "5 Main Street, Springfield"
TIMEOUT = 20  # seconds
TURNS = 8  # more questions than this and the concierge does not get to the point

ANSWERS = (
    (r"where|address", ADDRESS),
    (r"how many|quantity|number", "1"),
    (r"when|date|day", "tomorrow"),
)


class Guest:
    def __init__(self, stage: Any, page: Page, email: str) -> None:
        self.stage = stage
        self.page = page
        self.email = email
        self.site = stage.site_url.rstrip("/")

    # ---------------------------------------------------------------- coming and going

    def open(self, path: str) -> None:
        self.page.goto(f"{self.site}/{path}")

    def sign_up(self) -> None:
        self.open("index.html")
        self._enter("Sign up", "Create account")
        if self.stage.auth == "cognito":
            self.confirm(self.code())
        self.page.wait_for_url("**/chat.html")
        expect(self.box).to_be_visible()

    def sign_in(self) -> None:
        self._enter("Sign in", "Sign in")

    @property
    def confirming(self) -> Locator:
        """The form for the code, at stages that mail one."""
        return self.page.get_by_role("form", name="Confirm your e-mail")

    def confirm(self, code: str) -> None:
        self.confirming.get_by_label("Code from the mail").fill(code)
        self.confirming.get_by_role("button", name="Confirm").click()

    def code(self) -> str:
        """Wait for the code in the mail."""
        letter = self.eventually(lambda: self.mailbox.all_of(self.email))[0]
        found = re.search(r"\b\d{6}\b", letter["text"])
        assert found, letter
        return found[0]

    def _enter(self, form_name: str, button: str) -> None:
        form = self.page.get_by_role("form", name=form_name)
        form.get_by_label("E-mail").fill(self.email)
        form.get_by_label("Password").fill(PASSWORD)
        form.get_by_role("button", name=button).click()

    def sign_out(self) -> None:
        self.page.get_by_role("button", name="Sign out").click()
        expect(self.page.get_by_text("You are signed out.")).to_be_visible()

    # ---------------------------------------------------------------- chat

    @property
    def box(self) -> Locator:
        return self.page.get_by_label("Your message")

    @property
    def log(self) -> Locator:
        return self.page.get_by_role("log", name="Conversation")

    def say(self, text: str) -> None:
        """Say something and wait until the concierge has nothing more to say."""
        self.box.fill(text)
        self.box.press("Enter")
        self.await_answer()

    def await_answer(self) -> None:
        expect(self.log.locator(".typing")).to_have_count(0)

    def ask_for_flowers(self) -> Locator:
        """Answer the button that buys the first suggested bouquet."""
        self.say("I'd like to send flowers to my mother")
        button = self.log.get_by_role("button", name=re.compile("^Buy now")).first
        expect(button).to_be_visible()
        return button

    def answer_until_summary(self) -> None:
        """Give the concierge each detail that it asks for, until it sums up."""
        pay = self.log.get_by_role("button", name="Pay by card")
        for _ in range(TURNS):
            if pay.count():
                return
            question = self.log.locator(".turn-concierge .bubble").last.inner_text()
            self.say(_answer_to(question))
        raise AssertionError(f"After {TURNS} answers there is no summary: {question}")

    def is_shown(self, products: list[dict[str, Any]], text: str = "Look:") -> None:
        """Have the concierge answer the next message with these products' cards."""
        messages: list[dict[str, Any]] = [
            {"type": "unstructured", "unstructured": {"text": text}}
        ]
        messages += [_card(product) for product in products]
        self.hears(messages)

    def hears(self, messages: list[dict[str, Any]]) -> None:
        """Have the next message answered with these."""
        self.page.route(
            "**/nlu", lambda route: route.fulfill(json={"messages": messages}), times=1
        )

    # ---------------------------------------------------------------- buying

    @property
    def checkout(self) -> Locator:
        return self.page.get_by_role("dialog")

    @property
    def checkout_status(self) -> Locator:
        return self.checkout.get_by_role("status").last

    def fill_checkout(self, card: str = "Visa", quantity: int = 1) -> None:
        self.checkout.get_by_label("Quantity").fill(str(quantity))
        self.checkout.get_by_label("Delivery address").fill(ADDRESS)
        self.checkout.get_by_label("Pay with").select_option(label=card)

    def pay(self) -> None:
        self.checkout.get_by_role("button", name=re.compile(r"^Pay \$")).click()

    def sees_outcome(self, heading: str | re.Pattern[str]) -> None:
        expect(self.checkout.get_by_role("heading", name=heading)).to_be_visible()

    # ---------------------------------------------------------------- behind the page

    @property
    def session(self) -> Session:
        return session_of(self.stage, self.page)

    def read(self, path: str) -> requests.Response:
        return requests.get(
            self.stage.api_url + path, auth=self.session.auth(), timeout=TIMEOUT
        )

    def orders(self) -> list[dict[str, Any]]:
        orders: list[dict[str, Any]] = self.read("/orders").json()["orders"]
        return orders

    def products(self) -> list[dict[str, Any]]:
        products: list[dict[str, Any]] = []
        page: dict[str, Any] = {"nextCursor": ""}
        while "nextCursor" in page:
            cursor = page["nextCursor"]
            query = f"?limit=100&cursor={cursor}" if cursor else "?limit=100"
            page = self.read(f"/products{query}").json()
            products += page["products"]
        return products

    def mail(self) -> list[dict[str, Any]]:
        """The mail, without the code that Cognito sends."""
        return self.mailbox.of(self.email)

    @property
    def mailbox(self) -> Mailbox:
        return Mailbox(self.stage.mailbox_url)

    def eventually(self, ask: Callable[[], Any]) -> Any:
        """Ask again until the answer is something; the page does the waiting."""
        for _ in range(100):
            if answer := ask():
                return answer
            self.page.wait_for_timeout(200)
        raise AssertionError("It did not happen within 20 seconds.")


def _answer_to(question: str) -> str:
    for pattern, answer in ANSWERS:
        if re.search(pattern, question, re.IGNORECASE):
            return answer
    return "yes"


def _card(product: dict[str, Any]) -> dict[str, Any]:
    payload = {
        "productId": product["productId"],
        "name": product["name"],
        "price": product["unitAmount"] / 100,
        "imageUrl": product["imageUrl"],
        "buttonLabel": "Order",
        "clickAction": "checkout",
    }
    card = {"text": product["name"], "type": "product", "payload": payload}
    return {"type": "structured", "structured": card}
