"""Solving a large system of linear equations quickly, with NumPy alone."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Matrix: TypeAlias = NDArray[np.float32]

# Unknowns eliminated at once. Smaller, and Python's own time counts; larger, and the
# slow inverses do.
SIZE = 128


def solve(matrix: Matrix, wanted: Matrix) -> Matrix:
    """Return x with matrix @ x = wanted, for a symmetric positive definite matrix.

    It is Gaussian elimination block by block, so that nearly all of the work is
    multiplying matrices: several times as quick as `numpy.linalg.solve`. Rows need not
    change places, as the matrix is positive definite (Golub and Van Loan, "Matrix
    Computations", chapter 4). Both arguments are overwritten.
    """
    spans = [slice(at, at + SIZE) for at in range(0, len(matrix), SIZE)]
    inverses = []
    for span in spans:
        # Left of the diagonal now stand the factors of the rows above.
        factors = matrix[span, : span.start]
        matrix[span, span.start :] -= factors @ matrix[: span.start, span.start :]
        wanted[span] -= factors @ wanted[: span.start]
        inverse = np.linalg.inv(matrix[span, span])
        matrix[span.stop :, span] = matrix[span, span.stop :].T @ inverse
        inverses.append(inverse)
    for span, inverse in zip(reversed(spans), reversed(inverses), strict=True):
        known = matrix[span, span.stop :] @ wanted[span.stop :]
        wanted[span] = inverse @ (wanted[span] - known)
    return wanted
