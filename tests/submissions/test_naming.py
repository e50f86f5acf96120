"""Wrong names are matched, and the fix is said; names that cannot be told are left alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ffbench.submissions.submit import validate_submission
from tests.submissions.moved_textures import MovedTextures, write
from tests.submissions.toys import pack


def moved(folder: Path, place: Callable[[str], str]) -> tuple[str, ...]:
    """Move each file of a sound submission to `place` of its name without suffix; give the hints."""
    for path in sorted((folder / "facial").iterdir()):
        target = folder / place(path.stem)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
    (folder / ".keep").touch()
    return validate_submission(folder, MovedTextures(), advise=True).hints


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (lambda key: f"{key}.flo", ["6 files have the names of pairs but no folder: put them under facial/"]),
        (lambda key: f"flows/run/{key}.flo", ["6 files lie in run/: put them under facial/"]),
        (lambda key: f"a/b/facial/{key}.flo", ["6 files lie too deep, in b/: move everything in it up one folder"]),
        (lambda key: f"a/b/c/facial/{key}.flo", ["6 files lie too deep, in b/c/: move everything in it up 2 folders"]),
        (
            lambda key: f"facial/{key}_flow.flo",
            [
                "rename facial/face_00_flow.flo to facial/face_00.flo",
                "rename facial/face_01_flow.flo to facial/face_01.flo",
                "rename facial/face_02_flow.flo to facial/face_02.flo",
                "... and 3 more in the same way",
            ],
        ),
        (lambda key: f"facial/{key}_1.flo", ["rename facial/face_00_1.flo to facial/face_00.flo"]),
        (lambda key: f"facial/Face-{int(key[-2:])}.FLO", ["rename facial/Face-0.FLO to facial/face_00.FLO"]),
        (lambda key: f"pred-{key}.flo", ["rename pred-face_00.flo to facial/face_00.flo"]),
        (lambda key: f"facial/{key}.txt", ["6 files of pairs are of no format that is read (.flo, .flo5, .png,"]),
    ],
)
def test_wrong_names_are_matched(tmp_path: Path, place: Callable[[str], str], said: list[str]) -> None:
    hints = moved(write(tmp_path / "a"), place)
    assert len(hints) >= len(said)
    for line, expected in zip(hints, said, strict=False):
        assert line.startswith(expected)


def test_expression_flow_in_place_of_facial_is_explained(tmp_path: Path) -> None:
    write(tmp_path / "a")
    (tmp_path / "a" / "facial").rename(tmp_path / "a" / "expression")
    (tmp_path / "a" / "head").mkdir()
    (tmp_path / "a" / "notes.txt").touch()
    hints = validate_submission(tmp_path / "a", MovedTextures()).hints
    assert hints == ("expression flow is not submitted: write the facial flow, all that moves, into facial/",)


@pytest.mark.parametrize("place", [lambda key: f"facial/{ord(key[-1])}x.flo", lambda key: f"facial/{key}9.flo"])
def test_names_that_mean_no_pair_are_left_alone(tmp_path: Path, place: Callable[[str], str]) -> None:
    assert moved(write(tmp_path / "a"), place) == ()


def test_two_files_for_one_pair_are_left_alone(tmp_path: Path) -> None:
    folder = write(tmp_path / "a")
    content = (folder / "facial" / "face_00.flo").read_bytes()
    (folder / "facial" / "face_00.flo").unlink()
    for name in ("Face_00.flo", "face-0.flo"):
        (folder / "facial" / name).write_bytes(content)
    assert validate_submission(folder, MovedTextures()).hints == ()


def test_sound_names_raise_no_hint_and_the_fix_of_an_archive_is_the_same(tmp_path: Path) -> None:
    folder = write(tmp_path / "a")
    assert validate_submission(folder, MovedTextures()).hints == ()
    assert validate_submission(pack("zip", folder, "top"), MovedTextures()).hints == ()
    deep = write(tmp_path / "b" / "x" / "y").parents[1]
    hints = validate_submission(pack("zip", deep), MovedTextures()).hints
    assert hints == ("6 files lie too deep, in y/: move everything in it up one folder",)
