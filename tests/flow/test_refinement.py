"""Variational refinement: nearer to a known motion than what it was given, which it leaves alone."""

from __future__ import annotations

import numpy as np
import pytest

from ffbench.flow.refinement import variational_refinement
from tests.methods.test_classical import shifted_pair


def _grey_pair(dx: int, dy: int) -> tuple[np.ndarray, np.ndarray]:
    first, second = (image.mean(axis=2).round().astype(np.uint8) for image in shifted_pair(90, 120, dx, dy))
    return first, second


def test_a_rough_flow_comes_nearer_to_a_known_motion() -> None:
    truth = np.array([2.0, -1.0], np.float32)
    rng = np.random.default_rng(0)
    rough = (truth + np.array([0.5, -0.4]) + 0.3 * rng.standard_normal((90, 120, 2))).astype(np.float32)
    before = rough.copy()
    refined = variational_refinement(*_grey_pair(2, -1), rough, alpha=20, iterations=5)
    error_before, error_after = (np.linalg.norm((flow - truth)[15:-15, 15:-15], axis=2) for flow in (before, refined))
    assert error_after.mean() < 0.5 * error_before.mean()
    np.testing.assert_array_equal(rough, before)


def test_a_larger_alpha_gives_a_smoother_flow() -> None:
    rough = np.random.default_rng(1).standard_normal((90, 120, 2)).astype(np.float32)
    pair = _grey_pair(0, 0)
    spread = [variational_refinement(*pair, rough, alpha=alpha, iterations=2).std() for alpha in (1, 100)]
    assert spread[1] < spread[0]


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1), (33, 47)])
def test_any_size(size: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, size, np.uint8)
    refined = variational_refinement(image, image, np.zeros((*size, 2), np.float32), alpha=20, iterations=3)
    assert refined.shape == (*size, 2)
    np.testing.assert_allclose(refined, 0, atol=1e-5)
