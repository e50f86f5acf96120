"""CK+ (the Extended Cohn-Kanade dataset) in the layout in which it is distributed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ffbench.datasets.folders import levels_below, visible
from ffbench.datasets.images import IMAGE_SUFFIXES, image_size
from ffbench.datasets.manifest import manifest_sha256
from ffbench.datasets.provenance import engine_sign
from ffbench.errors import DataError
from ffbench.io.archives.member_path import DatasetPath, as_dataset_path, open_tree
from ffbench.io.bounds import read_bounded

LANDMARKS = 68
OFFICIAL_SEQUENCES = 593
OFFICIAL_EMOTIONS = 327
EMOTIONS = ("neutral", "anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")
"""Names of the emotion codes 0 to 7."""
LAYOUT = (
    "cohn-kanade-images/S005/001/S005_001_00000001.png, ... beside "
    "Landmarks/S005/001/S005_001_00000001_landmarks.txt, ... (and Emotion/S005/001/..._emotion.txt)"
)
_SEARCH_DEPTH = 4
_MAX_TEXT_BYTES = 2**16
"""A landmark file has about 2.5 kB; a larger file than this is something else."""
_SUBJECT = re.compile(r"S\d+")
_TAKE = re.compile(r"\d+")


@dataclass(frozen=True)
class Sequence:
    """One expression from onset (first frame) to apex (last frame)."""

    subject: str
    """Such as `S005`."""
    name: str
    """Such as `S005_001`."""
    first_image: DatasetPath
    last_image: DatasetPath
    first_landmarks: DatasetPath
    last_landmarks: DatasetPath
    frames: int
    emotion: str | None
    """One of `EMOTIONS`; 327 of the 593 sequences have one."""

    @property
    def files(self) -> tuple[DatasetPath, ...]:
        """All files of the sequence that count."""
        return self.first_image, self.last_image, self.first_landmarks, self.last_landmarks


@dataclass(frozen=True)
class CKPlus:
    """What lies in a CK+ folder."""

    sequences: tuple[Sequence, ...]
    problems: tuple[str, ...]
    """What was left out or ignored, and why: one line each, with the file's name."""
    manifest_sha256: str
    """Hash of the names and contents of all files of `sequences`."""

    @property
    def synthetic(self) -> bool:
        """Whether ffbench made any of it."""
        return engine_sign(*(path for sequence in self.sequences for path in sequence.files)) is not None


def scan(root: DatasetPath | str) -> CKPlus:
    """Find the sequences under `root` and check every file that a protocol will read, images by their header.

    The three folders may lie up to four levels down, as unpacked archives leave them. A sequence with a fault is
    left out and named in `problems`.

    Raises:
        DataError: no such folder, not a CK+ folder, or no sequence without a fault.
    """
    root = open_tree(root)
    if not root.is_dir():
        raise DataError(root, f"no such folder; expected CK+: {LAYOUT}")
    images, landmarks = _require(root, "cohn-kanade-images"), _require(root, "Landmarks")
    emotions = _find(root, {"emotion", "emotion_labels"})
    sequences: list[Sequence] = []
    problems: list[str] = []
    taken = dict(_takes(images))
    for name, folder in taken.items():
        try:
            sequences.append(_read_sequence(name, folder, landmarks, emotions, problems))
        except DataError as error:
            problems.append(f"{error}; the sequence is left out")
    for name, folder in _takes(landmarks):
        if name not in taken:
            problems.append(f"{folder}: landmarks without images in {images}; the sequence is left out")
    if not sequences:
        first = f"; the first of {len(problems)} problems: {problems[0]}" if problems else ""
        raise DataError(root, f"no usable sequence; expected CK+: {LAYOUT}{first}")
    return CKPlus(tuple(sequences), tuple(problems), _manifest(sequences))


def read_landmarks(path: DatasetPath | str) -> npt.NDArray[np.float64]:
    """Read the (68, 2) landmarks of one frame, x and y in px.

    Raises:
        DataError: the file is missing, or is not 68 rows of two finite numbers.
    """
    path = as_dataset_path(path)
    rows = [line.split() for line in _read_text(path).splitlines() if line.strip()]
    if len(rows) != LANDMARKS:
        raise DataError(path, f"{len(rows)} rows, expected {LANDMARKS} of two numbers each")
    for number, columns in enumerate(rows, start=1):
        if len(columns) != 2:
            raise DataError(path, f"row {number} has {len(columns)} columns, expected x and y")
    try:
        points = np.array(rows, np.float64)
    except ValueError as error:
        raise DataError(path, f"{error}; expected {LANDMARKS} rows of two numbers each") from error
    if not np.isfinite(points).all():
        row = int(np.nonzero(~np.isfinite(points).all(axis=1))[0][0])
        raise DataError(path, f"row {row + 1} is not finite ({' '.join(rows[row])})")
    return points


def _read_sequence(
    name: str, folder: DatasetPath, landmarks: DatasetPath, emotions: DatasetPath | None, problems: list[str]
) -> Sequence:
    frames = _frames(name, folder, problems)
    if len(frames) < 2:
        raise DataError(folder, f"{len(frames)} frames, expected at least the first and the last")
    first, last = frames[0], frames[-1]
    sizes = image_size(first), image_size(last)
    if sizes[0] != sizes[1]:
        raise DataError(last, f"{sizes[1][0]} x {sizes[1][1]}, but {first.name} is {sizes[0][0]} x {sizes[0][1]}")
    subject, take = folder.parent.name, folder.name
    marks = [landmarks / subject / take / f"{image.stem}_landmarks.txt" for image in (first, last)]
    for path in marks:
        _require_near_image(path, read_landmarks(path), sizes[0])
    emotion = None
    if emotions is not None:
        try:
            emotion = _read_emotion(emotions / subject / take)
        except DataError as error:
            problems.append(f"{error}; the sequence counts as unlabelled")
    return Sequence(subject, name, first, last, marks[0], marks[1], len(frames), emotion)


def _frames(name: str, folder: DatasetPath, problems: list[str]) -> list[DatasetPath]:
    """List the frames `<name>_<number>.png` in order of their numbers."""
    frames: list[DatasetPath] = []
    for file in visible(folder):
        if file.suffix.lower() not in IMAGE_SUFFIXES:
            continue
        if re.fullmatch(re.escape(name) + r"_\d+", file.stem):
            frames.append(file)
        else:
            problems.append(f"{file}: not named {name}_<number>; the image is ignored")
    return frames


def _require_near_image(path: DatasetPath, points: npt.NDArray[np.float64], size: tuple[int, int]) -> None:
    # A tracker may place a point a little outside; a whole image away is a damaged file.
    far = ((points < -np.array(size)) | (points > 2 * np.array(size))).any(axis=1)
    if far.any():
        row = int(np.nonzero(far)[0][0])
        x, y = points[row]
        raise DataError(path, f"row {row + 1} is at ({x:g}, {y:g}), far outside the {size[0]} x {size[1]} image")


def _read_emotion(folder: DatasetPath) -> str | None:
    files = [file for file in visible(folder) if file.name.endswith("_emotion.txt")] if folder.is_dir() else []
    if not files:
        return None
    if len(files) > 1:
        raise DataError(folder, f"{len(files)} emotion files, expected one")
    text = _read_text(files[0]).strip()
    try:
        code = float(text)
        return EMOTIONS[range(len(EMOTIONS)).index(code)]  # type: ignore[arg-type]
    except ValueError as error:
        raise DataError(files[0], f"{text[:40]!r} is not one of the emotion codes 0 to 7") from error


def _read_text(path: DatasetPath) -> str:
    too_large = f"larger than {_MAX_TEXT_BYTES} bytes, which no text file of CK+ is"
    content = read_bounded(path, _MAX_TEXT_BYTES, too_large, missing="no such file")
    return content.decode("ascii", errors="replace")


def _require(root: DatasetPath, name: str) -> DatasetPath:
    found = _find(root, {name.casefold()})
    if found is None:
        raise DataError(root, f"no folder {name} with subjects S... in it; expected CK+: {LAYOUT}")
    return found


def _find(root: DatasetPath, names: set[str]) -> DatasetPath | None:
    """Find the topmost folder of one of these names that holds subjects; `root` itself may be it."""
    for level in levels_below(root, _SEARCH_DEPTH, lambda folder: not _SUBJECT.fullmatch(folder.name)):
        for folder in level:
            if folder.name.casefold() in names and any(True for _ in _subjects(folder)):
                return folder
    return None


def _subjects(folder: DatasetPath) -> Iterator[DatasetPath]:
    return (item for item in visible(folder) if item.is_dir() and _SUBJECT.fullmatch(item.name))


def _takes(folder: DatasetPath) -> Iterator[tuple[str, DatasetPath]]:
    """Return name and folder of every sequence, such as `S005_001` and `S005/001`."""
    for subject in _subjects(folder):
        for take in visible(subject):
            if take.is_dir() and _TAKE.fullmatch(take.name):
                yield f"{subject.name}_{take.name}", take


def _manifest(sequences: list[Sequence]) -> str:
    files = {f"{s.name}/{path.name}": path for s in sequences for path in s.files}
    labels = "".join(f"{s.name} {s.emotion}\n" for s in sequences)
    return hashlib.sha256(f"{manifest_sha256(files)}\n{labels}".encode()).hexdigest()
