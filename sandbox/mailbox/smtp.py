"""The SMTP side: accept every mail, store it, then say so."""

from __future__ import annotations

import asyncio

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from .faults import FaultSwitch
from .store import MailStore

SIZE_LIMIT = 16 * 1024 * 1024  # bytes
OK = "250 2.0.0 Stored"
TRY_LATER = "451 4.3.2 The mailbox is not taking mail at the moment, try again later"


class Receiver:
    """The hooks that `aiosmtpd` calls."""

    def __init__(self, store: MailStore, switch: FaultSwitch) -> None:
        self._store = store
        self._switch = switch

    async def handle_MAIL(  # noqa: N802 (aiosmtpd finds its hooks by these names)
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        """Begin a mail; refusals, hanging and latency happen here."""
        faults = self._switch.drawn()
        await asyncio.sleep(faults.latency_ms / 1000)
        while faults.hang and self._switch.faults.hang:
            await asyncio.sleep(0.05)
        if faults.refuse:
            return TRY_LATER
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Store the mail; 250 is answered only after the commit."""
        content = envelope.content or b""
        raw = content.encode() if isinstance(content, str) else content
        recipients = [str(address) for address in envelope.rcpt_tos]
        await asyncio.to_thread(
            self._store.add, recipients, envelope.mail_from or "", raw
        )
        if self._switch.drawn().lose_answer and server.transport:
            server.transport.close()
        return OK


def smtp_server(store: MailStore, switch: FaultSwitch, port: int) -> Controller:
    """Return the SMTP server on loopback, not yet started."""
    return Controller(
        Receiver(store, switch),
        hostname="127.0.0.1",
        port=port,
        data_size_limit=SIZE_LIMIT,
        enable_SMTPUTF8=True,
        ident="Mailbox",
    )
