"""One received message, read tolerantly: a broken one is shown as well as it goes."""

from __future__ import annotations

import email
from collections.abc import Iterator
from dataclasses import dataclass
from email import policy
from email.message import Message

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True)
class Content:
    """What a message says: its subject, its text and its headers."""

    subject: str
    text: str
    headers: dict[str, str]


def read(raw: bytes) -> Content:
    """Read a message of RFC 5322 with MIME; nothing in it makes this fail.

    Args:
        raw: the bytes as they came over SMTP.
    """
    # The `default` policy would parse header values too, and some broken ones make it
    # raise; `compat32` leaves them as they are.
    message = email.message_from_bytes(raw, policy=policy.compat32)
    headers: dict[str, str] = {}
    for name, value in message.items():
        headers.setdefault(_clean(name), _decoded_header(value))
    subject = next((v for n, v in headers.items() if n.lower() == "subject"), "")
    return Content(subject, _clean(_text(message)), headers)


def _decoded_header(value: object) -> str:
    """Decode RFC 2047's encoded words, and keep the value as it is if they are bad."""
    text = str(value)
    try:
        from email.header import decode_header

        text = "".join(
            _decoded(part, charset) if isinstance(part, bytes) else part
            for part, charset in decode_header(text)
        )
    except (ValueError, email.errors.MessageError):
        pass
    return _clean(" ".join(text.split()))


def _text(message: Message) -> str:
    """Return the plain text of a message, or its first text of any kind."""
    parts = [part for part in _leaves(message) if part.get_content_maintype() == "text"]
    plain = [part for part in parts if part.get_content_subtype() == "plain"]
    for part in plain or parts:
        body = part.get_payload(decode=True)
        if isinstance(body, bytes):
            return _decoded(body, part.get_content_charset())
    return ""


def _leaves(message: Message) -> Iterator[Message]:
    return (part for part in message.walk() if not part.is_multipart())


def _decoded(data: bytes, charset: str | None) -> str:
    try:
        return data.decode(charset or "utf-8", "replace")
    except (LookupError, ValueError):  # a charset that nobody knows
        return data.decode("utf-8", "replace")


def _clean(text: str) -> str:
    """Replace what neither SQLite, JSON nor a page can carry: NUL, lone surrogates."""
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return text.replace("\0", REPLACEMENT).replace("\r\n", "\n")
