"""Which frames are taken, and what a command says it will cost."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffbench.animation.cost import require_disk, said_bytes, said_seconds
from ffbench.animation.selection import frame_pairs, spread
from ffbench.errors import DataError, UsageError

small = st.integers(1, 9)


@given(frames=st.integers(2, 60), start=st.integers(0, 20), length=st.integers(1, 60), step=small, stride=small)
def test_pairs_lie_in_the_part_that_is_asked_for(frames: int, start: int, length: int, step: int, stride: int) -> None:
    end = start + length
    expected = [(f, f + step) for f in range(start, min(end, frames)) if f + step < min(end, frames)]
    try:
        pairs = frame_pairs("a.mp4", frames, start=start, end=end, step=step, stride=stride)
    except (DataError, UsageError):
        assert not expected
    else:
        assert pairs == expected[::stride]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "a.mp4: has 1 frames, expected at least 2 for --step 1"),
        ({"start": 4}, "a.mp4: has 1 frames, expected at least 6 for --step 1 from --start 4"),
        ({"start": 4, "end": 4}, "--end 4: expected a frame after --start 4"),
        ({"end": 2, "step": 5, "frames": 9}, "--end 2: expected at least 6 for --start 0 and --step 5"),
    ],
)
def test_too_few_frames_are_one_line(options: dict[str, int], said: str) -> None:
    with pytest.raises((DataError, UsageError)) as error:
        frame_pairs("a.mp4", options.pop("frames", 1), **options)
    assert str(error.value) == said


@given(count=st.integers(1, 50), most=st.integers(2, 12))
def test_a_sample_holds_both_ends_and_no_item_twice(count: int, most: int) -> None:
    chosen = spread(range(count), most)
    assert len(chosen) == min(count, most)
    assert chosen == sorted(set(chosen))
    assert (chosen[0], chosen[-1]) == (0, count - 1)


def test_costs_are_said_in_words_and_a_full_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [said_seconds(x) for x in (0, 59.4, 3599, 3600)] == ["1 s", "59 s", "59 min 59 s", "1 h 0 min"]
    assert [said_bytes(x) for x in (999, 1.5e6, 2e9)] == ["999 bytes", "1.5 MB", "2 GB"]
    require_disk(tmp_path / "not" / "there", 1000)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=10**8))
    require_disk(tmp_path, 10**7)
    with pytest.raises(DataError, match=r"needs about 1 GB, 100 MB are free; take fewer frames with --start"):
        require_disk(tmp_path / "out", 10**9)
