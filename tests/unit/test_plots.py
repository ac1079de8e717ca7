"""Pictures are readable, and the same figures give the same bytes."""

import base64
import itertools

import pytest

from load_tests import plots


def _drawn(file):
    with plots.drawing(file, 1, 2, "of a test") as axes:
        plots.bars(axes[0], [plots.Bar("a", 2.0, 1.0, 3.0), plots.Bar("b", 1.0)])
        plots.labelled(axes[0], "bars", "", "requests a second")
        plots.stacked(axes[1], ["a", "b"], {"x": [1, 2], "y": [3, 4]})
        plots.labelled(axes[1], "parts", "stage", "MiB")
        axes[1].legend()
    return file.read_bytes()


def test_the_same_figures_give_the_same_bytes(tmp_path):
    assert _drawn(tmp_path / "1" / "a.png") == _drawn(tmp_path / "b.png")


def test_words_and_figures_are_in_the_picture(tmp_path):
    words = _drawn(tmp_path / "a.svg").decode()
    for said in ("requests a second", "MiB", "of a test", ">6<", ">2<"):
        assert said in words


def test_a_page_can_hold_a_picture_by_itself(tmp_path):
    drawn = _drawn(tmp_path / "a.png")
    kind, held = plots.data_uri(tmp_path / "a.png").split(",")
    assert kind == "data:image/png;base64"
    assert base64.b64decode(held) == drawn


def test_each_stage_differs_in_more_than_its_colour():
    for one, other in itertools.combinations(plots.STAGE_LOOKS.values(), 2):
        assert all(one[kind] != other[kind] for kind in one)


@pytest.mark.parametrize(
    ("one", "other"), list(itertools.combinations(plots.PALETTE[:4], 2))
)
def test_the_stages_colours_stay_apart_without_red_or_green(one, other):
    # What a deuteranope sees is, roughly, the mean of red and green, and blue.
    def seen(color):
        red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
        return (red + green) / 2, blue

    assert max(abs(a - b) for a, b in zip(seen(one), seen(other), strict=True)) > 25
