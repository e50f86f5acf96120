from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ffbench.errors import DataError
from ffbench.flow import write_flow
from ffbench.submissions.stored import read_stored

FLOW = np.random.default_rng(0).normal(size=(5, 7, 2)).astype(np.float32)


def test_facial_and_head_flow_in_any_exact_format(tmp_path: Path) -> None:
    write_flow(tmp_path / "facial" / "happy" / "0012.v2.flo5", FLOW)
    assert read_stored(tmp_path, "happy/0012.v2", (5, 7)).head is None
    write_flow(tmp_path / "head" / "happy" / "0012.v2.flo", FLOW / 2)
    flows = read_stored(tmp_path, "happy/0012.v2", (5, 7))
    np.testing.assert_array_equal(flows.facial, FLOW)
    np.testing.assert_array_equal(flows.head, FLOW / 2)


def test_what_is_missing_or_of_another_size_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has no facial/a\.flo"):
        read_stored(tmp_path, "a", (5, 7))
    write_flow(tmp_path / "facial" / "a.flo", FLOW)
    with pytest.raises(DataError, match=r"a\.flo: flow is 7 x 5 .* expected 5 x 7"):
        read_stored(tmp_path, "a", (7, 5))
    with pytest.raises(DataError, match="cannot be the name of a file"):
        read_stored(tmp_path, "../a", (5, 7))
