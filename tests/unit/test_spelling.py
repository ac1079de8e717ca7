import numpy as np
import pytest
from concierge.spelling import BUCKETS, spelling, spellings

TEXTS = ["roses", "red roses", "Rosés?!", "", "a", "where is my order"]


def test_texts_read_together_are_read_as_each_alone():
    for text, row in zip(TEXTS, spellings(TEXTS), strict=True):
        buckets, amounts = spelling(text)
        alone = np.zeros(BUCKETS, dtype=np.float32)
        alone[buckets] = amounts
        assert alone == pytest.approx(row)


def test_a_misspelt_word_is_liker_than_another():
    right, wrong, other = spellings(["chocolate", "choclate", "tulips"])
    assert right @ wrong > 0.3 > right @ other
