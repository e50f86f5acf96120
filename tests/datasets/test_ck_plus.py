"""CK+ as it is distributed, and every way in which a copy of it can be damaged."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ffbench.datasets.ck_plus.scan import read_landmarks, scan
from ffbench.errors import DataError
from tests.datasets.ck_plus_folder import add_sequence, landmarks, make_ck_plus, write_landmarks

IMAGE = "cohn-kanade-images/S005/001/S005_001_00000001.png"
MARKS = "Landmarks/S005/001/S005_001_00000001_landmarks.txt"
LAST_MARKS = "Landmarks/S005/001/S005_001_00000004_landmarks.txt"
EMOTION = "Emotion/S005/001/S005_001_00000004_emotion.txt"


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FFBENCH_CACHE", str(tmp_path / "cache"))


def rows(count: int, row: str = "1.0 2.0") -> str:
    return f"{row}\n" * count


def test_sequences_subjects_frames_and_emotions(tmp_path: Path) -> None:
    found = scan(make_ck_plus(tmp_path))
    assert found.problems == ()
    assert [(s.name, s.subject, s.frames, s.emotion) for s in found.sequences] == [
        ("S005_001", "S005", 4, "happiness"),
        ("S005_002", "S005", 12, "surprise"),
        ("S010_001", "S010", 4, None),
    ]
    second = found.sequences[1]
    assert second.first_image.name == "S005_002_00000001.png"
    assert second.last_image.name == "S005_002_00000012.png"
    assert np.allclose(read_landmarks(second.first_landmarks), landmarks(1), atol=1e-5)
    assert np.allclose(read_landmarks(second.last_landmarks), landmarks(12), atol=1e-5)


def test_frames_are_ordered_by_number_even_without_leading_zeros(tmp_path: Path) -> None:
    make_ck_plus(tmp_path)
    for kind, suffix in (("cohn-kanade-images", ".png"), ("Landmarks", "_landmarks.txt")):
        for file in (tmp_path / kind / "S005" / "002").iterdir():
            number = int(file.name.removeprefix("S005_002_").removesuffix(suffix))
            file.rename(file.with_name(f"S005_002_{number}{suffix}"))
    assert scan(tmp_path).sequences[1].last_image.name == "S005_002_12.png"


@pytest.mark.parametrize(
    ("images", "above"),
    [
        ("extended-cohn-kanade-images/cohn-kanade-images", ""),
        ("cohn-kanade-images/cohn-kanade-images", "download/CK+"),
    ],
)
def test_folders_may_be_nested_as_archives_leave_them(tmp_path: Path, images: str, above: str) -> None:
    plain = scan(make_ck_plus(tmp_path / "plain"))
    root = tmp_path / "nested"
    make_ck_plus(root / above, images)
    (root / "__MACOSX" / "Landmarks" / "S005").mkdir(parents=True)
    for folder in (root, root / above / "Landmarks" / "S005", root / above / "Landmarks" / "S005" / "001"):
        (folder / ".DS_Store").write_bytes(b"\0")
    (root / above / "Emotion" / "S005" / "001" / "._S005_001_00000004_emotion.txt").write_bytes(b"\0")
    found = scan(root)
    assert found.problems == ()
    assert [s.name for s in found.sequences] == [s.name for s in plain.sequences]
    assert found.manifest_sha256 == plain.manifest_sha256  # where it lies is no part of what it is


def test_emotion_folder_is_optional(tmp_path: Path) -> None:
    shutil.rmtree(make_ck_plus(tmp_path) / "Emotion")
    found = scan(tmp_path)
    assert [s.emotion for s in found.sequences] == [None] * 3
    assert found.problems == ()


@pytest.mark.parametrize("changed", [IMAGE, MARKS, LAST_MARKS, EMOTION])
def test_manifest_changes_with_every_file_that_is_used(tmp_path: Path, changed: str) -> None:
    before = scan(make_ck_plus(tmp_path)).manifest_sha256
    path = tmp_path / changed
    if path.suffix == ".png":
        Image.fromarray(np.zeros((49, 64), np.uint8)).save(path)
    elif path == tmp_path / EMOTION:
        path.write_text("1.0")
    else:
        write_landmarks(path, landmarks(99))
    assert scan(tmp_path).manifest_sha256 != before


def test_manifest_does_not_change_with_files_in_between(tmp_path: Path) -> None:
    before = scan(make_ck_plus(tmp_path)).manifest_sha256
    (tmp_path / "Landmarks/S005/001/S005_001_00000002_landmarks.txt").unlink()
    assert scan(tmp_path).manifest_sha256 == before


def overwrite(name: str, content: str) -> Callable[[Path], object]:
    return lambda root: (root / name).write_text(content)


def remove(name: str) -> Callable[[Path], object]:
    return lambda root: (root / name).unlink()


def make_wider(root: Path) -> None:
    Image.fromarray(np.zeros((49, 65), np.uint8)).save(root / IMAGE.replace("0001.png", "0004.png"))


def leave_one_frame(root: Path) -> None:
    for number in (2, 3, 4):
        (root / IMAGE.replace("0001.png", f"000{number}.png")).unlink()


def empty(root: Path) -> None:
    leave_one_frame(root)
    (root / IMAGE).unlink()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (remove(MARKS), "00000001_landmarks.txt: no such file"),
        (remove(LAST_MARKS), "00000004_landmarks.txt: no such file"),
        (overwrite(MARKS, rows(67)), "00000001_landmarks.txt: 67 rows, expected 68"),
        (overwrite(MARKS, rows(69)), "69 rows"),
        (overwrite(MARKS, ""), "0 rows"),
        (overwrite(MARKS, rows(67) + "1.0"), "row 68 has 1 columns"),
        (overwrite(MARKS, rows(67) + "1 2 3"), "row 68 has 3 columns"),
        (overwrite(MARKS, rows(67) + "1.0 x"), "could not convert string to float: 'x'"),
        (overwrite(MARKS, rows(5) + "1.0 nan\n" + rows(62)), "row 6 is not finite (1.0 nan)"),
        (overwrite(MARKS, rows(67) + "inf 1.0"), "row 68 is not finite"),
        (overwrite(MARKS, rows(3) + "1e9 1.0\n" + rows(64)), "row 4 is at (1e+09, 1), far outside the 64 x 49 image"),
        (overwrite(MARKS, rows(20000)), "larger than 65536 bytes"),
        (overwrite(IMAGE, "text"), "00000001.png: not an image"),
        (make_wider, "S005_001_00000004.png: 65 x 49, but S005_001_00000001.png is 64 x 49"),
        (leave_one_frame, "S005/001: 1 frames, expected at least"),
        (empty, "S005/001: 0 frames, expected at least"),
    ],
)
def test_a_damaged_sequence_is_left_out_and_named(tmp_path: Path, damage: Callable[[Path], object], said: str) -> None:
    damage(make_ck_plus(tmp_path))
    found = scan(tmp_path)
    assert [s.name for s in found.sequences] == ["S005_002", "S010_001"]
    (problem,) = found.problems
    assert said in problem
    assert problem.endswith("the sequence is left out")
    assert "\n" not in problem


@pytest.mark.parametrize(
    ("content", "said"),
    [("nine", "'nine' is not"), ("8.0", "'8.0' is not"), ("5.5", "'5.5' is not"), ("", "'' is not"), ("nan", "'nan'")],
)
def test_a_damaged_label_is_named_and_the_sequence_kept(tmp_path: Path, content: str, said: str) -> None:
    overwrite(EMOTION, content)(make_ck_plus(tmp_path))
    found = scan(tmp_path)
    assert (len(found.sequences), found.sequences[0].emotion) == (3, None)
    assert said in found.problems[0]
    assert "00000004_emotion.txt" in found.problems[0]


def test_two_labels_for_one_sequence(tmp_path: Path) -> None:
    overwrite(EMOTION.replace("0004", "0003"), "1.0")(make_ck_plus(tmp_path))
    assert "2 emotion files, expected one" in scan(tmp_path).problems[0]


def test_strange_images_and_lone_landmarks_are_named(tmp_path: Path) -> None:
    make_ck_plus(tmp_path)
    (tmp_path / IMAGE).with_name("copy of S005_001_00000009.png").write_bytes(b"")
    shutil.rmtree(tmp_path / "cohn-kanade-images" / "S010")
    problems = scan(tmp_path).problems
    assert "copy of S005_001_00000009.png: not named S005_001_<number>" in problems[0]
    assert "S010/001: landmarks without images" in problems[1]
    assert len(problems) == 2


def test_all_problems_are_collected(tmp_path: Path) -> None:
    make_ck_plus(tmp_path)
    add_sequence(tmp_path, "S011", "001")
    overwrite(MARKS, rows(67))(tmp_path)
    remove(MARKS.replace("001/", "002/").replace("_001_", "_002_"))(tmp_path)
    (tmp_path / "Landmarks/S010/001/S010_001_00000004_landmarks.txt").write_text(rows(68, "nan nan"))
    found = scan(tmp_path)
    assert [s.name for s in found.sequences] == ["S011_001"]
    assert [problem.split(":")[0].rsplit("/", 1)[1] for problem in found.problems] == [
        "S005_001_00000001_landmarks.txt",
        "S005_002_00000001_landmarks.txt",
        "S010_001_00000004_landmarks.txt",
    ]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda root: None, "no such folder"),
        (lambda root: root.mkdir(), "no folder cohn-kanade-images"),
        (lambda root: (root / "cohn-kanade-images").mkdir(parents=True), "no folder cohn-kanade-images"),
        (lambda root: shutil.rmtree(make_ck_plus(root) / "Landmarks"), "no folder Landmarks"),
        (lambda root: shutil.copy(__file__, root), "no such folder"),
    ],
)
def test_a_wrong_folder_is_told_what_was_expected(tmp_path: Path, make: Callable[[Path], object], said: str) -> None:
    make(tmp_path / "data")
    with pytest.raises(DataError, match=said) as caught:
        scan(tmp_path / "data")
    assert "expected CK+: cohn-kanade-images/S005/001/S005_001_00000001.png" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_usable_sequence_says_why(tmp_path: Path) -> None:
    add_sequence(tmp_path, "S005", "001", frames=1)
    with pytest.raises(DataError, match=r"no usable sequence.+of 1 problems: .+1 frames"):
        scan(tmp_path)
