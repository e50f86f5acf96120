"""The script that measures a GPU, run on the CPU: its paths give the flow of the plain one."""

from __future__ import annotations

import pytest

from tests.ci_scripts import load_script


@pytest.mark.slow
def test_paths_agree_and_what_is_not_reached_is_named() -> None:
    gpu = load_script("gpu")
    batch, half = gpu.Path("fp32", False, 2), gpu.Path("bf16", False, 1)
    found, left = gpu.measure(("decflow-s", "zero"), "cpu", 128, 160, (batch, half))
    assert [(one.method, one.path) for one in found] == [
        ("decflow-s", gpu.PLAIN), ("zero", gpu.PLAIN), ("decflow-s", batch), ("zero", batch), ("decflow-s", half)
    ]  # fmt: skip
    by_path = {one.path: one.difference for one in found if one.method == "decflow-s"}
    assert by_path[gpu.PLAIN] == 0
    assert by_path[batch] < 1e-3
    # The control: another precision is another flow, so that a difference can be seen.
    assert by_path[half] > by_path[batch]
    assert all(one.seconds > 0 and one.memory is None for one in found)
    (line,) = left
    assert line.startswith("zero by Path(precision='bf16'")
    assert line.endswith("does not take --precision")
    assert "decflow-s" in gpu.as_text(gpu.table(found, "here"))


def test_no_path_is_begun_when_the_time_is_over() -> None:
    gpu = load_script("gpu")
    found, left = gpu.measure(("zero",), "cpu", 64, 64, seconds=-1)
    assert found == []
    assert len(left) == len(gpu.PATHS)
    assert all("no time was left" in line for line in left)
