from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ffbench.flow.confidence import confidence_of, expected_error, forward_backward_confidence


@given(st.lists(st.floats(0, 1e4), min_size=1, max_size=9))
def test_there_and_back_again(errors: list[float]) -> None:
    error = torch.tensor(errors, dtype=torch.float64)
    confidence = confidence_of(error)
    assert ((confidence > 0) & (confidence <= 1)).all()
    torch.testing.assert_close(expected_error(confidence), error, rtol=1e-9, atol=1e-9)
    assert (confidence[torch.argsort(error)].diff() <= 0).all()


def test_consistent_flows_are_certain_and_those_that_leave_are_not() -> None:
    forward = np.zeros((6, 8, 2), np.float32)
    forward[..., 0] = 2
    confidence = forward_backward_confidence(forward, -forward)
    assert confidence.dtype == np.float32
    assert (confidence[:, :6] == 1).all()
    assert not confidence[:, 6:].any()
    assert forward_backward_confidence(forward, -forward / 2)[0, 0] == pytest.approx(0.5)
