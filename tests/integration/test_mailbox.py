"""The mailbox: real SMTP in, the page and the JSON list out."""

from __future__ import annotations

import signal
import smtplib
import subprocess
import sys
from email.message import EmailMessage

import psutil
import pytest
import requests
from wait import free_ports, until_open

JSON = {"Accept": "application/json"}


class Mailbox:
    def __init__(self, folder):
        self.folder = folder
        self.port, self.smtp_port = free_ports(2)
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self):
        command = [sys.executable, "-m", "sandbox.mailbox"]
        ports = ["--port", str(self.port), "--smtp-port", str(self.smtp_port)]
        data = ["--data", str(self.folder / "mailbox.sqlite")]
        self.process = subprocess.Popen([*command, *ports, *data])
        until_open(self.port, self.process)
        until_open(self.smtp_port, self.process)

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(timeout=10)

    def smtp(self, timeout=10):
        return smtplib.SMTP("127.0.0.1", self.smtp_port, timeout=timeout)

    def send(self, subject="Flowers", to="ada@example.org", text="On their way"):
        message = EmailMessage()
        message["From"] = "concierge@example.org"
        message["To"] = to
        message["X-Order-Id"] = "ord_1"
        if subject is not None:
            message["Subject"] = subject
        message.set_content(text)
        with self.smtp() as smtp:
            smtp.send_message(message)

    def send_bytes(self, raw, to="ada@example.org"):
        with self.smtp() as smtp:
            smtp.sendmail("concierge@example.org", [to], raw)

    def list(self, **params):
        answer = requests.get(self.url + "/", params=params, headers=JSON, timeout=10)
        return answer.json()

    def put_faults(self, **faults):
        url = self.url + "/_sandbox/faults"
        return requests.put(url, json=faults, timeout=10)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    mailbox = Mailbox(tmp_path_factory.mktemp("mailbox"))
    yield mailbox
    assert mailbox.stop() == 0


@pytest.fixture
def mailbox(running):
    requests.delete(running.url + "/_sandbox/faults", timeout=10)
    requests.delete(running.url + "/", headers=JSON, timeout=10)
    return running


def test_mail_arrives_in_the_json_list(mailbox):
    mailbox.send(subject="Grüße")
    [mail] = mailbox.list()
    assert mail["to"] == "ada@example.org"
    assert mail["from"] == "concierge@example.org"
    assert mail["subject"] == "Grüße"
    assert mail["text"].strip() == "On their way"
    assert mail["headers"]["X-Order-Id"] == "ord_1"
    assert mail["received_at"].endswith("Z")


def test_newest_mail_comes_first_and_one_recipient_can_be_picked(mailbox):
    mailbox.send(subject="first", to="ada@example.org")
    mailbox.send(subject="second", to="bob@example.org")
    assert [mail["subject"] for mail in mailbox.list()] == ["second", "first"]
    assert [mail["subject"] for mail in mailbox.list(to="ADA@example.org")] == ["first"]


def test_every_recipient_gets_an_own_entry(mailbox):
    with mailbox.smtp() as smtp:
        smtp.sendmail("a@example.org", ["b@example.org", "c@example.org"], "Hello")
    assert {mail["to"] for mail in mailbox.list()} == {"b@example.org", "c@example.org"}


@pytest.mark.parametrize("part", ["subject", "text", "to"])
def test_markup_is_shown_as_text(mailbox, part):
    fields = {"subject": "x", "text": "x", "to": "a@example.org"}
    fields[part] = '"<script>alert(1)</script>"@example.org'
    raw = f"Subject: {fields['subject']}\r\n\r\n{fields['text']}"
    mailbox.send_bytes(raw.encode(), to=fields["to"])
    [mail] = mailbox.list()
    for path in ("/", f"/messages/{mail['id']}"):
        page = requests.get(mailbox.url + path, timeout=10)
        assert page.status_code == 200
        assert "<script" not in page.text
        assert "script&gt;alert(1)" in page.text
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]


def test_page_links_each_message_and_its_style(mailbox):
    mailbox.send(subject="Tulips")
    page = requests.get(mailbox.url, timeout=10).text
    [mail] = mailbox.list()
    assert f"/messages/{mail['id']}" in page
    for name in ("mailbox.css", "mailbox.svg"):
        assert name in page
        assert requests.get(f"{mailbox.url}/static/{name}", timeout=10).ok
    assert requests.get(mailbox.url + "/messages/999999", timeout=10).status_code == 404


BROKEN = {
    "unknown charset": b"Content-Type: text/plain; charset=klingon\r\n\r\nq\xe9",
    "wrong bytes": b"Content-Type: text/plain; charset=utf-8\r\n\r\n\xff\xfe\xe9",
    "8-bit header": b"Subject: caf\xe9 \xff\r\n\r\nhello",
    "bad encoded word": b"Subject: =?utf-8?b?!!!?= =?klingon?q?a?=\r\n\r\nhello",
    "bad base64": b"Content-Transfer-Encoding: base64\r\n\r\n!!!*",
    "no subject": b"From: a@example.org\r\n\r\nhello",
    "no header": b"just words",
    "nothing": b"",
    "NUL bytes": b"Subject: a\0b\r\n\r\nc\0d",
    "unclosed multipart": b'Content-Type: multipart/mixed; boundary="x"\r\n\r\n--x\r\n',
    "5 MB": b"Subject: big\r\n\r\n" + b"0123456789abcdef\r\n" * 300_000,
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_message_is_kept_and_breaks_nothing(mailbox, name):
    mailbox.send_bytes(BROKEN[name])
    mailbox.send(subject="after")
    after, broken = mailbox.list()
    assert after["subject"] == "after"
    page = f"{mailbox.url}/messages/{broken['id']}"
    assert requests.get(page, timeout=30).status_code == 200
    assert requests.get(mailbox.url, timeout=30).status_code == 200


def test_empty_on_request(mailbox):
    mailbox.send()
    assert requests.delete(mailbox.url + "/", timeout=10).status_code == 406
    assert len(mailbox.list()) == 1
    requests.delete(mailbox.url + "/", headers=JSON, timeout=10)
    assert mailbox.list() == []


def test_refusing_mail_answers_451(mailbox):
    assert mailbox.put_faults(refuse=True).json()["refuse"] is True
    with pytest.raises(smtplib.SMTPSenderRefused) as refused:
        mailbox.send()
    assert refused.value.smtp_code == 451
    assert mailbox.list() == []
    mailbox.put_faults()
    mailbox.send()
    assert len(mailbox.list()) == 1


def test_hanging_mail_times_out_at_the_sender(mailbox):
    mailbox.put_faults(hang=True)
    smtp = mailbox.smtp(timeout=0.5)
    with pytest.raises((TimeoutError, smtplib.SMTPServerDisconnected)):
        smtp.sendmail("a@example.org", ["b@example.org"], "Hello")
    smtp.close()
    assert mailbox.list() == []


def test_a_lost_answer_leaves_the_mail_stored(mailbox):
    mailbox.put_faults(lose_answer=True)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        mailbox.send()
    assert len(mailbox.list()) == 1


def test_latency_and_share_are_taken(mailbox):
    answer = mailbox.put_faults(latency_ms=1, share=0.5)
    assert (answer.json()["latency_ms"], answer.json()["share"]) == (1, 0.5)
    mailbox.send()
    assert len(mailbox.list()) == 1


@pytest.mark.parametrize("body", ["{", "[]", '{"refuze": true}', '{"share": 2}'])
def test_a_wrong_fault_is_refused_with_the_names_that_exist(mailbox, body):
    answer = requests.put(mailbox.url + "/_sandbox/faults", data=body, timeout=10)
    assert answer.status_code == 400
    assert "latency_ms" in answer.json()["message"]


def test_acknowledged_mail_survives_kill_9(tmp_path):
    mailbox = Mailbox(tmp_path)
    for number in range(20):
        mailbox.send(subject=str(number))
    mailbox.stop(signal.SIGKILL)
    mailbox.start()
    assert {mail["subject"] for mail in mailbox.list()} == set(map(str, range(20)))
    assert mailbox.stop(signal.SIGINT) == 0


def test_it_listens_on_loopback_only(mailbox):
    sockets = psutil.Process(mailbox.process.pid).net_connections("inet")
    listening = [s for s in sockets if s.status == psutil.CONN_LISTEN]
    assert {s.laddr.ip for s in listening} == {"127.0.0.1"}
    assert {s.laddr.port for s in listening} == {mailbox.port, mailbox.smtp_port}
