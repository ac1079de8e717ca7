"""Show how messages are understood: `python -m concierge.understand`.

Each line of standard input gives one line of JSON: the text, the intent (null when it
is nothing that we do), the confidence from 0 to 1, and the entities.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from datetime import date

from .products import Product, load_products
from .understanding import Engine, load_engine, read


def as_json(
    text: str, today: date, products: tuple[Product, ...], engine: Engine
) -> str:
    """Return one line of JSON that says how a text is understood."""
    reading = read(text, today, products, engine)
    found = {
        "text": text,
        "intent": reading.intent,
        "confidence": round(reading.confidence, 4),
        "entities": reading.entities.to_dict(),
    }
    return json.dumps(found, ensure_ascii=False)


def main() -> int:
    """Answer line by line until the input ends."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--engine", default="light", help="what understands you")
    try:
        engine = load_engine(arguments.parse_args().engine)
    except (RuntimeError, ValueError) as error:
        print(f"understand: {error}", file=sys.stderr)
        return 2
    products = load_products()
    lines = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", errors="replace")
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    try:
        for line in lines:
            # Flushed, so that a program on the other side of a pipe can take turns.
            text = line.rstrip("\r\n")
            print(as_json(text, date.today(), products, engine), flush=True)
    except (KeyboardInterrupt, BrokenPipeError):
        # The reader has had enough; say nothing when the interpreter closes.
        sys.stdout = None
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
