"""nginx with the stage's own template, in front of tiny stubs of the services."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections import Counter

import psutil
import pytest
import requests
from wait import free_ports, until, until_open

from sandbox.nginx.configuration import LINGER_SINCE, partner_rule
from sandbox.nginx.program import find_program, version
from sandbox.nginx.upstreams import Upstreams, write
from sandbox.runner.stages import REPOSITORY, STAGES

NAMES = ("identity", "catalog", "nlu", "checkout", "notifications")
KEY = "Partner.key-1"
RATE = 5


class Stub:
    """A service that tells what it was asked, or does as it is told."""

    def __init__(self, name):
        self.name = name
        self.status = 200
        self.headers = {}
        self.hangs = threading.Event()
        self.seen = []
        self.connections = []
        stub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                stub.connections.append(self.connection)

            def do_GET(self):
                length = int(self.headers.get("Content-Length", 0))
                self.rfile.read(length)
                stub.seen.append((self.command, self.path))
                if stub.hangs.is_set():
                    time.sleep(3)
                told = {"name": name, "path": self.path, "method": self.command}
                told["headers"] = {k.lower(): v for k, v in self.headers.items()}
                answer = json.dumps(told).encode()
                self.send_response(stub.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                for header in stub.headers.items():
                    self.send_header(*header)
                self.end_headers()
                with contextlib.suppress(OSError):  # whoever asked has given up
                    self.wfile.write(answer)

            def log_message(self, *words):
                pass

        for method in ("POST", "PUT", "DELETE"):
            setattr(Handler, f"do_{method}", Handler.do_GET)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class Gateway:
    """The gateway as a process, and the stubs behind it."""

    def __init__(self, folder, **env):
        self.folder = folder
        self.stubs = {name: Stub(name) for name in NAMES}
        self.version = 0
        self.port, self.internal_port = free_ports(2)
        self.tell({name: [stub.port] for name, stub in self.stubs.items()})
        command = [sys.executable, "-m", "sandbox.nginx", "--data", str(folder / "gw")]
        settings = {
            "PORT": str(self.port),
            "GATEWAY_INTERNAL_PORT": str(self.internal_port),
            "UPSTREAMS_FILE": str(folder / "upstreams.json"),
            "PARTNER_API_KEY": KEY,
            "PARTNER_RATE_PER_MINUTE": str(RATE),
            "PYTHONPATH": str(REPOSITORY),
        }
        self.errors = folder / "errors"
        with (folder / "output").open("wb") as output, self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                command,
                cwd=STAGES[2].path,
                env={**os.environ, **settings, **env},
                stdout=output,
                stderr=errors,
            )
        until_open(self.port, self.process)

    def tell(self, ports):
        self.version += 1
        self.before = self.workers() if self.version > 1 else set()
        write(self.folder / "upstreams.json", Upstreams(self.version, ports))

    def until_followed(self):
        url = f"http://127.0.0.1:{self.internal_port}/gateway/version"
        until(
            lambda: requests.get(url, timeout=5).text == str(self.version),
            "the gateway follows",
        )
        until(
            lambda: not any(map(takes_requests, self.before)),
            "the old workers take no more requests",
        )

    def workers(self):
        """The processes that answer; the one above them reads configurations."""
        ours = psutil.Process(self.process.pid)
        return {*ours.children(recursive=True)} - {*ours.children()}

    def ask(self, path, method="GET", port=None, **options):
        url = f"http://127.0.0.1:{port or self.port}{path}"
        return requests.request(method, url, timeout=30, **options)

    def as_written(self, path, method="GET"):
        connection = http.client.HTTPConnection(f"127.0.0.1:{self.port}", timeout=20)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def lines(self):
        return [
            json.loads(line) for line in (self.folder / "output").open() if "{" in line
        ]

    def close(self):
        self.process.terminate()
        self.process.wait(timeout=20)
        for stub in self.stubs.values():
            stub.close()


def takes_requests(worker):
    try:
        sockets = worker.net_connections("inet")
    except psutil.Error:  # it has ended
        return False
    return any(at.status == psutil.CONN_LISTEN for at in sockets)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    gateway = Gateway(tmp_path_factory.mktemp("gateway"))
    yield gateway
    gateway.close()


@pytest.fixture
def own_gateway(tmp_path):
    gateway = Gateway(tmp_path)
    yield gateway
    gateway.close()


@pytest.mark.parametrize(
    ("method", "path", "service"),
    [
        ("POST", "/v1/signup", "identity"),
        ("POST", "/v1/login", "identity"),
        ("POST", "/v1/logout", "identity"),
        ("GET", "/v1/products?limit=2&text=a%20b", "catalog"),
        ("GET", "/v1/products/roses-red-dozen", "catalog"),
        ("POST", "/v1/nlu", "nlu"),
        ("POST", "/v1/chatbot", "nlu"),
        ("POST", "/v1/checkout", "checkout"),
        ("GET", "/v1/orders", "checkout"),
        ("GET", "/v1/orders/ord_1", "checkout"),
        # A wrong method is the service's to refuse.
        ("GET", "/v1/checkout", "checkout"),
    ],
)
def test_each_request_goes_to_the_service_whose_it_is(method, path, service, gateway):
    told = gateway.ask(path, method).json()
    assert (told["name"], told["method"], told["path"]) == (service, method, path)


def test_partners_come_in_by_their_key(gateway):
    wrong = [None, "", "nonsense", KEY.lower(), KEY + "x", "x" * 7000, "P" + KEY]
    for key in wrong:
        answer = gateway.ask("/v1/partner/products", headers={"X-Api-Key": key})
        assert answer.status_code == 403
        assert "X-Api-Key" in answer.json()["message"]
    answer = gateway.ask("/v1/partner/products", headers={"X-Api-Key": KEY})
    assert answer.json()["name"] == "catalog"


def test_over_its_rate_a_partner_is_told_when_to_come_again(own_gateway):
    def ask():
        return own_gateway.ask("/v1/partner/products", headers={"X-Api-Key": KEY})

    answers = [ask() for _ in range(RATE + 1)]
    assert [a.status_code for a in answers] == [200] * RATE + [429]
    assert answers[-1].headers["Retry-After"] == str(60 // RATE)
    assert answers[-1].json()["code"] == 429
    assert f"{RATE} calls a minute" in answers[-1].json()["message"]
    # Guests have nothing to do with it.
    assert own_gateway.ask("/v1/products").ok


def test_without_a_partner_nobody_is_one(tmp_path):
    gateway = Gateway(tmp_path, PARTNER_API_KEY="")
    try:
        for key in ("", KEY):
            answer = gateway.ask("/v1/partner/products", headers={"X-Api-Key": key})
            assert answer.status_code == 403
    finally:
        gateway.close()


def test_a_partners_key_is_compared_letter_by_letter():
    [pattern] = re.findall(r'"~(.*)" 1;', partner_rule("a.B|c"))
    as_python = pattern.replace(r"\z", r"\Z")
    assert re.search(as_python, "a.B|c")
    for other in ("axB|c", "a.b|c", "a.B", "c", "a.B|c\n"):
        assert not re.search(as_python, other)


INTERNAL = ["keys", "products", "reservations/ord_1", "notifications/ord_1/e"]
SPELLINGS = [
    "/v1/internal/{}",
    "/v1/%69nternal/{}",
    "/%76%31/internal/{}",
    "//v1//internal//{}",
    "/v1/x/../internal/{}",
    "/v1/products/../internal/{}",
    "/v1/products/%2e%2e/internal/{}",
    "/v1/products/..%2finternal/{}",
    "/v1/orders/%2e%2e%2finternal/{}",
    "/v1/products/%252e%252e/internal/../../internal/{}",
    "/v1/./internal/{}",
    "/v1/%2569nternal/{}",
    "/V1/internal/{}",
    "/v1/INTERNAL/{}",
    "/v1/internal;x=1/{}",
    "/v1/internal%2f{}",
    "/v1/internal%5c{}",
    "http://elsewhere/v1/internal/{}",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("operation", INTERNAL)
def test_what_is_internal_is_404_in_any_spelling(operation, spelling, gateway):
    for stub in gateway.stubs.values():
        stub.seen.clear()
    for method in ("GET", "PUT", "DELETE", "POST"):
        status, body = gateway.as_written(spelling.format(operation), method)
        assert status == json.loads(body)["code"] == 404
    assert [stub.seen for stub in gateway.stubs.values()] == [[]] * len(NAMES)


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/v1/internal/keys", "identity"),
        ("/v1/internal/products", "catalog"),
        ("/v1/internal/reservations/ord_1", "catalog"),
        ("/v1/internal/notifications/ord_1/order-confirmed", "notifications"),
        ("/v1/products/roses", "catalog"),
        ("/v1/orders", "checkout"),
    ],
)
def test_services_find_one_another_by_the_inner_door(path, service, gateway):
    headers = {"X-Service-Token": "t", "X-Deadline": "1", "X-Order-Id": "ord_1"}
    told = gateway.ask(path, port=gateway.internal_port, headers=headers).json()
    assert told["name"] == service
    assert {k: told["headers"][k.lower()] for k in headers} == headers


def test_the_inner_door_leads_nowhere_else(gateway):
    for path in ("/v1/signup", "/v1/partner/products", "/", "/v1/internal/other"):
        answer = gateway.ask(path, port=gateway.internal_port)
        assert answer.status_code == answer.json()["code"] == 404


def test_what_only_services_may_say_is_dropped_from_outside(gateway):
    headers = {"X-Service-Token": "t", "X-Deadline": "1", "X-Order-Id": "ord_1"}
    told = gateway.ask("/v1/products", headers=headers).json()["headers"]
    assert not {name.lower() for name in headers} & told.keys()


def test_a_service_is_told_when_the_gateway_got_a_request(gateway):
    before = time.time()
    headers = {"X-Received": "0"}
    told = gateway.ask("/v1/products", headers=headers).json()["headers"]
    assert before - 1 < float(told["x-received"]) < time.time() + 1


def test_credentials_and_keys_reach_the_service(gateway):
    headers = {"Authorization": "Bearer t", "Idempotency-Key": "k"}
    told = gateway.ask("/v1/checkout", "POST", headers=headers).json()["headers"]
    assert told["authorization"] == "Bearer t"
    assert told["idempotency-key"] == "k"


@pytest.mark.parametrize(("given", "kept"), [("abc-1_Z", True), ('a"b', False)])
def test_a_request_id_goes_along_and_comes_back(given, kept, gateway):
    answer = gateway.ask("/v1/products", headers={"X-Request-Id": given})
    inside = answer.json()["headers"]["x-request-id"]
    assert answer.headers["X-Request-Id"] == inside
    assert (inside == given) == kept
    until(
        lambda: any(line["request_id"] == inside for line in gateway.lines()),
        "its line in the log",
    )


def test_the_log_is_json_without_tokens(gateway):
    gateway.ask("/v1/products?token=secret1", headers={"Authorization": "secret2"})
    until(lambda: gateway.lines(), "a line")
    assert "secret" not in (gateway.folder / "output").read_text()


# Its own errors


@pytest.mark.parametrize(
    ("method", "path", "options", "code"),
    [
        ("GET", "/v1/nothing", {}, 404),
        ("GET", "/v1", {}, 404),
        ("GET", "/nothing.html", {}, 404),
        ("GET", "/docs/assets/nothing.js", {}, 404),
        ("POST", "/index.html", {}, 405),
        ("TRACE", "/v1/checkout", {}, 405),
        ("POST", "/v1/nlu", {"data": b"x" * 65537}, 413),
        ("POST", "/v1/nlu", {"data": iter([b"x" * 40000] * 2)}, 413),
        ("GET", "/v1/products?" + "x" * 9000, {}, 414),
    ],
)
def test_its_errors_are_the_contracts(method, path, options, code, gateway):
    answer = gateway.ask(path, method, **options)
    assert answer.status_code == answer.json()["code"] == code
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["message"]
    assert "Allow" in answer.headers or code != 405
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_body_of_64_kib_goes_through(gateway):
    assert gateway.ask("/v1/nlu", "POST", data=b"x" * 65536).ok


def test_a_service_that_is_away_is_503_with_advice_and_the_others_go_on(own_gateway):
    own_gateway.stubs["nlu"].close()
    answer = own_gateway.ask("/v1/nlu", "POST")
    assert answer.status_code == answer.json()["code"] == 503
    assert answer.headers["Retry-After"] == "5"
    assert own_gateway.ask("/v1/products").ok
    own_gateway.stubs["nlu"] = Stub("nlu")


@pytest.mark.parametrize("status", [404, 429, 500, 503])
def test_what_a_service_says_itself_stays_as_it_is(status, gateway):
    checkout = gateway.stubs["checkout"]
    checkout.status, checkout.headers = status, {"Retry-After": "17"}
    try:
        answer = gateway.ask("/v1/orders")
    finally:
        checkout.status, checkout.headers = 200, {}
    assert answer.status_code == status
    assert answer.json()["name"] == "checkout"
    assert answer.headers["Retry-After"] == "17"


# Health and replicas


def test_the_site_is_alive_as_long_as_one_service_is(own_gateway):
    for name in NAMES[:-1]:
        own_gateway.stubs[name].close()
    seen = [own_gateway.ask("/v1/health") for _ in range(6)]
    assert {a.status_code for a in seen} == {200}
    assert {a.json()["name"] for a in seen} == {"notifications"}
    own_gateway.stubs["notifications"].close()
    assert own_gateway.ask("/v1/health").status_code == 503
    own_gateway.stubs = {}


def test_a_hung_service_does_not_hold_the_health_up(own_gateway):
    for name in NAMES[:-1]:
        own_gateway.stubs[name].hangs.set()
    answer = own_gateway.ask("/v1/health")
    assert answer.json()["name"] == "notifications"


@pytest.mark.xfail(
    version(find_program()) < LINGER_SINCE and "CI" not in os.environ,
    reason="this nginx cannot do it",
)
def test_who_is_connected_loses_no_request_when_the_places_change(own_gateway):
    ports = [own_gateway.port, own_gateway.internal_port]
    kept = [http.client.HTTPConnection("127.0.0.1", n, timeout=20) for n in ports]

    def ask(connection):
        connection.request("GET", "/v1/products")
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.will_close

    assert [ask(connection) for connection in kept] == 2 * [(200, False)]
    own_gateway.tell({name: [s.port] for name, s in own_gateway.stubs.items()})
    own_gateway.until_followed()
    # The old workers answer once more, and say that this was the last time.
    assert [ask(connection) for connection in kept] == 2 * [(200, True)]
    for connection in kept:
        connection.close()


def test_replicas_share_the_work_and_a_dead_one_costs_nobody_anything(own_gateway):
    second = Stub("second")
    ports = {name: [stub.port] for name, stub in own_gateway.stubs.items()}
    own_gateway.tell(ports | {"catalog": [ports["catalog"][0], second.port]})
    own_gateway.until_followed()
    seen = Counter(own_gateway.ask("/v1/products").json()["name"] for _ in range(10))
    assert seen == {"catalog": 5, "second": 5}
    second.close()
    answers = [own_gateway.ask("/v1/products") for _ in range(10)]
    assert {a.json()["name"] for a in answers} == {"catalog"}
    answers = [own_gateway.ask("/v1/products", "POST") for _ in range(4)]
    assert {a.status_code for a in answers} == {200}


def test_what_may_have_been_done_is_not_sent_again(own_gateway):
    class Breaker(http.server.BaseHTTPRequestHandler):
        seen = 0

        def do_POST(self):
            Breaker.seen += 1
            self.connection.close()  # after it was read, before any answer

        def log_message(self, *words):
            pass

    breaker = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Breaker)
    threading.Thread(target=breaker.serve_forever, daemon=True).start()
    ports = {name: [stub.port] for name, stub in own_gateway.stubs.items()}
    own_gateway.tell(ports | {"checkout": [breaker.server_port] * 2})
    own_gateway.until_followed()
    answer = own_gateway.ask("/v1/checkout", "POST", data=b"{}")
    assert answer.status_code == 503
    assert Breaker.seen == 1
    breaker.shutdown()
    breaker.server_close()


def test_a_list_that_nginx_does_not_take_leaves_it_as_it_was(own_gateway):
    own_gateway.tell({"catalog": [99999]})
    until(
        lambda: "the gateway stays as it was" in own_gateway.errors.read_text(),
        "it says that it does not take it",
    )
    assert own_gateway.ask("/v1/products").ok
    assert own_gateway.process.poll() is None


# The page


def test_the_page_the_contract_and_swagger_are_there(gateway):
    page = gateway.ask("/")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = page.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert policy == stage1_policy()
    assert gateway.ask("/config.json").json() == {
        "stage": 2,
        "api_url": "/v1",
        "auth": "bearer",
    }
    assert "openapi: 3" in gateway.ask("/openapi.yaml").text
    assert gateway.ask("/docs").url.endswith("/docs/")
    assert "swagger-ui" in gateway.ask("/docs/").text
    for path in ("/docs/assets/swagger-ui-bundle.js", "/js/pages/chat.js"):
        assert gateway.ask(path).headers["Content-Type"].startswith("text/javascript")
    assert gateway.ask("/favicon.svg").headers["Content-Type"] == "image/svg+xml"


def stage1_policy():
    from concierge.site import CONTENT_SECURITY_POLICY

    return CONTENT_SECURITY_POLICY


def test_nothing_beside_the_page_is_served(gateway):
    for path in ("/../README.md", "/%2e%2e/Makefile", "/docs/assets/../../config.json"):
        status, body = gateway.as_written(path)
        assert status in (400, 404) or b"api_url" in body
    assert gateway.as_written("/docs/assets../__init__.py")[0] == 404


def test_it_listens_on_loopback_only_and_leaves_nothing(tmp_path):
    gateway = Gateway(tmp_path)
    nginx = psutil.Process(gateway.process.pid).children(recursive=True)
    sockets = [s for p in nginx for s in p.net_connections("inet")]
    listening = {s.laddr.ip for s in sockets if s.status == psutil.CONN_LISTEN}
    assert listening == {"127.0.0.1"}
    gateway.close()
    assert gateway.process.returncode == 0
    assert not any(p.is_running() and p.status() != "zombie" for p in nginx)
