"""The mailbox over the outbox of the local AWS: the same page, the same JSON."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sandbox.mailbox.outbox import Outbox
from sandbox.mailbox.page import create_page

JSON = {"Accept": "application/json"}
ADA, BOB = "ada@example.org", "bob@example.org"


def letter(number, to, **fields):
    """A letter as MiniStack shows it under /_ministack/ses/messages."""
    return {
        "MessageId": f"{number}@email.amazonses.com",
        "Source": "concierge@example.org",
        "To": [to],
        "CC": [],
        "BCC": [],
        "Subject": f"Letter {number}",
        "BodyText": "On their way",
        "BodyHtml": "",
        "Timestamp": 1_795_420_620.0 + number,
        "Type": "SendEmail",
    } | fields


TEXT = {
    "PhoneNumber": "+15550100",
    "MessageId": "sms-1",
    "Message": "Yes",
    "Subject": None,
}


class Aws:
    """Answers like MiniStack, with what a test puts in."""

    def __init__(self):
        self.letters = []
        self.texts = []
        aws = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                body = {
                    "/_ministack/ses/messages": {
                        "messages": {"000000000000": aws.letters}
                    },
                    "/_ministack/sns/sms-messages": {
                        "sms_messages": {"+15550100": aws.texts}
                    },
                }[self.path]
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, *_):
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def aws():
    aws = Aws()
    yield aws
    aws.server.shutdown()
    aws.server.server_close()


@pytest.fixture
def client(aws):
    return create_page(Outbox(aws.url)).test_client()


def listed(client, path="/"):
    return client.get(path, headers=JSON).get_json()


def test_a_letter_looks_like_one_that_came_over_smtp(aws, client):
    aws.letters = [letter(1, ADA)]
    [mail] = listed(client)
    assert mail == {
        "id": mail["id"],
        "to": ADA,
        "from": "concierge@example.org",
        "subject": "Letter 1",
        "text": "On their way",
        "headers": {
            "Message-ID": "1@email.amazonses.com",
            "From": "concierge@example.org",
            "To": ADA,
            "Subject": "Letter 1",
        },
        "received_at": "2026-11-23T07:57:01.000Z",
    }
    assert listed(client, f"/messages/{mail['id']}") == mail
    assert client.get("/messages/1").status_code == 404


def test_newest_come_first_and_one_recipient_can_be_picked(aws, client):
    aws.letters = [letter(1, ADA), letter(2, BOB), letter(3, ADA)]
    assert [mail["subject"] for mail in listed(client)] == [
        "Letter 3",
        "Letter 2",
        "Letter 1",
    ]
    assert [mail["subject"] for mail in listed(client, "/?to=BOB@example.org")] == [
        "Letter 2"
    ]


def test_every_recipient_gets_an_own_entry(aws, client):
    aws.letters = [letter(1, ADA, CC=[BOB], BCC=["eve@example.org"])]
    assert {mail["to"] for mail in listed(client)} == {ADA, BOB, "eve@example.org"}
    assert len({mail["id"] for mail in listed(client)}) == 3


def test_a_text_message_is_there_too_and_keeps_its_place(aws, client):
    aws.texts = [TEXT]
    [mail] = listed(client)
    assert (mail["to"], mail["from"], mail["text"]) == ("+15550100", "SMS", "Yes")
    assert listed(client) == [mail]


def test_markup_is_shown_as_text(aws, client):
    markup = "<script>alert(1)</script>"
    aws.letters = [letter(1, ADA, Subject=markup, BodyText="", BodyHtml=markup)]
    [mail] = listed(client)
    for path in ("/", f"/messages/{mail['id']}"):
        page = client.get(path)
        assert "<script" not in page.text
        assert "script&gt;alert(1)" in page.text


def test_what_was_thrown_away_does_not_come_back(aws, client):
    aws.letters = [letter(1, ADA)]
    assert client.delete("/", headers=JSON).status_code == 204
    aws.letters += [letter(2, ADA)]
    assert [mail["subject"] for mail in listed(client)] == ["Letter 2"]


def test_mail_that_goes_through_aws_has_no_faults_here(client):
    assert client.get("/_sandbox/faults").status_code == 404


def test_an_aws_that_is_away_is_told():
    answer = create_page(Outbox("http://127.0.0.1:1")).test_client().get("/")
    assert answer.status_code == 503
    assert "Look whether the stage is running" in answer.get_json()["message"]
