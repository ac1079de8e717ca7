"""The head of an engine: from what a text means and how it is spelled to an intent.

It is kernel ridge regression. A text's score for an intent is a weighted sum of its
likenesses to the training phrases; the weights are the solution of one system of
linear equations, solved at start. Two phrases are alike when their sentence vectors
lie close (a Gaussian of the distance, so that far-away phrases do not count), and when
they share words and letters.

Beyond a few thousand phrases, likeness is measured to a sample of them only (Williams
and Seeger 2001, "Using the Nyström Method to Speed Up Kernel Machines"), which bounds
memory and the time of an answer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .intents import OUT_OF_SCOPE, Intent, normalise
from .linear_equations import solve
from .spelling import Vector, block, spelling, spellings

# Chosen on BANKING77; docs/reference/understanding.md says how, and what it is worth.
LANDMARKS = 5000
NARROWNESS = 2.0
SPELLING = 0.4
RIDGE = 0.1
# Scores lie mostly between 0 and 1; this spreads them so that softmax reads as a
# probability.
SHARPNESS = 8.0
# With less than this, no intent is likely enough to act on.
LEAST_CONFIDENCE = 0.15


class IntentHead:
    """Tells intents apart, given sentence vectors of length 1."""

    def __init__(self, intents: Sequence[Intent], meanings: Vector) -> None:
        """Learn from the phrases of the intents, given a sentence vector of each."""
        self._names = [intent.name for intent in intents]
        texts = [phrase for intent in intents for phrase in intent.phrases]
        labels = np.repeat(np.arange(len(intents)), [len(at.phrases) for at in intents])
        chosen = _sample(len(texts))
        self._landmarks = meanings[chosen]
        spelled = spellings(texts)
        alike = block(len(meanings), len(self._landmarks))
        _alike(meanings, self._landmarks, out=alike)
        shared = block(*alike.shape)
        np.matmul(spelled, spelled[chosen].T, out=shared)
        shared *= SPELLING
        alike += shared
        self._weights = _solve(alike, chosen, labels)
        # The sum over the phrases, taken once: a row for each bucket.
        self._spelling = SPELLING * (spelled[chosen].T @ self._weights)

    def classify(self, text: str, meaning: Vector) -> tuple[str | None, float]:
        """Return the likeliest intent and how sure that is, from 0 to 1.

        The intent is None when the text is out of scope; the figure is then that of
        the best guess, so that low always means "probably not for me".
        """
        if not normalise(text):
            return None, 0.0
        scores = self._scores(text, meaning)
        weights = np.exp(SHARPNESS * (scores - scores.max()))
        shares = dict(zip(self._names, (weights / weights.sum()).tolist(), strict=True))
        if OUT_OF_SCOPE not in shares:
            # Nothing has taught it what to refuse, so it always answers.
            best = max(shares, key=shares.__getitem__)
            return best, float(shares[best])
        refused = shares.pop(OUT_OF_SCOPE)
        best = max(shares, key=shares.__getitem__)
        confidence = float(shares[best])
        unlikely = refused >= confidence or confidence < LEAST_CONFIDENCE
        return None if unlikely else best, confidence

    def _scores(self, text: str, meaning: Vector) -> Vector:
        buckets, amounts = spelling(text)
        by_meaning = _alike(meaning, self._landmarks) @ self._weights
        scores: Vector = by_meaning + amounts @ self._spelling[buckets]
        return scores


def _alike(meanings: Vector, landmarks: Vector, out: Vector | None = None) -> Vector:
    """Return 1 for the same direction, near 0 for an unrelated one."""
    likeness = np.matmul(meanings, landmarks.T, out=out)
    likeness -= 1
    likeness *= NARROWNESS
    return np.asarray(np.exp(likeness, out=likeness))


def _sample(count: int) -> slice:
    """Choose the phrases to measure likeness to: all, or evenly spread ones."""
    return slice(None, None, math.ceil(count / LANDMARKS))


def _solve(alike: Vector, chosen: slice, labels: NDArray[np.int64]) -> Vector:
    """Fit 1 for an intent's phrases and 0 for all others, least squares with a ridge.

    Intents with few phrases weigh more, by the square root of their rarity. The
    likenesses are overwritten.
    """
    sizes = np.bincount(labels)
    rarity = np.sqrt(len(labels) / len(sizes) / sizes[labels]).astype(np.float32)
    wanted = (np.arange(len(sizes)) == labels[:, None]).astype(np.float32)
    if len(alike) == alike.shape[1]:
        alike[np.diag_indices_from(alike)] += RIDGE / rarity
        return solve(alike, wanted)
    weighted = alike.T * rarity
    matrix = (weighted @ alike + RIDGE * alike[chosen]).astype(np.float64)
    matrix[np.diag_indices_from(matrix)] += 1e-6
    return np.asarray(np.linalg.solve(matrix, weighted @ wanted), dtype=np.float32)
