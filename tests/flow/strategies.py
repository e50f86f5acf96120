"""Flows for property tests."""

from __future__ import annotations

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp


def flows(max_side: int = 7, limit: float | None = None, dtype: type = np.float32) -> st.SearchStrategy[np.ndarray]:
    """Flows (H, W, 2) with finite values, at most `limit` in size."""
    sizes = st.tuples(st.integers(1, max_side), st.integers(1, max_side), st.just(2))
    width = 32 if dtype is np.float32 else 64
    if limit is None:
        values = st.floats(allow_nan=False, allow_infinity=False, width=width)
    else:
        values = st.floats(-limit, limit, width=width)
    return hnp.arrays(dtype, sizes, elements=values)


def examples(count: int = 100) -> settings:
    """Settings of a property test: the same examples in every run, and no limit of time on a busy machine."""
    return settings(max_examples=count, deadline=None, derandomize=True)
