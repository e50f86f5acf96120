"""Annotation noise: how far onset and apex move, that the draw is the clip's own, and what records say."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ffbench
from ffbench.datasets.microexpressions.frames import numbered_frames
from ffbench.datasets.microexpressions.own_table import list_own
from ffbench.errors import UsageError
from ffbench.protocols.recognition.protocol import Recognition
from ffbench.protocols.recognition.shift import _draw, shift_clips
from ffbench.registry import protocol_entry
from tests.datasets.clips_folders import make_own

ROWS = [
    (f"c{take}", subject, 10, 20, 30, ("happiness", "disgust")[take % 2], f"frames/{subject}/c{take}")
    for subject in ("ann", "bob", "eve")
    for take in range(6)
]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eighteen clips of thirty frames each, onset 10 and apex 20."""
    root = make_own(tmp_path_factory.mktemp("shift") / "own", ROWS)
    for number, row in enumerate(ROWS):
        folder = root / str(row[6])
        for frame in range(6, 31):
            content = (folder / "001.png").read_bytes()
            # What follows the end of a PNG is not looked at, and makes another file of it.
            (folder / f"{frame:03d}.png").write_bytes(content + bytes([number, frame]))
    return root


def numbers(root: Path, most: int) -> list[tuple[int, int]]:
    clips = tuple((clip, clip.label) for clip in list_own(root).clips)
    return [(int(clip.onset.stem), int(clip.apex.stem)) for clip, _ in shift_clips(clips, most).clips]


def test_both_move_by_up_to_so_many_frames_and_each_by_its_own_draw(root: Path) -> None:
    moved = numbers(root, 3)
    assert len(moved) == 18
    onsets, apexes = zip(*moved, strict=True)
    assert {onset - 10 for onset in onsets} >= {-3, 3} or len(set(onsets)) >= 5
    assert all(abs(onset - 10) <= 3 and abs(apex - 20) <= 3 for onset, apex in moved)
    assert len(set(apexes)) >= 5
    assert any(onset - 10 != apex - 20 for onset, apex in moved)
    assert numbers(root, 3) == moved != numbers(root, 2)


def test_a_draw_does_not_depend_on_other_clips(root: Path) -> None:
    clips = [(clip, clip.label) for clip in list_own(root).clips]
    every = shift_clips(clips, 4)
    some = shift_clips(clips[5:9][::-1], 4)
    assert some.clips == every.clips[5:9][::-1]
    assert some.sha256 != every.sha256


@settings(max_examples=200, deadline=None)
@given(st.text("abc/", min_size=1, max_size=8), st.integers(1, 12), st.integers(0, 5), st.integers(1, 9))
def test_the_apex_follows_the_onset_and_both_are_there(key: str, most: int, onset: int, rise: int) -> None:
    frames = {number: Path(f"{number}.png") for number in range(0, 16, 1)}
    _, (first, second) = _draw(key, frames, onset, onset + rise, most)
    assert first < second
    assert {first, second} <= frames.keys()
    assert abs(first - onset) <= most
    assert abs(second - onset - rise) <= most


def test_beyond_the_frames_that_there_are_the_nearest_is_taken() -> None:
    frames = {number: Path(f"{number}.png") for number in (4, 5, 9)}
    drawn = [_draw(f"clip{number}", frames, 4, 9, 3) for number in range(60)]
    for wanted, taken in drawn:
        for one, other in zip(wanted, taken, strict=True):
            assert abs(one - other) == min(abs(one - number) for number in frames)
    assert any(wanted[0] < 4 and taken[0] == 4 for wanted, taken in drawn)


def test_records_say_how_far_and_which_frames(root: Path) -> None:
    def load(**options: str) -> Recognition:
        loaded = ffbench.load_protocol("own_clips", data=root, options=options)
        assert isinstance(loaded, Recognition)
        return loaded

    coded, moved = load(), load(shift="3")
    assert "shift" not in coded.card.options
    assert moved.card.options["shift"] == 3
    assert len(str(moved.card.options["shift_frames"])) == 16
    assert moved.dataset.manifest_sha256 == coded.dataset.manifest_sha256
    assert "onset and apex moved by up to 3 frames, drawn for each clip: by" in moved.dataset.reference_note
    # Flows of other frames are never taken for these.
    assert not {"shift", "shift_frames"} & moved.learning_options
    scoring = protocol_entry("own_clips").scoring
    assert scoring is not None
    assert scoring(moved.card).card == moved.card
    with pytest.raises(UsageError, match="option 'shift' is '101', expected a whole number from 1 to 100"):
        load(shift="101")
    assert numbered_frames(root / "frames/ann/c0").keys() == set(range(1, 31))
