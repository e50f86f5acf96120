"""Sources of faces: persons by folder, and every unusable file named, left out and counted."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from ffbench.errors import DataError
from ffbench.facemesh import tracker
from ffbench.facemesh.tracker import FaceTrack
from ffbench.reanimation.photographs.sources import find_faces_in
from ffbench.reanimation.photographs.usable import LONGEST_SIDE
from tests.reanimation.toy_face import toy_mesh, toy_photo

SIZE, WIDTH = 120, 60.0
MARKS = {"none": 10, "two": 20, "tiny": 30, "turned": 40, "cut": 50, "good": 60}
"""What the stand-in for the network sees, by the red of the first pixel."""


def photo(kind: str) -> np.ndarray:
    image = toy_photo(SIZE, WIDTH)[0]
    image[:4, :4, 0] = MARKS[kind]
    return image


def fake_meshes(image: np.ndarray, network: object = None) -> list[FaceTrack]:
    points, depth = toy_mesh()
    scale = image.shape[1] / SIZE
    red = int(np.median(image[: max(int(3 * scale), 1), : max(int(3 * scale), 1), 0]))
    kind = min(MARKS, key=lambda name: abs(MARKS[name] - red))
    if kind == "turned":
        angle = np.radians(50)
        x, z = (
            points[:, 0] * np.cos(angle) - depth * np.sin(angle),
            points[:, 0] * np.sin(angle) + depth * np.cos(angle),
        )
        points, depth = np.column_stack([x, points[:, 1]]), z
    width = 20.0 if kind == "tiny" else WIDTH * scale
    at = np.array([0.1, 0.4] if kind == "cut" else [0.5, 0.42]) * SIZE * scale
    face = FaceTrack(points * width + at, 0.9, depth * width)
    return [] if kind == "none" else [face] * (2 if kind == "two" else 1)


def write_video(path: Path, kinds: list[str]) -> None:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (SIZE, SIZE))
    for kind in kinds:
        writer.write(photo(kind)[..., ::-1])
    writer.release()


def bad_folder(root: Path) -> Path:
    """A folder of a user's with everything that can be wrong, and three good files of two people."""
    (root / "anna").mkdir(parents=True)
    for kind in ("none", "two", "tiny", "turned", "cut"):
        Image.fromarray(photo(kind)).save(root / f"{kind}.png")
    grey = np.repeat(photo("good").mean(axis=2).astype(np.uint8)[..., None], 3, axis=2)
    Image.fromarray(grey).save(root / "grey.png")
    Image.fromarray(photo("good")).save(root / "anna" / "1.png")
    Image.fromarray(photo("good")).save(root / "anna" / "2.png")
    Image.fromarray(cv2.resize(photo("good"), None, fx=10, fy=10, interpolation=cv2.INTER_NEAREST)).save(
        root / "bob.png"
    )
    (root / "broken.jpg").write_bytes(b"\xff\xd8\xff no image")
    header = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", 60000, 60000, 8, 2, 0, 0, 0)
    (root / "huge.png").write_bytes(header + b"\0\0\0\0")
    (root / "notes.txt").write_text("not a photograph")
    write_video(root / "short.avi", ["good", "good"])
    write_video(root / "lost.avi", ["none"] * 4)
    write_video(root / "clip.avi", ["none", "good", "good", "none", "good"])
    return root


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[int]:
    calls: list[int] = []

    def counted(image: np.ndarray, network: object = None) -> list[FaceTrack]:
        calls.append(len(image))
        return fake_meshes(image, network)

    monkeypatch.setattr(tracker, "find_face_meshes", counted)
    monkeypatch.setenv("FFBENCH_CACHE", str(tmp_path / "cache"))
    return calls


def test_every_bad_file_is_named_and_left_out(tmp_path: Path, network: list[int]) -> None:
    found = find_faces_in(bad_folder(tmp_path / "faces"))
    names = {(face.person, face.name) for face in found.faces}
    assert names == {
        ("anna", "1.png"), ("anna", "2.png"), ("bob.png", "bob.png"), ("clip.avi", "clip.avi#1"),
        ("clip.avi", "clip.avi#4"),
    }  # fmt: skip
    for file, reason in {
        "none.png": "no upright face", "two.png": "2 faces; expected one", "tiny.png": "px wide; expected at least 40",
        "turned.png": "turned by", "cut.png": "cut off", "grey.png": "grey photograph", "short.avi": "2 frames",
        "lost.avi": "4 of 4 frames that were looked at", "clip.avi": "2 of 5 frames that were looked at",
    }.items():  # fmt: skip
        assert [line for line in found.left_out if f"{file}: " in line and reason in line], file
    assert len(found.left_out) == 9
    assert sorted(Path(line.partition(": ")[0]).name for line in found.problems) == ["broken.jpg", "huge.png"]
    assert len(found.files) == 4
    bob = next(face for face in found.faces if face.person == "bob.png")
    assert max(bob.read().shape) == LONGEST_SIDE
    frame = next(face for face in found.faces if face.frame == 4)
    assert frame.read().shape == (SIZE, SIZE, 3)


def test_frames_of_large_clips_are_made_smaller_as_photographs_are(tmp_path: Path, network: list[int]) -> None:
    writer = cv2.VideoWriter(str(tmp_path / "large.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (SIZE * 8, SIZE * 8))
    for _ in range(3):
        writer.write(cv2.resize(photo("good"), None, fx=8, fy=8, interpolation=cv2.INTER_NEAREST)[..., ::-1])
    writer.release()
    face = find_faces_in(tmp_path / "large.avi").faces[0]
    assert face.read().shape == (LONGEST_SIDE, LONGEST_SIDE, 3)
    assert face.points.max() < LONGEST_SIDE
    assert set(network) == {LONGEST_SIDE}  # the points are of the image that `read` returns


def test_faces_are_looked_for_once(tmp_path: Path, network: list[int]) -> None:
    root = bad_folder(tmp_path / "faces")
    first = find_faces_in(root)
    looked = len(network)
    assert looked
    second = find_faces_in(root)
    assert len(network) <= looked + 2  # what cannot be read is tried again, and shows no face to the network
    assert [face.name for face in second.faces] == [face.name for face in first.faces]
    np.testing.assert_array_equal(second.faces[0].points, first.faces[0].points)
    assert second.left_out == first.left_out
    for file in (tmp_path / "cache" / "reanimated").iterdir():
        file.write_bytes(b"damaged")
    assert [face.name for face in find_faces_in(root).faces] == [face.name for face in first.faces]


def test_nothing_to_use_is_one_error(tmp_path: Path, network: list[int]) -> None:
    root = tmp_path / "faces"
    root.mkdir()
    with pytest.raises(DataError, match="no photographs or videos"):
        find_faces_in(root)
    Image.fromarray(photo("none")).save(root / "a.png")
    with pytest.raises(DataError, match=r"no face that can be reanimated: .*a\.png: no upright face"):
        find_faces_in(root)
    with pytest.raises(DataError):
        find_faces_in(tmp_path / "missing")
    Image.fromarray(photo("good")).save(root / "b.png")
    assert len(find_faces_in(root).faces) == 1
    archive = Path(shutil.make_archive(str(tmp_path / "packed"), "zip", root))
    assert [face.name for face in find_faces_in(archive).faces] == ["b.png"]
    assert [face.name for face in find_faces_in(root / "b.png").faces] == ["b.png"]
