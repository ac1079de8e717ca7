"""How good a classifier's answers are: no input, no output, no clock."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# What was meant, and what was understood; None is "out of scope".
Answer = tuple[str | None, str | None]


def accuracy(answers: Sequence[Answer]) -> float:
    """Return the share of right answers, in percent.

    Raises ValueError when there are none.
    """
    if not answers:
        raise ValueError("there are no answers to judge")
    return 100 * sum(meant == heard for meant, heard in answers) / len(answers)


def macro_f1(answers: Sequence[Answer]) -> float:
    """Return the mean F1 of what was meant, each weighing the same, in percent."""
    scores = []
    for name in sorted({meant for meant, _ in answers}, key=str):
        right = sum(meant == name == heard for meant, heard in answers)
        named = sum((meant == name) + (heard == name) for meant, heard in answers)
        scores.append(2 * right / named)
    return 100 * float(np.mean(scores))


def auroc(ours: Sequence[float], others: Sequence[float]) -> float:
    """Return the chance that one of ours is surer than one of the others.

    That is the area under the receiver operating characteristic; ties count half.

    Args:
        ours: confidences of texts in scope.
        others: confidences of texts out of scope.
    """
    differences = np.subtract.outer(np.asarray(ours), np.asarray(others))
    return float(np.mean(differences > 0) + np.mean(differences == 0) / 2)
