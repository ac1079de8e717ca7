"""Talk to the concierge in the terminal: `python -m concierge.chat`.

No server, no database and no account: the dialogue's state lives in this process. What
can be pressed on the page stands here with a number to type. Ctrl-D ends.
"""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Iterator
from datetime import datetime, timezone

from .dialogue import converse
from .products import Product, load_products, price
from .replies import Message
from .understanding import Engine, load_engine

WIDTH = 80

# What a number stands for: the message that a press would send.
Presses = dict[str, Message]


class Chat:
    """One conversation, whose answers come as lines to print."""

    def __init__(self, engine: Engine, products: tuple[Product, ...]) -> None:
        self._engine = engine
        self._products = products
        self._state: str | None = None
        self._presses: Presses = {}

    def answer(self, line: str, now: datetime) -> list[str]:
        """Answer what was typed: the number of something shown, or any text.

        now is in UTC.
        """
        message = self._presses.get(line.strip()) or _text(line)
        self._state, answers = converse(
            self._state, [message], now, self._products, [], self._engine
        )
        self._presses = {}
        return [line for answer in answers for line in self._lines(answer)]

    def _lines(self, message: Message) -> Iterator[str]:
        body = message[message["type"]]
        kind, payload = body.get("type"), body.get("payload", {})
        if kind == "product":
            yield from self._card(body["text"], payload)
            return
        yield from textwrap.wrap(body["text"], WIDTH)
        if kind == "quick-replies":
            yield from _indented("  ".join(map(self._choice, payload["replies"])))
        elif kind == "checkout":
            total = price(payload["unitAmount"] * payload["quantity"])
            yield f"  == {payload['quantity']} x {payload['name']}: {total}"
            yield f"  == {payload['deliveryAddress']}, {payload['deliveryDate']}"
            yield "  == On the page, you would pay now."

    def _card(self, text: str, card: Message) -> Iterator[str]:
        body = {"text": card["buttonLabel"], "type": "product", "payload": card}
        number = self._number({"type": "structured", "structured": body})
        yield from _indented(f"[{number}] {text}")

    def _choice(self, reply: Message) -> str:
        label = str(reply["label"])
        if label.isdigit():
            # A figure is typed as it is: "[3] 4" would make two different fours.
            return label
        number = self._number(_text(reply["value"]))
        return f"[{number}] {label}".replace(" ", _UNBROKEN)

    def _number(self, press: Message) -> str:
        number = str(len(self._presses) + 1)
        self._presses[number] = press
        return number


_UNBROKEN = "\u00a0"


def _indented(text: str) -> list[str]:
    lines = textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="      ")
    return [line.replace(_UNBROKEN, " ") for line in lines]


def _text(line: str) -> Message:
    return {"type": "unstructured", "unstructured": {"text": line}}


def main() -> int:
    """Talk until the input ends."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--engine", default="light", help="what understands you")
    try:
        engine = load_engine(arguments.parse_args().engine)
    except (RuntimeError, ValueError) as error:
        print(f"chat: {error}", file=sys.stderr)
        return 2
    chat = Chat(engine, load_products())
    typing = sys.stdin.isatty()
    if typing:
        print('Say "hello", or type the number of something shown. Ctrl-D ends.\n')
    for line in _typed(typing):
        if not typing:
            print(f"> {line}")
        for shown in chat.answer(line, datetime.now(timezone.utc)):
            print(shown)
        print(flush=True)
    return 0


def _typed(prompt: bool) -> Iterator[str]:
    """Return the lines of standard input, until it ends or Ctrl-C."""
    while True:
        try:
            yield input("> " if prompt else "")
        except (EOFError, KeyboardInterrupt):
            if prompt:
                print()
            return
        except UnicodeDecodeError:
            print("That was not UTF-8; please write it again.\n")


if __name__ == "__main__":
    raise SystemExit(main())
