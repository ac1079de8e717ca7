"""Whole conversations from text files, the edge cases, and random messages.

A conversation file reads as it happened. "Guest:" says something, "Guest presses:" a
product's button; the lines below are the answers, and "…" ends a line whose rest does
not matter. "Given an earlier order." puts one among the guest's orders, "Given the
guest pays." and "Given the card is declined." do in the checkout form what the last
answer offered. `CONVERSATIONS=write python -m pytest tests/unit/test_dialogue.py`
writes the answers of today into the files; read every change before keeping it.
"""

import json
import os
from datetime import date, datetime, timezone
from pathlib import Path

import pytest
from concierge.conversation import StateError, dump, load
from concierge.dialogue import LONGEST_TEXT, SKILLS, clean, converse
from concierge.intents import OUT_OF_SCOPE, load_intents
from concierge.products import load_products
from concierge.replies import Checkout
from concierge.understanding import load_engine
from hypothesis import given, settings
from hypothesis import strategies as st

PRODUCTS = load_products()
NOW = datetime(2025, 6, 4, 12, 0, tzinfo=timezone.utc)  # a Wednesday
ENGINE = load_engine("light")
CONVERSATIONS = sorted((Path(__file__).parent / "conversations").glob("*.txt"))
EARLIER = {
    "orderId": "ord_0123456789abcdef01234567",
    "status": "confirmed",
    "productId": "tulips-mixed",
    "name": "Mixed tulips",
    "quantity": 2,
    "amount": 5998,
    "currency": "usd",
    "deliveryAddress": "5 Main Street, Boston",
    "deliveryDate": "2025-06-05",
    "createdAt": "2025-06-01T09:00:00Z",
}


class Chat:
    """A guest at the concierge, with the state kept between messages."""

    def __init__(self, orders=(), state=None):
        self.orders = None if orders is None else list(orders)
        self.state = state

    def send(self, *messages):
        self.state, answers = converse(
            self.state, list(messages), NOW, PRODUCTS, self.orders, ENGINE
        )
        return answers

    def say(self, text):
        return [shown(message) for message in self.send(unstructured(text))]

    def press(self, product_id):
        return [shown(message) for message in self.send(button(product_id))]

    def check_out(self, status):
        """Do what the checkout form does with the order last offered."""
        offer = next(
            reply for reply in load(self.state).last if isinstance(reply, Checkout)
        )
        number = f"ord_{len(self.orders) + 1:024x}"
        order = EARLIER | {"orderId": number, "status": status, "quantity": 1}
        order |= {"productId": offer.product_id, "quantity": offer.quantity}
        order |= {
            "name": next(
                at.name for at in PRODUCTS if at.product_id == offer.product_id
            )
        }
        order |= {"deliveryAddress": offer.address, "deliveryDate": offer.date}
        self.orders.insert(0, order | {"createdAt": NOW.isoformat()})

    @property
    def draft(self):
        return load(self.state).draft


def unstructured(text):
    return {"type": "unstructured", "unstructured": {"text": text}}


def button(product_id):
    payload = {"productId": product_id, "clickAction": "checkout"}
    body = {"text": "Order", "type": "product", "payload": payload}
    return {"type": "structured", "structured": body}


def quick_reply(value):
    body = {"text": "a label", "type": "quick-replies", "payload": {"value": value}}
    return {"type": "structured", "structured": body}


def shown(message):
    body = message[message["type"]]
    payload = body.get("payload", {})
    if body.get("type") == "product":
        return f"Card: {body['text']}"
    if body.get("type") == "quick-replies":
        labels = " | ".join(reply["label"] for reply in payload["replies"])
        return f"Concierge: {body['text']} [{labels}]"
    if body.get("type") == "checkout":
        return f"Checkout: {body['text']}"
    return f"Concierge: {body['text']}"


def play(script):
    """Return the script with the answers that the concierge gives now."""
    chat = Chat()
    transcript = []
    for line in script:
        kind, _, rest = line.partition(": ")
        if kind in ("Guest", "Guest presses"):
            answers = chat.say(rest) if kind == "Guest" else chat.press(rest)
            transcript += [line, *answers]
        elif line in GIVEN:
            GIVEN[line](chat)
            transcript.append(line)
    return transcript


GIVEN = {
    "Given an earlier order.": lambda chat: chat.orders.append(EARLIER),
    "Given the guest pays.": lambda chat: chat.check_out("confirmed"),
    "Given the card is declined.": lambda chat: chat.check_out("declined"),
}


def fits(expected, actual):
    if expected.endswith("…"):
        return actual.startswith(expected[:-1])
    return actual == expected


def write(path, script):
    """Write a conversation with the answers of today, each turn a paragraph."""
    comment = [at for at in path.read_text(encoding="utf-8").splitlines() if "#" in at]
    told = "".join(
        f"\n{line}" if line.startswith(("Guest", "Given")) else line
        for line in (f"{at}\n" for at in play(script))
    )
    path.write_text("\n".join(comment) + "\n" + told, encoding="utf-8")


@pytest.mark.parametrize("path", CONVERSATIONS, ids=lambda path: path.stem)
def test_conversation(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    script = [line for line in lines if line and not line.startswith("#")]
    if os.environ.get("CONVERSATIONS") == "write":
        write(path, script)
        return
    actual = play(script)
    for expected, heard in zip(script, actual, strict=False):
        assert fits(expected, heard)
    assert len(script) == len(actual)


def test_there_are_thirty_conversations():
    assert len(CONVERSATIONS) >= 30


def asks(answers, what):
    return any(what in answer for answer in answers)


def test_flowers_for_a_mother_are_answered_with_flower_cards():
    answers = Chat().say("I'd like to send flowers to my mother")
    cards = [answer for answer in answers if answer.startswith("Card:")]
    assert len(cards) == 6
    assert asks(cards, "red roses")


def test_a_card_has_what_the_wire_format_promises():
    messages = Chat().send(unstructured("show me the teddy bear"))
    card = next(at["structured"] for at in messages if at["type"] == "structured")
    assert card["type"] == "product"
    assert card["payload"] == {
        "productId": "bear-teddy",
        "name": "Teddy bear",
        "price": 22.0,
        "imageUrl": "/images/bear-teddy.svg",
        "buttonLabel": "Order",
        "clickAction": "checkout",
    }
    assert card["timestamp"] == "2025-06-04T12:00:00Z"
    json.dumps(messages)


def test_a_complete_order_is_handed_to_the_checkout_form():
    chat = Chat()
    chat.say("two teddy bears to 5 Main Street, Boston tomorrow")
    (message,) = chat.send(unstructured("yes"))
    assert message["structured"]["type"] == "checkout"
    assert message["structured"]["payload"] == {
        "productId": "bear-teddy",
        "name": "Teddy bear",
        "quantity": 2,
        "deliveryAddress": "5 Main Street, Boston",
        "deliveryDate": "2025-06-05",
        "unitAmount": 2200,
        "currency": "usd",
        "buttonLabel": "Checkout",
        "clickAction": "checkout",
    }


@pytest.mark.parametrize("two", ["2", "two", "a couple", "two please", "2 of them"])
def test_two_is_two_however_it_is_written(two):
    chat = Chat()
    chat.press("bear-teddy")
    assert asks(chat.say(two), "To which address")
    assert chat.draft.quantity == 2


@pytest.mark.parametrize(
    "wrong", ["-3", "0", "minus three people", "a party of 0", "2.5 people", "9999"]
)
def test_an_impossible_party_is_asked_again_and_nothing_else(wrong):
    chat = Chat()
    chat.say("a table at the trattoria in Boston tomorrow at 7 pm")
    assert asks(chat.say(wrong), "For how many people?")
    answers = chat.say("4")
    assert answers[0].startswith("Checkout: Here is your order: Table at the trattoria")
    assert asks(answers, "Boston, tomorrow")


@pytest.mark.parametrize("wrong", ["-1", "0", "1.5", "101", "10,000"])
def test_an_impossible_quantity_is_asked_again(wrong):
    chat = Chat()
    chat.press("bear-teddy")
    assert asks(chat.say(wrong), "How many would you like?")


@pytest.mark.parametrize(
    "wrong",
    [
        "yesterday",
        "2020-01-01",
        "last Friday",
        "February 30",
        "next week",
        "in 2 years",
    ],
)
def test_an_impossible_day_is_asked_again_and_nothing_else(wrong):
    chat = Chat()
    chat.say("two teddy bears to 5 Main Street")
    assert asks(chat.say(wrong), "For which day?")
    assert chat.say("tomorrow")[0].startswith("Checkout: Here is your order: 2 ×")


def test_an_unknown_city_is_asked_again_and_nothing_else():
    chat = Chat()
    chat.say("a table for two at the trattoria tomorrow at 7 pm")
    assert asks(chat.say("Atlantis"), 'do not know a city called "Atlantis"')
    assert chat.say("Boston")[0].startswith("Checkout:")


def test_more_than_in_stock_is_asked_again():
    chat = Chat()
    chat.press("ticket-basketball")
    assert asks(chat.say("4"), "only 3 left")
    assert asks(chat.say("3"), "In which city?")


def test_what_is_sold_out_is_not_ordered_but_replaced():
    answers = Chat().press("music-box")
    assert asks(answers, "sold out")
    assert asks(answers, "Card: Vanilla candle")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("2 or two", "In which city?"),
        ("two or 2 people", "In which city?"),
        ("2 or 3", "2 or 3? For how many people? [2 | 3]"),
        ("-3", "A party of -3 cannot be"),
        ("party of 0", "A party of 0 cannot be"),
    ],
)
def test_the_homework_on_figures(text, answer):
    chat = Chat()
    chat.say("a table at the trattoria tomorrow at 7 pm")
    assert asks(chat.say(text), answer)


def test_a_failing_detail_is_asked_again_and_the_good_ones_are_kept():
    chat = Chat()
    answers = chat.say("a table for -3 at the trattoria in Boston yesterday at 7 pm")
    assert asks(answers, "A party of -3 cannot be")
    assert asks(answers, "in the past")
    assert asks(chat.say("3"), "For which day?")
    assert asks(chat.say("tomorrow"), "for 3, in Boston, tomorrow")
    assert asks(chat.say("yes"), "7:00 pm")


def test_a_time_goes_to_the_checkout_with_the_place():
    chat = Chat()
    (message,) = chat.send(
        unstructured("a table for two at the trattoria in Chicago tomorrow at 7pm")
    )
    payload = message["structured"]["payload"]
    assert payload["deliveryAddress"] == "Chicago, 7:00 pm"
    assert payload["quantity"] == 2


def test_nights_are_paid_and_go_to_the_checkout_with_the_place():
    chat = Chat()
    (message,) = chat.send(
        unstructured("a double room for 3 in Miami from Friday to Monday")
    )
    payload = message["structured"]["payload"]
    assert payload["deliveryAddress"] == "Miami, 3 nights"
    assert payload["quantity"] == 6


def test_a_quick_reply_says_its_value():
    assert Chat().send(quick_reply("rooms"))[1]["structured"]["type"] == "product"


def test_a_button_of_an_unknown_product_is_answered():
    assert asks(Chat().press("unicorn"), "no longer have that")


def test_chat_cannot_set_a_price_or_a_guest():
    chat = Chat()
    message = button("bear-teddy")
    message["structured"]["payload"] |= {
        "unitAmount": 1,
        "price": 0.01,
        "userId": "eve",
        "orderId": "ord_evil",
    }
    chat.send(message)
    chat.say("two to 5 Main Street tomorrow, unitAmount 1, price $1")
    payload = chat.send(unstructured("yes"))[0]["structured"]["payload"]
    assert payload["unitAmount"] == 2200
    assert not {"userId", "orderId", "price"} & set(payload)
    assert not {"eve", "ord_evil"} & set(chat.state.split('"'))


def test_several_messages_in_one_request_are_all_answered():
    chat = Chat()
    answers = chat.send(
        button("bear-teddy"), unstructured("two"), unstructured("hello")
    )
    assert len(answers) >= 3
    assert chat.draft.quantity == 2


def test_a_question_that_the_next_message_answers_is_not_put():
    chat = Chat()
    said = ["two", "to 5 Main Street", "tomorrow"]
    messages = chat.send(button("bear-teddy"), *map(unstructured, said))
    assert [shown(at).split(":")[0] for at in messages] == ["Checkout"]


def offered():
    chat = Chat([EARLIER | {"productId": "bear-teddy"}])
    chat.say("two teddy bears to 5 Main Street tomorrow")
    return chat


def test_an_order_from_before_the_offer_is_not_taken_for_it():
    chat = offered()
    assert not asks(chat.say("thanks"), "confirmed")
    assert chat.draft


def test_an_order_of_another_product_leaves_the_draft():
    chat = offered()
    other = EARLIER | {"orderId": "ord_2", "createdAt": "2025-06-04T12:00:01Z"}
    chat.orders.insert(0, other)
    assert not asks(chat.say("thanks"), "confirmed")
    assert chat.draft


@pytest.mark.parametrize("moment", [None, "", "yesterday", 7])
def test_an_order_without_a_readable_time_does_no_harm(moment):
    chat = offered()
    chat.orders.insert(0, chat.orders[0] | {"orderId": "ord_2", "createdAt": moment})
    assert chat.say("thanks")


@pytest.mark.parametrize(
    ("status", "said", "kept"),
    [
        ("confirmed", "Your order ord_000000000000000000000002 is confirmed", False),
        ("pending", "is being processed", False),
        ("declined", "Your card was declined, and nothing was charged", True),
        ("failed", "That did not work, and nothing was charged", True),
    ],
)
def test_after_the_checkout_the_guest_hears_once_what_became_of_it(status, said, kept):
    chat = offered()
    chat.check_out(status)
    assert asks(chat.say("hello"), said)
    assert (chat.draft is not None) == kept
    assert not asks(chat.say("hello"), said)


def test_orders_that_cannot_be_seen_are_not_denied():
    chat = Chat(orders=None)
    for text in ("where is my order?", "the same as last time, please"):
        assert asks(chat.say(text), "I cannot see your orders at the moment")
    assert not asks(chat.say("hello"), "cannot see")


def test_an_order_goes_on_though_earlier_ones_cannot_be_seen():
    chat = Chat(orders=None)
    chat.press("bear-teddy")
    answers = chat.say("where is my order?")
    assert asks(answers, "cannot see your orders")
    assert asks(answers, "How many")
    answers = chat.say("two, to 5 Main Street, Boston, tomorrow")
    assert answers[0].startswith("Checkout: Here is your order: 2 ×")


def test_who_may_have_paid_is_told_not_to_pay_again():
    chat = offered()
    chat.check_out("confirmed")
    seen, chat.orders = chat.orders, None
    assert asks(chat.say("thanks"), "please do not pay again")
    assert not asks(chat.say("where is my order?"), "do not pay again")
    chat.orders = seen
    assert asks(chat.say("thanks"), "is confirmed")
    assert chat.draft is None


def test_the_same_table_again_takes_its_time_and_place():
    table = {"productId": "table-trattoria", "name": "Table at the trattoria"}
    chat = Chat([EARLIER | table | {"deliveryAddress": "Chicago, 7:30 pm"}])
    answers = chat.say("the same again please, on Friday")
    assert asks(answers, "for 2, in Chicago, Friday 6 June, 7:30 pm")


def test_markup_is_text_and_stays_so():
    chat = Chat()
    chat.say("a table for two at the trattoria")
    (message,) = chat.send(unstructured("<b>Atlantis</b>"))
    assert '"<b>Atlantis</b>"' in message["structured"]["text"]


def test_a_card_number_is_neither_read_nor_kept():
    chat = Chat()
    chat.press("bear-teddy")
    chat.say("my card is 4242 4242 4242 4242")
    assert "4242" not in chat.state


def test_every_intent_has_a_skill():
    names = {intent.name for intent in load_intents()} - {OUT_OF_SCOPE}
    assert names <= set(SKILLS)


def test_no_message_and_an_empty_one_are_answered():
    assert Chat().send()
    assert asks(Chat().say("   \x00\n"), "did not hear")


def test_an_enormous_text_is_cut():
    assert len(clean("x" * 5000)) == LONGEST_TEXT
    chat = Chat()
    chat.press("bear-teddy")
    chat.say("1")
    assert chat.say("12 Long Street " * 300)
    assert len(chat.state) < 5000


def test_control_characters_do_no_harm():
    assert clean("a\x00b\r\n\x1b[31mc\u2028d\ud800") == "a b [31mc d?"


@pytest.mark.parametrize(
    "state",
    ["", "{", "null", "[]", '"x"', "{}", '{"version":0}', '{"version":1}', "[" * 9999]
    + [
        '{"version":2,"draft":{"quantity":"2"},"awaiting":null,"search":null,"since":null,"newest":null,'
        '"shown":[],"last":[]}',
        '{"version":2,"draft":{"price":1},"awaiting":null,"search":null,"since":null,"newest":null,'
        '"shown":[],"last":[]}',
        '{"version":2,"draft":null,"awaiting":null,"search":null,"shown":[],'
        '"last":[["checkout",1]]}',
    ],
)
def test_an_unreadable_state_starts_afresh_and_says_so(state):
    chat = Chat(state=state)
    answers = chat.say("hello")
    assert answers[0].startswith("Concierge: I have lost the thread")
    assert asks(answers, "I am your concierge")


def test_a_product_that_vanishes_while_being_ordered_is_asked_again():
    chat = Chat()
    chat.press("bear-teddy")
    others = [at for at in PRODUCTS if at.product_id != "bear-teddy"]
    state, answers = converse(chat.state, [unstructured("2")], NOW, others, [], ENGINE)
    assert answers
    assert load(state).draft.product_id is None


def test_a_broken_state_is_refused_and_a_good_one_kept():
    with pytest.raises(StateError):
        load("{}")
    chat = Chat()
    chat.say("show me flowers under 40 dollars")
    assert dump(load(chat.state)) == chat.state


# Hostile and plain texts side by side: both shapes meet each other in a conversation.
TEXTS = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            *(
                "hello",
                "yes",
                "no",
                "cancel",
                "repeat",
                "start over",
                "more",
                "cheaper",
            ),
            *("flowers", "a table for two", "roses", "a hotel room", "the second one"),
            *("2", "0", "-3", "two", "99999999999999999999", "1e9", "½", "2.5"),
            *("tomorrow", "yesterday", "February 30", "in 99999 months", "31/12/9999"),
            *("in 9999 weeks", "0000-00-00", "in Atlantis", "Boston", "5 Main Street"),
            *("where is my order", "same as last time", "change the date", "under $0"),
            *(
                "<script>alert(1)</script>",
                "\ud800",
                "\x00",
                "'; DROP TABLE guests; --",
            ),
            *("between 9 and 1", "what's the weather", "for my wife", "the cheapest"),
            *("at 7", "27:99", "at noon", "any time", "2 or 3", "3/4", "99 nights"),
            *("not roses, tulips", "roses and a cake", "5 " + "Long " * 380 + "Street"),
            *("a table for two at the trattoria in Boston tomorrow", "is it nice?"),
        ]
    ),
)
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["type", "structured", "unstructured", "text", "payload"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
MESSAGES = st.one_of(
    TEXTS.map(unstructured),
    TEXTS.map(unstructured),
    st.sampled_from([product.product_id for product in PRODUCTS]).map(button),
    TEXTS.map(quick_reply),
    JUNK,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(MESSAGES, max_size=12), st.booleans())
def test_any_messages_are_answered_and_leave_a_state_that_can_be_read(messages, known):
    chat = Chat([EARLIER] if known else [])
    for message in messages:
        answers = chat.send(message)
        assert answers
        for answer in answers:
            body = answer[answer["type"]]
            assert 0 < len(body["text"]) <= 2000
            assert len(body["id"]) <= 64
            assert len(body.get("type", "")) <= 64
            assert body["timestamp"].endswith("Z")
            address = body.get("payload", {}).get("deliveryAddress", "any")
            assert 3 <= len(address) <= 300
        json.dumps(answers).encode()
        state = load(chat.state)
        assert dump(state) == chat.state
        if state.draft and state.draft.date:
            date.fromisoformat(state.draft.date)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200))
def test_any_state_is_read_or_replaced(state):
    assert Chat(state=state).say("hello")
