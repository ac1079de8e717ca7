import numpy as np
import pytest
from concierge.linear_equations import SIZE, solve


@pytest.mark.parametrize("count", [1, 2, SIZE - 1, SIZE, SIZE + 1, 3 * SIZE + 7])
def test_it_finds_what_the_general_solver_finds(count):
    chance = np.random.default_rng(count)
    points = chance.standard_normal((count, 20)).astype(np.float32)
    matrix = points @ points.T + 10 * np.eye(count, dtype=np.float32)
    wanted = chance.standard_normal((count, 3)).astype(np.float32)
    expected = np.linalg.solve(matrix.astype(float), wanted.astype(float))
    assert solve(matrix, wanted) == pytest.approx(expected, abs=1e-3)
