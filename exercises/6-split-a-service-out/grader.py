"""What exercise 6 is graded by. Run it with `make grade EXERCISE=6`.

Postman is started alone by its line of the Procfile, in a folder without the monolith,
and has a mail server that can be made to do what real ones do. The monolith's side runs
here, without a database: its notifications are told what is due.
"""

import ast
import asyncio
import datetime as dt
import importlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests
from aiosmtpd.controller import Controller

from course import handed_in

sys.dont_write_bytecode = True
STAGE = "stage1_monolith"
KEY = "a-key-of-the-grader-" + 16 * "k"
SENDER = "Concierge <concierge@example.com>"
ORDER, EVENT = "ord_" + 24 * "0", "order-confirmed"
# How long one call may take, and when a call counts as stuck on a busy machine.
PATIENCE_SECONDS, STUCK_SECONDS = 1.0, 15
START_SECONDS = 40
SAID = {
    "email": "ada@example.com",
    "name": "A dozen red roses",
    "quantity": 2,
    "amount": 9998,
    "currency": "usd",
    "delivery_address": "5 Main Street, Springfield",
    "delivery_date": "2027-01-15",
    "message": "Thank you! Your order is confirmed.",
}
DUE = SAID | {
    "order_id": ORDER,
    "event": EVENT,
    "delivery_date": dt.date(2027, 1, 15),
}


def check(holds, complaint):
    """Fail with a complaint, and without a traceback, unless something holds."""
    if not holds:
        pytest.fail(complaint, pytrace=False)


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class MailServer:
    """Takes letters over SMTP, or does not."""

    def __init__(self):
        self.port, self.letters, self.does = free_port(), [], "take"
        self._server = None
        self.start()

    def start(self):
        self._server = Controller(self, hostname="127.0.0.1", port=self.port)
        self._server.start()

    def stop(self):
        self._server.stop()

    @contextmanager
    def doing(self, what):
        """Let it do something else for a while: refuse, later, hang."""
        self.does = what
        try:
            yield
        finally:
            self.does = "take"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.does == "refuse":
            return "550 nobody of this name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if self.does == "later":
            return "451 try again later"
        if self.does == "hang":
            await asyncio.sleep(STUCK_SECONDS)
        self.letters.append(message_from_bytes(envelope.content))
        return "250 OK"


class Postman:
    """The student's service, started by its line of the Procfile."""

    def __init__(self, folder, mail_port):
        self._folder, self._mail_port = folder, mail_port
        self._process, self._port, self._complaint = None, free_port(), None

    def url(self):
        """Start it, unless it was started; return its address."""
        if self._process is None and self._complaint is None:
            self._complaint = self._start()
        check(self._complaint is None, self._complaint)
        return f"http://127.0.0.1:{self._port}"

    def put(self, order=ORDER, event=EVENT, said=None, key=KEY, **more):
        """Ask for a letter; return the status."""
        body = {"data": more["data"]} if "data" in more else {"json": said or SAID}
        headers = {"Content-Type": "application/json"}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        url = f"{self.url()}/letters/{order}/{event}"
        return requests.put(url, headers=headers, timeout=STUCK_SECONDS, **body)

    def stop(self):
        if self._process and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            self._process.wait(10)

    def _start(self):
        """Start it alone; return what is wrong, if anything."""
        command = parts().get("postman")
        if not command:
            return f"{STAGE}/Procfile has no line `postman: ...` that starts it."
        shutil.copytree(handed_in.path(f"{STAGE}/postman"), self._folder / "postman")
        here = {
            name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ
        }
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = here | {
            "PATH": path,
            "PYTHONDONTWRITEBYTECODE": "1",
            "POSTMAN_PORT": str(self._port),
            "POSTMAN_KEY": KEY,
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(self._mail_port),
            "SMTP_TIMEOUT_SECONDS": str(PATIENCE_SECONDS),
            "MAIL_FROM": SENDER,
        }
        output = self._folder / "output"
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", f"exec {command}"],
            cwd=self._folder,
            env=environment,
            stdout=output.open("wb"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        for _ in range(START_SECONDS * 10):
            if self._process.poll() is not None:
                break
            try:
                requests.get(f"http://127.0.0.1:{self._port}/health", timeout=5)
                return None
            except requests.RequestException:
                time.sleep(0.1)
        said = output.read_text(errors="replace")[-1500:]
        return (
            f"Postman does not start alone. In a folder with postman/ and nothing "
            f"else, `{command}` said:\n{said}"
        )


def parts():
    """Return the lines of the Procfile by their names."""
    text = handed_in.path(f"{STAGE}/Procfile").read_text(encoding="utf-8")
    return dict(re.findall(r"^(\w+): *(.+)$", text, re.MULTILINE))


@pytest.fixture(scope="session")
def mail():
    server = MailServer()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postman(mail, tmp_path_factory):
    service = Postman(tmp_path_factory.mktemp("alone"), mail.port)
    yield service
    service.stop()


@pytest.fixture(autouse=True)
def empty(mail):
    mail.letters.clear()


class Ill(ThreadingHTTPServer):
    """Stands in for a postman that is ill."""

    daemon_threads = True

    def __init__(self, status):
        super().__init__(("127.0.0.1", 0), _Answering)
        self.status, self.awake = status, threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class _Answering(BaseHTTPRequestHandler):
    def do_PUT(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.server.status is None:
            self.server.awake.wait(STUCK_SECONDS * 2)
        self.send_response(self.server.status or 204)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


@contextmanager
def ill(status=None):
    """Serve answers of one status, or none at all."""
    server = Ill(status)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server.url
    finally:
        server.awake.set()
        server.shutdown()


@pytest.fixture(scope="session")
def concierge():
    """Load the monolith with the student's files in it."""
    importlib.import_module("concierge")
    for name in ("config", "notifications", "services"):
        handed_in.module(f"{STAGE}/concierge/{name}.py", f"concierge.{name}")
    names = ("config", "services")
    loaded = {name: importlib.import_module(f"concierge.{name}") for name in names}
    return SimpleNamespace(**loaded)


@pytest.fixture
def notify(concierge):
    """Let the monolith tell a guest, over a postman at an address; tell what it did."""

    def told(url, **more):
        settings = {
            "DATABASE_URL": "postgresql+psycopg://postgres@127.0.0.1:9/nothing",
            "STRIPE_API_KEY": "sk_test_sandbox",
            "NLU_ENGINE": "rules",
            # Nobody is there: letters are postman's now.
            "SMTP_PORT": "9",
            "POSTMAN_URL": url,
            "POSTMAN_KEY": KEY,
            "POSTMAN_TIMEOUT_SECONDS": str(PATIENCE_SECONDS),
        }
        known = concierge.config.Settings.__struct_fields__
        for name in ("postman_url", "postman_key", "postman_timeout_seconds"):
            check(name in known, f"{STAGE}/concierge/config.py: no setting {name}.")
        read = concierge.config.load(settings | more)
        notifications = concierge.services.assemble(read).notifications
        noted = {}
        notifications._lease = lambda _: dict(DUE)
        notifications._note = lambda key, **values: noted.update(values)
        return stuck_or(lambda: notifications.send(ORDER)), noted

    return told


def stuck_or(call):
    """Return what a call returns; it must not get stuck, and raises nothing."""
    answers, raised = [], []

    def run():
        try:
            answers.append(call())
        except Exception as error:
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(STUCK_SECONDS)
    check(not thread.is_alive(), f"The monolith was stuck for {STUCK_SECONDS} s.")
    check(not raised, f"notifications.send raised {raised}: no order fails for mail.")
    return answers[0]


@pytest.mark.row(1)
def test_the_monolith_still_has_all_its_parts():
    missing = {"postgres", "stripe", "mailbox", "web"} - parts().keys()
    check(not missing, f"{STAGE}/Procfile has lost {', '.join(sorted(missing))}.")


@pytest.mark.row(1)
def test_postman_starts_alone(postman):
    status = requests.get(f"{postman.url()}/health", timeout=STUCK_SECONDS).status_code
    check(status < 300, f"GET /health says {status}.")


@pytest.mark.row(1)
def test_a_letter_arrives(postman, mail):
    status = postman.put().status_code
    check(status == 204, f"PUT /letters/{ORDER}/{EVENT} says {status}, and not 204.")
    check(len(mail.letters) == 1, f"{len(mail.letters)} letters arrived.")
    (letter,) = mail.letters
    text = letter.get_payload(decode=True).decode()
    heads = {name: letter[name] for name in ("To", "From", "Subject", "X-Order-Id")}
    right = {
        "To": "ada@example.com",
        "From": SENDER,
        "Subject": "Your order is confirmed: A dozen red roses",
        "X-Order-Id": ORDER,
    }
    check(heads == right, f"Its headers are {heads}.")
    check("99.98 USD" in text and "15 January 2027" in text, f"It says:\n{text}")


@pytest.mark.row(1)
def test_a_letter_that_is_sent_twice_has_one_name(postman, mail):
    postman.put()
    postman.put()
    names = {letter["Message-ID"] for letter in mail.letters}
    check(len(mail.letters) == 2 and len(names) == 1, f"They are called {names}.")


@pytest.mark.row(2)
def test_a_stranger_cannot_write_in_our_name(postman, mail):
    for key in (None, "another-key"):
        status = postman.put(key=key).status_code
        check(status == 401, f"Without our key, PUT /letters says {status}.")
    check(mail.letters == [], "A stranger's letter was sent.")


@pytest.mark.row(2)
def test_nonsense_is_refused(postman, mail):
    less = {name: value for name, value in SAID.items() if name != "email"}
    for what, answer, right in (
        ("a body that is no JSON", postman.put(data=b"{"), 400),
        ("a body without `email`", postman.put(said=less), 400),
        ("an amount in words", postman.put(said=SAID | {"amount": "much"}), 400),
        ("an event that there is not", postman.put(event="order-eaten"), 404),
    ):
        given = answer.status_code
        check(given == right, f"To {what}, postman says {given}, and not {right}.")
    check(mail.letters == [], "A letter was sent all the same.")


@pytest.mark.row(2)
def test_a_letter_that_nobody_wants_is_told_from_one_that_can_wait(postman, mail):
    for does, right in (("refuse", 422), ("later", 503), ("hang", 503)):
        with mail.doing(does):
            status = postman.put().status_code
        check(
            status == right,
            f"The mail server did this: {does}. Postman says {status}; it should say "
            f"{right}, so that its caller knows whether to try again.",
        )


@pytest.mark.row(2)
def test_a_mail_server_that_is_away_is_no_error_of_ours(postman, mail):
    postman.url()
    mail.stop()
    try:
        status = postman.put().status_code
    finally:
        mail.start()
    check(status == 503, f"The mail server is away, and postman says {status}.")


@pytest.mark.row(3)
def test_the_monolith_has_letters_sent(postman, mail, notify):
    sent, noted = notify(postman.url())
    check(sent and "sent_at" in noted, f"It was not noted as sent: {noted}.")
    check(len(mail.letters) == 1, f"{len(mail.letters)} letters arrived.")


@pytest.mark.row(3)
def test_a_letter_that_nobody_wants_holds_up_no_other(postman, mail, notify):
    with mail.doing("refuse"):
        goes_on, noted = notify(postman.url())
    check(
        goes_on and noted.keys() == {"leased_until"},
        "A refused letter is put off for long, and the next one sent (True); "
        f"yours returned {goes_on} and noted {sorted(noted)}.",
    )


@pytest.mark.row(3)
def test_while_postman_is_ill_letters_wait_and_nothing_else(notify):
    for status in (500, 503, 401, 404):
        with ill(status) as url:
            goes_on, noted = notify(url)
        check(
            not goes_on and noted.keys() == {"leased_until"},
            f"Postman says {status}: the letter is tried again later (False). Yours "
            f"returned {goes_on} and noted {sorted(noted)}.",
        )


@pytest.mark.row(3)
def test_while_postman_is_away_or_hangs_nobody_waits_for_it(notify):
    with ill(None) as hanging:
        for what, url in (("away", "http://127.0.0.1:9"), ("hanging", hanging)):
            goes_on, noted = notify(url)
            check(
                not goes_on and noted.keys() == {"leased_until"},
                f"Postman is {what}: the letter is tried again later (False). Yours "
                f"returned {goes_on} and noted {sorted(noted)}.",
            )


@pytest.mark.row(4)
def test_the_monolith_writes_no_letters_any_more():
    file = f"{STAGE}/concierge/notifications.py"
    tree = ast.parse(handed_in.path(file).read_text(encoding="utf-8"))
    named = {
        name
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    found = named & {"smtplib", "letters", "email.message"}
    check(not found, f"{file} still imports {', '.join(sorted(found))}.")
    left = handed_in.path(f"{STAGE}/concierge/letters.py")
    check(not left.exists(), "The words of the letters are in the monolith, too.")


@pytest.mark.row(4)
def test_neither_imports_the_other():
    for folder, other in (("postman", "concierge"), ("concierge", "postman")):
        for file in handed_in.path(f"{STAGE}/{folder}").glob("*.py"):
            text = file.read_text(encoding="utf-8")
            found = re.search(rf"^\s*(?:from|import) {other}\b", text, re.MULTILINE)
            check(not found, f"{folder}/{file.name} imports {other}.")
