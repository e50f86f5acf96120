import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ffbench.methods.mmflow.correlation import Correlation, correlation
from tests.reference import correlation as reference


def maps(channels: int, height: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    values = torch.randn(2, 2, channels, height, width, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    return values[0], values[1]


@pytest.mark.parametrize(
    "arguments",
    [
        (1, 4, 1, 0, 1, 1),  # PWC-Net, IRR
        (1, 10, 1, 0, 1, 2),  # FlowNetC
        (1, 3, 2, 0, 1, 2),  # LiteFlowNet, finest level
        (1, 3, 1, 0, 1, 1),  # LiteFlowNet
        (1, 2, 1, 0, 1, 1),  # MaskFlowNet's second half
        (1, 1, 1, 1, 1, 1),
        (3, 2, 2, 1, 2, 1),
        (2, 1, 3, 2, 1, 3),
        (1, 0, 1, 0, 1, 1),
    ],
)
def test_it_is_the_sum_of_products(arguments: tuple[int, ...]) -> None:
    first, second = maps(3, 9, 8)
    expected = reference.correlation(first.numpy(), second.numpy(), *arguments)
    np.testing.assert_allclose(correlation(first, second, *arguments).numpy(), expected, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(
    size=st.tuples(st.integers(1, 3), st.integers(3, 6), st.integers(3, 6)),
    kernel_size=st.integers(1, 2),
    max_displacement=st.integers(0, 2),
    stride=st.integers(1, 3),
    padding=st.integers(0, 2),
    dilation=st.integers(1, 2),
    dilation_patch=st.integers(1, 3),
)
def test_any_arguments_agree_with_the_loop(size: tuple[int, int, int], **arguments: int) -> None:
    first, second = maps(*size)
    expected = reference.correlation(first.numpy(), second.numpy(), **arguments)
    np.testing.assert_allclose(correlation(first, second, **arguments).numpy(), expected, atol=1e-12)


def test_a_shifted_map_peaks_at_its_displacement() -> None:
    """Content that moves by (dx, dy) is found at [dy + R, dx + R]."""
    first, _ = maps(32, 12, 12)
    second = torch.roll(first, (1, -2), (2, 3))
    volume = Correlation(max_displacement=3)(first, second)[0, :, :, 5, 6]
    assert divmod(int(volume.argmax()), 7) == (1 + 3, -2 + 3)
