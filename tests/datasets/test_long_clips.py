"""CASME II as whole clips: what counts, and every fault of a copy by its name and rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from ffbench.datasets.casme2.long_clips import Interval, longer_than, scan_long_clips
from ffbench.datasets.registry import verify_dataset
from ffbench.errors import DataError
from ffbench.io.archives.member_path import open_tree
from tests.datasets.casme2_folder import ROWS, Row, make_casme2, workbook

TABLE = "CASME2-coding-20140508.xlsx"


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FFBENCH_CACHE", str(tmp_path / "cache"))


def scanned(folder: Path, *more: Row) -> tuple[list[str], list[str], dict[str, tuple[Interval, ...]]]:
    """Add rows to the table of a folder; return what is left out, the problems, and the intervals by clip."""
    (folder / TABLE).write_bytes(workbook([*ROWS, *more]))
    found = scan_long_clips(folder)
    return list(found.left_out), list(found.problems), {clip.key: clip.intervals for clip in found.clips}


def test_no_apex_is_needed_and_frames_are_in_order(tmp_path: Path) -> None:
    root = make_casme2(tmp_path / "CASME2")
    found = scan_long_clips(root)
    clips = {clip.key: clip for clip in found.clips}
    assert clips["sub04/EP12_01f"].intervals == (Interval(21, 61, "others"),)
    assert list(clips["sub01/EP02_01f"].frames) == list(range(46, 87))  # img9 before img10
    assert found.left_out == ("sub05/EP10_01: shows sadness, which is none of the classes",)
    assert (found.problems, found.synthetic, found.rows) == ((), False, len(ROWS))


def test_a_clip_may_show_several_and_they_must_not_overlap(tmp_path: Path) -> None:
    root = make_casme2(tmp_path / "CASME2")
    _, problems, intervals = scanned(root, (1, "EP02_01f", None, 87, 88, 89, None, "4", "others"))
    # Its frames end at 86.
    assert problems == [
        f"{root / 'CASME2-RAW' / 'sub01' / 'EP02_01f'}: frame 87 (onset) is missing; it has 46 to 86; the clip "
        "sub01/EP02_01f is left out"
    ]
    _, problems, intervals = scanned(root, ("04", "EP12_01f", None, 61, 61, 61, None, "4", "others"))
    assert "sub04/EP12_01f" not in intervals
    assert problems == [
        f"{root / 'CASME2-RAW' / 'sub04' / 'EP12_01f'}: two intervals overlap, 21 to 61 and 61 to 61; a frame is of "
        "one at most; the clip sub04/EP12_01f is left out"
    ]
    # The control: next to each other is not one over the other, and the order of rows does not count.
    rows = [(*row[:5], 50, *row[6:]) if row[1] == "EP12_01f" else row for row in ROWS]
    (root / TABLE).write_bytes(workbook([("04", "EP12_01f", None, 51, 55, 61, None, "4", "disgust"), *rows]))
    clip = next(clip for clip in scan_long_clips(root).clips if clip.key == "sub04/EP12_01f")
    assert clip.intervals == (Interval(21, 50, "others"), Interval(51, 61, "disgust"))


def test_onset_and_offset_are_needed(tmp_path: Path) -> None:
    root = make_casme2(tmp_path / "CASME2")
    left_out, problems, _ = scanned(
        root,
        ("02", "EP08_01", None, 3, 4, "/", None, "4", "others"),
        ("02", "EP09_01", None, "", 4, 8, None, "4", "others"),
        ("02", "EP10_01", None, 3, 4, 8, None, "4", "others"),
    )
    assert "sub02/EP08_01: no offset is coded for the onset at frame 3" in left_out
    assert problems == [
        f"{root / TABLE}: row {len(ROWS) + 3}: OnsetFrame is empty; the row is left out",
        f"{root / 'CASME2-RAW' / 'sub02' / 'EP10_01'}: no such folder; the clip sub02/EP10_01 is left out",
    ]


def test_clips_shorter_than_the_window_are_named(tmp_path: Path) -> None:
    found = scan_long_clips(make_casme2(tmp_path / "CASME2"))
    longer = longer_than(found, 5)
    assert "sub04/EP13_02f: is shorter than the window: 5 frames, and none two are 5 frames apart" in longer.left_out
    assert {clip.key for clip in longer.clips} < {clip.key for clip in found.clips}
    assert longer_than(found, 4).clips == found.clips
    with pytest.raises(DataError, match="all 12 clips are shorter than the window of 41 frames; set a smaller one"):
        longer_than(found, 41)


def test_a_copy_is_counted(tmp_path: Path) -> None:
    root = make_casme2(tmp_path / "CASME2")
    counts = {count.what: count.found for count in verify_dataset("casme2_spot", open_tree(root)).counts}
    assert counts["rows of the coding table"] == len(ROWS)
    assert counts["clips of 5 classes with all of their intervals"] == counts["intervals in these clips"] == 12
    (root / "CASME2-RAW" / "sub03" / "EP01_01" / "img5.jpg").write_bytes(b"no image")
    assert any("img5.jpg" in problem for problem in verify_dataset("casme2_spot", open_tree(root)).problems)
    with pytest.raises(DataError, match="no such folder; expected CASME II"):
        scan_long_clips(tmp_path / "nowhere")
