"""`ffbench data verify`: counts against those of the literature, every fault listed, exit code 3."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ffbench.datasets.base import Count
from ffbench.datasets.ck_plus.dataset import OFFICIAL_EMOTION_COUNTS
from ffbench.datasets.mark import SYNTHETIC_MARK
from ffbench.datasets.mead import videos as mead
from ffbench.datasets.registry import dataset_names, verify_dataset
from ffbench.errors import DataError, UsageError
from tests.commands import run_command
from tests.datasets.casme2_folder import make_casme2
from tests.datasets.ck_plus_folder import make_ck_plus
from tests.datasets.ffn_folder import make_ffn
from tests.datasets.flame_masks_file import flame_masks
from tests.datasets.test_mead import write_video
from tests.datasets.tracks_folder import make_tracks
from tests.formats import python2_pickle


def counts_of(name: str, path: Path, quick: bool = False) -> dict[str, tuple[int, int | None]]:
    return {count.what: (count.found, count.expected) for count in verify_dataset(name, path, quick=quick).counts}


def test_ck_plus(tmp_path: Path) -> None:
    root = make_ck_plus(tmp_path / "CK+")
    found = verify_dataset("ck_plus", root)
    assert found.problems == ()
    assert not found.sound
    counts = counts_of("ck_plus", root)
    assert counts["sequences"] == (3, 593)
    assert counts["subjects"] == (2, 123)
    assert counts["emotion labels"] == (2, 327)
    assert counts["emotion happiness"] == (1, 69)
    assert sum(OFFICIAL_EMOTION_COUNTS.values()) == 327


def test_all_faults_of_ck_plus_are_listed(tmp_path: Path) -> None:
    root = make_ck_plus(tmp_path / "CK+")
    image = root / "cohn-kanade-images" / "S005" / "001" / "S005_001_00000004.png"
    image.write_bytes(image.read_bytes()[:-200])
    (root / "Landmarks" / "S010" / "001" / "S010_001_00000001_landmarks.txt").unlink()
    problems = "\n".join(verify_dataset("ck_plus", root).problems)
    assert len(problems.splitlines()) == 2
    assert "S010_001_00000001_landmarks.txt" in problems
    assert "S005_001_00000004.png" in problems


def test_ffn(tmp_path: Path) -> None:
    root = make_ffn(tmp_path / "FFN")
    found = verify_dataset("ffn", root)
    counts = counts_of("ffn", root, quick=True)
    assert counts == {count.what: (count.found, count.expected) for count in found.counts}
    assert [counts[f"{split}: pairs"][1] for split in ("test", "val", "train")] == [10_395, 5_382, 90_193]
    assert counts["test: pairs"][0] > 0
    assert counts["train: pairs"][0] == 0
    assert any("train" in problem for problem in found.problems)
    assert not found.sound
    (root / "ffbench-mini.json").write_text("{}")
    made = verify_dataset("ffn", root)
    assert made.synthetic
    assert made.sound


def test_mead_as_distributed_and_as_extracted(tmp_path: Path) -> None:
    root = tmp_path / "MEAD"
    for number, frames in ((1, 3), (2, 4)):
        write_video(root / "M003" / "video" / "front" / "angry" / "level_1" / f"00{number}.mp4", frames)
    assert counts_of("mead", root) == {
        "subjects": (1, None), "frontal videos": (2, None), "emotions": (1, None), "frames": (7, None)
    }  # fmt: skip
    assert verify_dataset("mead", root).sound
    mead.prepare(mead.find_videos(root)[0], tmp_path / "frames")
    assert counts_of("mead", tmp_path / "frames") == {"videos": (2, 26), "frames": (7, 3402)}
    source = tmp_path / "frames" / "M003_front_angry_level_1_002" / "source"
    (source / "00003.png").unlink()
    (source / "00002.png").write_bytes(b"")
    problems = verify_dataset("mead", tmp_path / "frames").problems
    assert len(problems) == 2
    assert "2 frames in a row, expected 4" in problems[0]
    assert "00002.png" in problems[1]
    (root / "M003" / "video" / "front" / "angry" / "level_1" / "002.mp4").write_bytes(b"")
    assert len(verify_dataset("mead", root, quick=True).problems) == 1


def test_tracks(tmp_path: Path) -> None:
    root = make_tracks(tmp_path / "tracks")
    assert counts_of("mead_tracks", root) == {"videos": (2, 26), "frames": (7, 3402)}
    assert counts_of("ck_plus_tracks", root) == {"sequences": (2, 593), "subjects": (2, 123)}
    video = root / "M003_front_angry_level_1_001"
    (video / "mesh" / "00001.ply").unlink()
    (video / "mesh" / "00002.ply").write_bytes(b"ply")
    assert len(verify_dataset("mead_tracks", root, quick=True).problems) == 2
    problems = verify_dataset("mead_tracks", root).problems
    assert len(problems) == 3
    assert "00001.ply: no such file" in problems[0]
    assert "frame 00001 and 0 others are missing" in problems[1]
    assert "00002.ply" in problems[2]
    with pytest.raises(DataError, match="no tracks"):
        verify_dataset("mead_tracks", tmp_path)


def test_vertices_of_tracks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = make_tracks(tmp_path / "tracks")
    masks = root / "FLAME_masks.pkl"
    masks.write_bytes(python2_pickle.dumps(flame_masks()))
    assert set(counts_of("mead_tracks", root)) == {"videos", "frames"}  # regions.json goes before the masks
    (root / "regions.json").unlink()
    expected = {
        "vertices=paper": (1435, 1435), "vertices=paper, lips": (254, 254), "vertices=paper, cheeks": (430, 430),
        "vertices=paper, eyes": (751, 751), "vertices=distinct": (1431, 1431),
        "vertices=distinct, lips": (250, 250),
        "vertices=distinct, cheeks": (430, 430), "vertices=distinct, eyes": (751, 751),
    }  # fmt: skip
    for name in ("mead_tracks", "ck_plus_tracks"):
        found = counts_of(name, root)
        assert {what: found[what] for what in expected} == expected
        assert len(found) == len(expected) + 2
    run_command(monkeypatch, "data", "verify", "mead_tracks", root, "--quick")
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["vertices=paper", "1,435", "expected", "1,435", "ok"] in lines
    assert ["vertices=distinct", "1,431", "expected", "1,431", "ok"] in lines
    masks.write_bytes(b"(dp0\n")
    problems = verify_dataset("mead_tracks", root).problems
    assert len(problems) == 1
    assert "FLAME_masks.pkl: expected a pickle, found a damaged one" in problems[0]


def make_mead(root: Path) -> None:
    write_video(root / "M003" / "video" / "front" / "angry" / "level_1" / "001.mp4", 2)


@pytest.mark.parametrize("quick", [False, True])
@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("casme2", make_casme2),
        ("ck_plus", make_ck_plus),
        ("ffn", make_ffn),
        ("mead", make_mead),
        ("mead_tracks", make_tracks),
        ("ck_plus_tracks", make_tracks),
    ],
)
def test_what_ffbench_made_is_synthetic_wherever_the_mark_is(
    tmp_path: Path, name: str, make: Callable[[Path], object], quick: bool
) -> None:
    root = tmp_path / "outer" / "inner"
    make(root)
    # Tracks are looked for in the given folder alone.
    for given in (root,) if name.endswith("tracks") else (root.parent, root):
        assert not verify_dataset(name, given, quick=quick).synthetic
        for marked in (root, root.parent):
            mark = marked / SYNTHETIC_MARK
            mark.write_text("{}")
            found = verify_dataset(name, given, quick=quick)
            mark.unlink()
            assert found.synthetic
            assert all(count.expected is None for count in found.counts)


def test_names() -> None:
    assert set(dataset_names()) >= {"ck_plus", "ffn", "mead"}
    with pytest.raises(UsageError, match="unknown dataset 'ckplus' - did you mean 'ck_plus'"):
        verify_dataset("ckplus", Path())
    with pytest.raises(DataError, match=r"expected a folder, a \.zip or \.tar archive"):
        verify_dataset("ck_plus", Path(__file__))
    assert Count("x", 3).fits
    assert not Count("x", 3, 4).fits


def test_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    root = make_ck_plus(tmp_path / "CK+")
    (root / "Landmarks" / "S010" / "001" / "S010_001_00000001_landmarks.txt").unlink()
    assert run_command(monkeypatch, "data", "verify", "ck_plus", root) == 3
    out, err = capsys.readouterr()
    assert "sequences" in out
    assert "expected     593  DIFFERS" in out
    assert "problem: " in out
    assert "not ck_plus as distributed" in err
    assert run_command(monkeypatch, "data", "verify", "ck_plus", root, "--json", "--quick") == 3
    found = json.loads(capsys.readouterr().out)
    assert (found["sound"], found["dataset"], len(found["problems"])) == (False, "ck_plus", 1)
    assert found["counts"][0] == {"what": "sequences", "found": 2, "expected": 593, "fits": False}
    (root / "ffbench-mini.json").write_text("{}")
    make_ck_plus(tmp_path / "mini")
    (tmp_path / "mini" / "ffbench-mini.json").write_text("{}")
    assert run_command(monkeypatch, "data", "verify", "ck_plus", tmp_path / "mini") == 0
    assert "synthetic mini dataset" in capsys.readouterr().out
