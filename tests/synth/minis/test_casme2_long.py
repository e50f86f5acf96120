"""The mini dataset of whole clips: its layout, its intervals, and that nothing of the face moves outside of them."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffbench.datasets.casme2.coding import find_coding, read_coding
from ffbench.datasets.casme2.long_clips import scan_long_clips
from ffbench.datasets.casme2.scan import FIVE
from ffbench.datasets.images import image_size
from ffbench.io.archives.member_path import open_tree
from ffbench.synth.heads.head import HeadModel
from ffbench.synth.minis import casme2_long
from ffbench.synth.minis.casme2_long import EXPRESSIONS, FRAMES, HEIGHT, _onsets, make_casme2_long
from ffbench.synth.motion.expressions import Frame
from ffbench.synth.scenes import scene


def test_every_class_is_shown() -> None:
    assert set(EXPRESSIONS) == set(FIVE)
    assert min(EXPRESSIONS.values()) > casme2_long.SUBJECTS // 2


@pytest.mark.assets
def test_the_layout_and_what_moves_when(tmp_path: Path, head: HeadModel, monkeypatch: pytest.MonkeyPatch) -> None:
    faces: dict[int, Frame] = {}
    render = scene.render_frame

    def remembered(of: scene.Scene, frame: Frame, seed: int) -> object:
        faces[seed] = frame
        return render(of, frame, seed)

    monkeypatch.setattr(casme2_long, "render_frame", remembered)
    told: list[tuple[int, int]] = []
    make_casme2_long(tmp_path, head, 5, 1, {"happiness": 3, "others": 2}, lambda *done: told.append(done))
    assert told[-1] == (5, 5)
    found = scan_long_clips(tmp_path)
    assert (found.problems, found.left_out, found.synthetic) == ((), (), True)
    assert sum(len(clip.intervals) for clip in found.clips) == 5
    rows, _ = read_coding(find_coding(open_tree(tmp_path)), several=True)
    apexes = {(row.key, row.onset): row.apex for row in rows}
    lids = [at for at, name in enumerate(head.expression_names) if "eyeBlink" in name]
    for take, clip in enumerate(found.clips, start=1):
        assert list(clip.frames) == list(range(1, len(clip.frames) + 1))
        assert image_size(clip.frames[1]) == (HEIGHT * 4 // 3, HEIGHT)
        strength = {
            number: float(np.delete(faces[1000 * take + number].expression, lids).max()) for number in clip.frames
        }
        shown = {number for each in clip.intervals for number in range(each.onset + 1, each.offset)}
        assert {number for number, strong in strength.items() if strong > 0} == shown
        for each in clip.intervals:
            apex = apexes[clip.key, each.onset]
            assert max(range(each.onset, each.offset + 1), key=lambda number: strength[number]) == apex
            assert each.onset > 6
            assert each.offset <= len(clip.frames) - 6
        assert len(clip.frames) == FRAMES[len(clip.intervals)]
        for before, after in itertools.pairwise(clip.intervals):
            assert after.onset - before.offset > 6
        blinked = {number for number in clip.frames if faces[1000 * take + number].expression[lids].max() > 0}
        assert not blinked & shown
    mark = json.loads((tmp_path / "ffbench-mini.json").read_text())
    assert mark["recipe"] == "ffbench.synth.minis.casme2_long"
    with pytest.raises(ValueError, match="0 subjects"):
        make_casme2_long(tmp_path, head, subjects=0)


@given(st.integers(0, 10_000), st.lists(st.integers(6, 12), min_size=1, max_size=2))
def test_expressions_lie_anywhere_between_neutral_stretches(seed: int, lengths: list[int]) -> None:
    count = FRAMES[len(lengths)]
    onsets = _onsets(np.random.default_rng(seed), count, np.array(lengths))
    ends = [onset + length for onset, length in zip(onsets, lengths, strict=True)]
    assert onsets[0] > 6
    assert ends[-1] <= count - 6
    assert all(after - before > 6 for before, after in zip(ends[:-1], onsets[1:], strict=True))


def test_who_guesses_the_middle_is_mostly_wrong() -> None:
    rng = np.random.default_rng(0)
    onsets = [_onsets(rng, FRAMES[1], np.array([9]))[0] for _ in range(2000)]
    assert min(onsets) == 7
    assert max(onsets) == FRAMES[1] - 6 - 9
    assert np.mean([abs(onset + 4.5 - 30) <= 3 for onset in onsets]) < 0.2


@pytest.mark.assets
def test_the_same_seed_gives_the_same_bytes(tmp_path: Path, head: HeadModel) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        (tmp_path / name).mkdir()
        make_casme2_long(tmp_path / name, head, seed, 1, {"disgust": 1})
    first, again, other = (
        {file.relative_to(tmp_path / name): file.read_bytes() for file in (tmp_path / name).rglob("*.*")}
        for name in ("a", "b", "c")
    )
    assert first == again
    assert first != other
