from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from concierge.intents import (
    OUT_OF_SCOPE,
    IntentFileError,
    load_intents,
    normalise,
)
from concierge.understanding import load_engine

HELD_OUT = load_intents(Path(__file__).parent / "held_out_phrases.txt")
PHRASES = [
    (phrase, None if intent.name == OUT_OF_SCOPE else intent.name)
    for intent in HELD_OUT
    for phrase in intent.phrases
]


@pytest.fixture(scope="module")
def light():
    return load_engine("light")


def share_right(engine, phrases):
    return sum(engine.classify(said)[0] == meant for said, meant in phrases) / len(
        phrases
    )


def test_the_held_out_phrases_are_not_among_the_training_phrases():
    trained = {normalise(p) for intent in load_intents() for p in intent.phrases}
    assert not [said for said, _ in PHRASES if normalise(said) in trained]


def test_every_intent_is_held_out_with_at_least_twenty_phrases():
    assert {intent.name for intent in HELD_OUT} == {at.name for at in load_intents()}
    assert min(len(intent.phrases) for intent in HELD_OUT) >= 20


def test_light_understands_phrases_it_has_never_seen(light):
    assert share_right(light, PHRASES) >= 0.9


def test_light_refuses_what_is_out_of_scope(light):
    assert share_right(light, [at for at in PHRASES if at[1] is None]) >= 0.9


def test_light_is_much_better_than_the_rules(light):
    assert (
        share_right(light, PHRASES) > share_right(load_engine("rules"), PHRASES) + 0.2
    )


def test_the_rules_know_what_their_author_thought_of():
    rules = load_engine("rules")
    assert rules.classify("Hello there")[0] == "greet"
    assert rules.classify("I want to buy a cake") == ("order", 1.0)
    assert rules.classify("gimme cake") == (None, 0.0)


@pytest.mark.parametrize("text", ["", "   ", "?!", "\ud800", "\x00", "x" * 2000, "🌹"])
@pytest.mark.parametrize("name", ["light", "rules"])
def test_any_text_gets_an_answer(name, text, light):
    engine = light if name == "light" else load_engine(name)
    intent, confidence = engine.classify(text)
    assert intent is None or isinstance(intent, str)
    assert 0 <= confidence <= 1


def test_many_threads_get_the_same_answers(light):
    texts = [said for said, _ in PHRASES]
    alone = [light.classify(text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(3):
            assert list(pool.map(light.classify, texts)) == alone


def test_an_unknown_engine_is_refused_with_the_names_that_exist():
    with pytest.raises(ValueError, match="'strnog'.*light, rules"):
        load_engine("strnog")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hello\n[greet] Hi.\nhi", "line 1: put a heading"),
        ("# why\n[Greet] Hi.\nhi", "line 2: a heading is"),
        ("[a] A.\nhi\n[a] B.\nho", r"line 3: the intent \[a\] is there already"),
        ("[a] A.\n[b] B.\nho", r"line 1: write at least one phrase below \[a\]"),
        ("[a] A.\nhi\n\n[b] B.\nHi!", r"line 5: \[a\] has the same phrase in line 2"),
        ("# nothing", "line 1: the file has no intent"),
    ],
)
def test_a_wrong_phrase_file_is_named_with_its_line(tmp_path, text, said):
    path = tmp_path / "intents.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(IntentFileError, match=f"intents.txt, {said}"):
        load_intents(path)


def test_a_phrase_file_in_another_encoding_is_named_with_its_line(tmp_path):
    path = tmp_path / "intents.txt"
    path.write_bytes("[a] A.\ncafé\n".encode("latin-1"))
    with pytest.raises(IntentFileError, match="line 2: save the file as UTF-8"):
        load_intents(path)


def test_a_missing_phrase_file_is_named(tmp_path):
    with pytest.raises(IntentFileError, match="none.txt: cannot read"):
        load_intents(tmp_path / "none.txt")


def test_an_engine_learns_the_phrases_of_another_file(tmp_path):
    path = tmp_path / "intents.txt"
    path.write_text(
        "[tea] Wants tea.\na cup of tea please\nsome earl grey\n"
        "[coffee] Wants coffee.\na cup of coffee please\nan espresso\n",
        encoding="utf-8",
    )
    engine = load_engine("light", path)
    assert engine.classify("coffee, an espresso if you can")[0] == "coffee"
