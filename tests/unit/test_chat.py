"""The dialogue in the terminal."""

import io
import sys
from datetime import datetime, timezone

import pytest
from concierge import chat
from concierge.products import load_products
from concierge.understanding import load_engine

NOW = datetime(2025, 6, 4, 12, 0, tzinfo=timezone.utc)


@pytest.fixture
def guest():
    talk = chat.Chat(load_engine("rules"), load_products())
    return lambda line: "\n".join(talk.answer(line, NOW))


def test_cards_and_ready_answers_have_numbers_to_type(guest):
    assert "[3] sweets" in guest("hello")
    assert "[2] Box of macarons, $26.00." in guest("3")
    assert "For which day" not in guest("2")
    guest("1")
    guest("5 Main Street")
    assert "$26.00" in guest("2")


def test_a_figure_is_typed_as_it_is(guest):
    guest("a table")
    assert "  1  2  4  6" in guest("1")
    assert "In which city?" in guest("4")


def test_lines_fit_the_terminal(guest):
    for line in ["hello", "help", "flowers", "1"]:
        assert max(map(len, guest(line).splitlines())) <= chat.WIDTH


def test_it_works_in_a_pipe(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["chat", "--engine", "rules"])
    monkeypatch.setattr(sys, "stdin", io.StringIO("hello\nbye"))
    assert chat.main() == 0
    shown = capsys.readouterr().out
    assert shown.startswith("> hello\nHello! I am your concierge.")
    assert "Goodbye" in shown


def test_an_unknown_engine_is_named_with_those_there_are(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["chat", "--engine", "oracle"])
    assert chat.main() == 2
    assert "oracle" in capsys.readouterr().err
