"""Optical strain against its definition, and what must not count as strain."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffbench.flow.strain import StrainName, optical_strain
from tests.reference import strain as reference

ENTRIES: dict[StrainName, int] = {"tensor": 2, "shear_once": 1}


@pytest.mark.parametrize("variant", ENTRIES)
@given(seed=st.integers(0, 1000), height=st.integers(2, 7), width=st.integers(2, 7))
@settings(max_examples=20, deadline=None)
def test_strain_is_what_its_definition_says(variant: StrainName, seed: int, height: int, width: int) -> None:
    flow = np.random.default_rng(seed).normal(size=(height, width, 2)).astype(np.float32)
    expected = reference.strain(flow, ENTRIES[variant])
    assert np.allclose(optical_strain(flow, variant), expected, rtol=1e-5, atol=1e-6)
    # The control: the two variants differ wherever there is shear.
    assert not np.allclose(optical_strain(flow, variant), reference.strain(flow, 3 - ENTRIES[variant]), rtol=1e-3)


@given(x=st.floats(-50, 50), y=st.floats(-50, 50), angle=st.floats(-0.01, 0.01))
@settings(max_examples=20, deadline=None)
def test_a_head_that_moves_as_a_whole_has_no_strain(x: float, y: float, angle: float) -> None:
    rows, columns = np.mgrid[0:20, 0:20].astype(np.float64)
    # A small rotation: its strain is 1 - cos(angle), of second order.
    moved = np.stack(
        [
            x + np.cos(angle) * columns - np.sin(angle) * rows - columns,
            y + np.sin(angle) * columns + np.cos(angle) * rows - rows,
        ],
        axis=2,
    )
    assert optical_strain(moved).max() <= angle**2 + 1e-6
    assert optical_strain(moved + np.stack([0.1 * columns, 0 * rows], 2)).min() > 0.09  # the control


def test_only_the_tensor_is_blind_to_how_the_axes_lie() -> None:
    rows, columns = np.mgrid[0:9, 0:9].astype(np.float64)
    along = np.stack([0.1 * rows, 0.1 * columns], axis=2)
    turned = np.stack([0.1 * columns, -0.1 * rows], axis=2)  # the same shear, seen at 45 degrees
    assert np.allclose(optical_strain(along), optical_strain(turned))
    assert np.allclose(optical_strain(along, "shear_once") * np.sqrt(2), optical_strain(turned, "shear_once"))


@pytest.mark.parametrize("shape", [(1, 5, 2), (5, 1, 2), (5, 5, 3), (5, 5)])
def test_what_is_no_flow_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected \\(H, W, 2\\)"):
        optical_strain(np.zeros(shape, np.float32))
