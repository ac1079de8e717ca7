"""The nlu service alone: real Redis, and stand-ins for the services that it asks."""

from __future__ import annotations

import logging
import signal
import threading
import time
import uuid

import pytest
from flask import Flask, jsonify, request
from nlu import app as nlu_app
from nlu import nlu as seam
from nlu import wording
from nlu.callers import Callers
from nlu.config import Settings, SettingsError, load
from part import Redis, running
from wait import free_ports, until
from werkzeug.serving import make_server

SERVICE_KEY = "nlu-to-catalog-in-the-tests-of-nlu"
ROSES = {
    "productId": "roses-red-dozen",
    "category": "flowers",
    "name": "A dozen red roses",
    "description": "Twelve roses.",
    "unitAmount": 4999,
    "currency": "usd",
    "stock": 7,
    "imageUrl": "/img/roses.svg",
    "keywords": ["rose"],
    "occasions": ["birthday"],
    "serves": None,
    "pack": 12,
}
# What only a newer catalogue knows, and what it says that we do not read.
NEWER = ROSES | {"productId": "parrot", "category": "pets", "feathers": "green"}
ORDER = {
    "orderId": "ord_0123456789abcdef01234567",
    "status": "confirmed",
    "productId": "roses-red-dozen",
    "name": "A dozen red roses",
    "quantity": 1,
    "amount": 4999,
    "currency": "usd",
    "deliveryAddress": "5 Main Street, Boston",
    "deliveryDate": "2030-01-02",
    "createdAt": "2030-01-01T10:00:00Z",
    "updatedAt": "2030-01-01T10:00:00Z",
    "message": "It is confirmed.",
}


class Others:
    """Stand-ins for catalog and checkout, which can be told to misbehave."""

    def __init__(self):
        self.mode = {"catalog": "well", "checkout": "well"}
        self.asked = []
        self.carried = []
        self.orders = [ORDER]
        self.released = threading.Event()
        self._callers = Callers("catalog", {"nlu": SERVICE_KEY})
        self.server = make_server("127.0.0.1", 0, self._app(), threaded=True)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def _app(self):
        app = Flask("others")

        @app.get("/v1/internal/products")
        def products():
            self._callers.admit("nlu")
            return self._answer("catalog", {"products": [ROSES, NEWER]})

        @app.get("/v1/orders")
        def orders():
            self.carried.append(dict(request.headers))
            return self._answer("checkout", {"orders": self.orders})

        return app

    def _answer(self, service, answer):
        self.asked.append(service)
        mode = self.mode[service]
        if mode == "silent":
            self.released.wait(20)
        if mode == "ill":
            return jsonify(code=503, message="Ill."), 503
        return "what?" if mode == "raving" else jsonify(answer)


class Chat:
    """One guest of one copy of the service."""

    def __init__(self, app, identity, guest_id=None):
        self.guest_id = guest_id or uuid.uuid4().hex
        self.key = f"dialogue:{self.guest_id}"
        self.token = identity.token(self.guest_id, "guest@example.com")
        self._client = app.test_client()

    def post(self, *texts, **headers):
        said = [{"type": "unstructured", "unstructured": {"text": t}} for t in texts]
        return self._client.post(
            "/v1/nlu",
            json={"messages": said},
            headers={"Authorization": f"Bearer {self.token}", **headers},
        )

    def say(self, *texts):
        answer = self.post(*texts)
        assert answer.status_code == 200, answer.text
        messages = answer.json["messages"]
        return [message[message["type"]]["text"] for message in messages]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running(Redis(tmp_path_factory.mktemp("redis"))) as server:
        yield server


@pytest.fixture
def others():
    stand_ins = Others()
    yield stand_ins
    stand_ins.released.set()
    stand_ins.server.shutdown()
    stand_ins.server.server_close()


@pytest.fixture
def make(server, identity, others):
    """Make copies of the application, each with settings of its own."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level

    def made(**settings):
        usual = {
            "redis_url": server.url,
            "identity_url": identity.url,
            "catalog_url": others.url,
            "checkout_url": others.url,
            "nlu_service_key": SERVICE_KEY,
            "nlu_engine": "rules",
            "catalog_fresh_seconds": 0.001,
        }
        return nlu_app.create_app(Settings(**usual | settings))

    yield made
    root.handlers = handlers
    root.setLevel(level)


@pytest.fixture
def app(make):
    return make()


@pytest.fixture
def chat(app, identity):
    return Chat(app, identity)


@pytest.fixture
def nowhere():
    """An address where nobody listens."""
    [port] = free_ports(1)
    return f"127.0.0.1:{port}"


# --- all is well ----------------------------------------------------------------------


def test_the_conversation_goes_on_in_another_copy_of_the_service(make, identity):
    first = Chat(make(), identity)
    second = Chat(make(), identity, first.guest_id)
    assert "Which one" in first.say("show me flowers")[0]
    assert "How many" in second.say("the first one")[0]


def test_the_state_expires(make, identity, server):
    chat = Chat(make(dialogue_ttl_seconds=1.0), identity)
    chat.say("show me flowers")
    assert server.client.pttl(chat.key) in range(1, 1001)
    until(lambda: not server.client.exists(chat.key), "the state expires")
    assert "How many" not in chat.say("the first one")[0]


def test_the_silence_counts_from_the_last_word(make, identity, server):
    chat = Chat(make(dialogue_ttl_seconds=1000), identity)
    chat.say("hello")
    server.client.pexpire(chat.key, 5000)
    chat.say("hello")
    assert server.client.pttl(chat.key) > 5000


def test_guests_do_not_share_a_conversation(app, identity):
    Chat(app, identity).say("show me flowers")
    assert "How many" not in Chat(app, identity).say("the first one")[0]


@pytest.mark.parametrize(
    "state",
    [b"", b"\xff\xfe", b"[]", b"{", b'{"version":0}', b"[" * 100_000],
    ids=["empty", "not text", "not ours", "cut off", "old", "deep"],
)
def test_a_broken_state_starts_afresh_and_the_guest_is_told(chat, server, state):
    server.client.set(chat.key, state)
    first, *rest = chat.say("hello")
    assert "start afresh" in first
    assert rest
    assert "start afresh" not in chat.say("hello")[0]


def test_orders_are_asked_for_with_the_guests_token_when_they_are_spoken_of(
    chat, others
):
    chat.say("hello")
    assert "checkout" not in others.asked
    assert ORDER["orderId"] in chat.say("where is my order?")[0]
    assert others.carried[0]["Authorization"] == f"Bearer {chat.token}"
    assert "X-Service-Token" not in others.carried[0]


def test_the_request_id_and_a_deadline_are_passed_along(chat, others):
    chat.post("where is my order?", **{"X-Request-Id": "abc-123"})
    assert others.carried[0]["X-Request-Id"] == "abc-123"
    left = int(others.carried[0]["X-Deadline"]) / 1000 - time.time()
    assert left < 60


def test_a_product_of_a_newer_catalogue_is_left_out(chat):
    texts = chat.say("show me flowers", "I want the parrot")
    assert not any("parrot" in text.lower() for text in texts)


def test_the_list_is_asked_for_once_while_it_is_fresh(make, identity, others):
    chat = Chat(make(catalog_fresh_seconds=1000), identity)
    chat.say("hello")
    chat.say("show me flowers")
    assert others.asked.count("catalog") == 1


def test_the_list_is_learned_before_the_first_guest_asks(app, others):
    others.mode["catalog"] = "ill"
    learning = app.extensions["nlu"].catalog.learn()
    until(lambda: "catalog" in others.asked, "it asks")
    others.mode["catalog"] = "well"
    learning.join(30)
    assert not learning.is_alive()


def test_a_catalogue_that_starts_later_is_known_at_once_to_the_first_guest(
    app, identity, others
):
    others.mode["catalog"] = "ill"
    learning = app.extensions["nlu"].catalog.learn()
    # More tries than open a breaker.
    until(lambda: others.asked.count("catalog") > 8, "it asks often")
    others.mode["catalog"] = "well"
    learning.join(30)
    assert seam.NO_CATALOG not in Chat(app, identity).say("show me flowers")


def test_nobody_talks_without_a_token(chat):
    chat.token = "made-up"
    assert chat.post("hello").status_code == 401


def test_health_tells_who_is_away(app, make, nowhere):
    healthy = app.test_client().get("/v1/health").json
    assert healthy["status"] == "ok"
    ill = make(redis_url=f"redis://{nowhere}/0", catalog_url=f"http://{nowhere}")
    answer = ill.test_client().get("/v1/health")
    assert answer.status_code == 200
    assert answer.json == {
        "status": "degraded",
        "stage": "stage2_split_services",
        "dependencies": {"redis": "down", "catalog": "down", "checkout": "ok"},
    }


# --- somebody is away -----------------------------------------------------------------

ILLNESSES = ["ill", "silent", "raving"]


@pytest.mark.parametrize("mode", ILLNESSES)
def test_the_last_known_list_serves_while_the_catalogue_is_away(chat, others, mode):
    chat.say("hello")
    others.mode["catalog"] = mode
    told = chat.say("show me flowers")
    assert seam.NO_CATALOG not in told
    assert any("red roses" in text for text in told)


@pytest.mark.parametrize("mode", ILLNESSES)
def test_chat_works_and_says_so_when_the_catalogue_was_never_read(chat, others, mode):
    others.mode["catalog"] = mode
    first, *rest = chat.say("hello")
    assert first == seam.NO_CATALOG
    assert "concierge" in rest[0]
    others.mode["catalog"] = "well"
    others.released.set()

    def back():
        told = chat.say("show me flowers")
        return seam.NO_CATALOG not in told and told

    # The breaker may rest a while.
    assert any("red roses" in text for text in until(back, "the catalogue is back"))


def test_what_was_being_ordered_outlives_a_catalogue_that_is_away(
    make, identity, nowhere
):
    chat = Chat(make(), identity)
    chat.say("show me flowers", "the first one")
    restarted = make(catalog_url=f"http://{nowhere}")
    assert Chat(restarted, identity, chat.guest_id).say("2")[0] == seam.NO_CATALOG
    assert "address" in chat.say("2")[0]


@pytest.mark.parametrize("mode", ILLNESSES)
def test_chat_works_and_says_so_when_orders_cannot_be_read(chat, others, mode):
    others.mode["checkout"] = mode
    assert wording.ORDERS_UNSEEN not in chat.say("hello")
    # And nobody is told that nothing was ordered.
    assert chat.say("where is my order?") == [wording.ORDERS_UNSEEN]
    # And the conversation is kept all the same.
    chat.say("show me flowers")
    assert "How many" in chat.say("the first one")[0]


def test_a_breaker_spares_guests_the_wait_for_a_silent_service(chat, others):
    others.mode["checkout"] = "silent"
    for _ in range(8):
        assert chat.say("where is my order?") == [wording.ORDERS_UNSEEN]
    # Without it there would be two tries each time.
    assert others.asked.count("checkout") < 16


def test_chat_answers_without_redis_and_says_that_it_may_forget(
    make, identity, nowhere
):
    chat = Chat(make(redis_url=f"redis://{nowhere}/0"), identity)
    for _ in range(2):
        first, second, *_ = chat.say("show me flowers")
        assert first == seam.FORGETFUL
        assert second.startswith("Here are flowers")


def test_a_restart_of_redis_is_lived_through(make, identity, tmp_path):
    with running(Redis(tmp_path)) as own:
        chat = Chat(make(redis_url=own.url), identity)
        chat.say("show me flowers")
        own.stop()
        assert chat.say("hello")[0] == seam.FORGETFUL
        own.start()
        # Not even a pooled connection that the restart has cut is noticed.
        assert "How many" in chat.say("the first one")[0]


def test_a_redis_that_keeps_silent_does_not_hold_a_guest(make, identity, tmp_path):
    with running(Redis(tmp_path)) as own:
        chat = Chat(make(redis_url=own.url), identity)
        chat.say("hello")
        own.process.send_signal(signal.SIGSTOP)
        try:
            assert chat.say("hello")[0] == seam.FORGETFUL
        finally:
            own.process.send_signal(signal.SIGCONT)


def test_without_resilience_a_silent_service_holds_its_guest(make, identity, others):
    chat = Chat(make(resilience="off"), identity)
    chat.say("hello")
    others.mode["checkout"] = "silent"
    answers = []
    asking = threading.Thread(
        target=lambda: answers.append(chat.say("where is my order?")), daemon=True
    )
    asking.start()
    until(lambda: "checkout" in others.asked, "checkout is asked")
    asking.join(4)  # longer than patience would last
    assert asking.is_alive()
    others.released.set()
    asking.join(20)
    assert ORDER["orderId"] in answers[0][0]
    assert others.asked.count("checkout") == 1


# --- settings -------------------------------------------------------------------------


def test_a_missing_setting_stops_the_start_with_its_name():
    with pytest.raises(SettingsError, match="REDIS_URL"):
        load({})


def test_settings_are_read_from_their_variables():
    names = ("REDIS_URL", "IDENTITY_URL", "CATALOG_URL", "CHECKOUT_URL")
    given = dict.fromkeys((*names, "NLU_SERVICE_KEY"), "x") | {"RESILIENCE": "off"}
    assert load(given | {"DIALOGUE_TTL_SECONDS": "60"}).dialogue_ttl_seconds == 60
    assert load(given).resilience == "off"
