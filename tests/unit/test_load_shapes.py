"""How many guests each shape wants, and when."""

import pytest

from load_tests.journeys.shapes import SHAPES, soak, spike, steady, steps

USERS, SECONDS = 50, 100.0
MOMENTS = [each / 10 for each in range(1000)]


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("users", [1, 3, 50])
def test_every_shape_has_somebody_and_never_too_many(shape, users):
    wanted = [shape(at, users, SECONDS) for at in MOMENTS]
    assert min(wanted) >= 1
    assert max(wanted) == users


def test_steady_is_the_same_all_the_time():
    assert {steady(at, USERS, SECONDS) for at in MOMENTS} == {USERS}


def test_steps_go_up_five_times_by_the_same():
    wanted = [steps(at, USERS, SECONDS) for at in (0, 19.9, 20, 40, 60, 80, 99.9)]
    assert wanted == [10, 10, 20, 30, 40, 50, 50]


def test_a_spike_is_tenfold_and_goes_again():
    wanted = [spike(at, USERS, SECONDS) for at in (0, 39.9, 40, 59.9, 60, 99.9)]
    assert wanted == [5, 5, 50, 50, 5, 5]


def test_a_soak_begins_slowly_and_stays():
    wanted = [soak(at, USERS, SECONDS) for at in (0, 5, 10, 99.9)]
    assert wanted == [1, 25, 50, 50]
