from datetime import date

import pytest
from concierge.well_known_days import alone, next_day

TODAY = date(2025, 6, 4)


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("christmas", "2025-12-25"),
        ("Xmas Eve", "2025-12-24"),
        ("new year's eve", "2025-12-31"),
        ("New Years Day", "2026-01-01"),
        ("St. Valentine's", "2026-02-14"),
        ("valentines day", "2026-02-14"),
        ("halloween", "2025-10-31"),
        ("independence day", "2025-07-04"),
        ("mother's day", "2026-05-10"),
        ("mums day", "2026-05-10"),
        ("Father's Day", "2025-06-15"),
        ("thanksgiving", "2025-11-27"),
        ("easter", "2026-04-05"),
        ("easter monday", "2026-04-06"),
    ],
)
def test_the_next_day_of_that_name_is_meant(said, day):
    assert alone(said) == said
    assert next_day(said, TODAY) == date.fromisoformat(day)


def test_the_day_itself_is_still_to_come_and_the_day_after_is_not():
    assert next_day("christmas", date(2025, 12, 25)) == date(2025, 12, 25)
    assert next_day("christmas", date(2025, 12, 26)) == date(2026, 12, 25)


@pytest.mark.parametrize("year", ["2024-03-31", "2025-04-20", "2038-04-25"])
def test_easter_moves_with_the_moon(year):
    day = date.fromisoformat(year)
    assert next_day("easter", date(day.year, 1, 1)) == day


@pytest.mark.parametrize(
    "said", ["flowers for christmas", "my mother", "a new year", "christmas cake"]
)
def test_more_than_the_name_is_no_answer(said):
    assert alone(said) is None


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match="no day is called 'pancake day'"):
        next_day("pancake day", TODAY)
