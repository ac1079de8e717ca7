"""The HTTP side: a page of what guests received, the same as JSON, and the faults."""

from __future__ import annotations

from typing import Protocol

import msgspec
from flask import Flask, Response, abort, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from .faults import Faults, FaultSwitch
from .outbox import OutboxUnreachableError
from .store import Mail

PAGE_LIMIT = 200  # messages on the page; the JSON list has all
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)


class Mails(Protocol):
    """Where the mail is: a store of received mail, or the outbox of its sender."""

    def newest(self, recipient: str = "", limit: int = -1) -> list[Mail]:
        """Return the mail of one or all recipients, newest first."""

    def find(self, mail_id: int) -> Mail | None:
        """Return one message, or `None` when there is no such."""

    def clear(self) -> None:
        """Throw all mail away."""


def create_page(mails: Mails, switch: FaultSwitch | None = None) -> Flask:
    """Return the web application.

    Args:
        mails: what it shows.
        switch: for faults of the mail server; `None` where the mail is not taken here.
    """
    app = Flask(__name__)
    _add_mail(app, mails)
    if switch:
        _add_faults(app, switch)

    @app.errorhandler(OutboxUnreachableError)
    def unreachable(error: OutboxUnreachableError) -> ResponseReturnValue:
        return jsonify(message=str(error)), 503

    @app.after_request
    def protect(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store"
        response.headers["Vary"] = "Accept"
        return response

    return app


def _add_mail(app: Flask, store: Mails) -> None:
    @app.get("/")
    def inbox() -> ResponseReturnValue:
        """List the mail, newest first; `?to=` keeps one recipient's."""
        recipient = request.args.get("to", "").strip()
        if _wants_json():
            return jsonify([mail.as_json() for mail in store.newest(recipient)])
        return render_template(
            "inbox.html",
            mails=store.newest(recipient, PAGE_LIMIT),
            recipient=recipient,
            limit=PAGE_LIMIT,
        )

    @app.get("/messages/<int:mail_id>")
    def message(mail_id: int) -> ResponseReturnValue:
        """Show one message with its headers."""
        mail = store.find(mail_id) if mail_id < 2**63 else None
        if mail is None:
            abort(404)
        if _wants_json():
            return jsonify(mail.as_json())
        return render_template("message.html", mail=mail)

    @app.delete("/")
    def empty() -> ResponseReturnValue:
        """Throw all mail away; only for programs, which accept JSON."""
        if not _wants_json():
            return jsonify(message="Send the header Accept: application/json."), 406
        store.clear()
        return "", 204


def _add_faults(app: Flask, switch: FaultSwitch) -> None:
    @app.get("/_sandbox/faults")
    def show_faults() -> ResponseReturnValue:
        """Show the faults of the moment."""
        return jsonify(msgspec.to_builtins(switch.faults))

    @app.put("/_sandbox/faults")
    def set_faults() -> ResponseReturnValue:
        """Set the faults; what the body leaves out is off."""
        try:
            switch.faults = msgspec.json.decode(request.get_data(), type=Faults)
        except msgspec.DecodeError as error:
            allowed = ", ".join(Faults.__struct_fields__)
            return jsonify(message=f"{error}. A JSON object with {allowed}."), 400
        return show_faults()

    @app.delete("/_sandbox/faults")
    def clear_faults() -> ResponseReturnValue:
        """Take every fault away."""
        switch.faults = Faults()
        return "", 204


def _wants_json() -> bool:
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return best == "application/json"
