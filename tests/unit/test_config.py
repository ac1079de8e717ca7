from typing import get_args

import pytest
from concierge.config import SettingsError, load
from concierge.understanding import EngineName

NEEDED = {"DATABASE_URL": "postgresql+psycopg://h/d", "STRIPE_API_KEY": "sk_test_1"}


def test_settings_are_typed():
    settings = load(NEEDED | {"SMTP_PORT": "2525", "SWEEP_SECONDS": "0.5"})
    assert settings.smtp_port == 2525
    assert settings.sweep_seconds == 0.5


@pytest.mark.parametrize("engine", get_args(EngineName))
def test_every_engine_can_be_chosen(engine):
    assert load(NEEDED | {"NLU_ENGINE": engine}).nlu_engine == engine


def test_an_empty_value_counts_as_absent():
    assert load(NEEDED | {"STRIPE_API_BASE": ""}).stripe_api_base is None


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({}, "DATABASE_URL"),
        (NEEDED | {"SMTP_PORT": "many"}, "SMTP_PORT"),
        (NEEDED | {"SWEEP_SECONDS": "0"}, "SWEEP_SECONDS"),
        (NEEDED | {"NLU_ENGINE": "psychic"}, "NLU_ENGINE"),
    ],
)
def test_a_wrong_environment_names_the_variable(environ, words):
    with pytest.raises(SettingsError, match=words):
        load(environ)
