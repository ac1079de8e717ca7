import io
import json
import sys
from datetime import date

import pytest
from concierge import intents, understand
from concierge.products import load_products
from concierge.understanding import load_engine

TODAY = date(2025, 6, 4)


def test_a_line_says_what_was_understood():
    line = understand.as_json(
        "book a table for two tomorrow", TODAY, load_products(), load_engine("light")
    )
    found = json.loads(line)
    assert list(found) == ["text", "intent", "confidence", "entities"]
    assert found["intent"] == "order"
    assert found["entities"]["party_size"] == 2
    assert found["entities"]["date"] == "2025-06-05"


@pytest.fixture
def piped(monkeypatch, capfdbinary):
    def run(*words, given=b""):
        monkeypatch.setattr(sys, "argv", ["understand", *words])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
        code = understand.main()
        out, err = capfdbinary.readouterr()
        return code, out.decode(), err.decode()

    return run


def test_every_line_gets_one_line_of_json(piped):
    given = "café\n\nwhat is the weather\n".encode() + b"\xff\r\nlast"
    code, out, err = piped("--engine", "rules", given=given)
    found = [json.loads(line) for line in out.splitlines()]
    texts = ["café", "", "what is the weather", "\ufffd", "last"]
    assert [at["text"] for at in found] == texts
    assert found[2]["intent"] is None
    assert (code, err) == (0, "")


def test_an_unknown_engine_is_told_in_one_line(piped):
    code, out, err = piped("--engine", "psychic")
    assert (code, out) == (2, "")
    assert "light, strong, rules" in err


def test_the_intents_are_listed_with_a_sentence_each(capsys):
    assert intents.main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(intents.load_intents())
    assert all(line.endswith(".") for line in lines)
