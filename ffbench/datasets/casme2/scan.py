"""CASME II in the layout in which it is distributed: the coding table, original frames and registered crops."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ffbench.datasets.casme2.coding import Coding, SelectionRule, find_coding, read_coding
from ffbench.datasets.folders import levels_below, visible
from ffbench.datasets.images import image_size
from ffbench.datasets.manifest import manifest_sha256
from ffbench.datasets.onset_apex import lonely_classes
from ffbench.datasets.provenance import engine_sign
from ffbench.errors import DataError
from ffbench.formats.spreadsheet import read_tables
from ffbench.io.archives.member_path import DatasetPath, open_tree

OFFICIAL_ROWS, OFFICIAL_SUBJECTS = 255, 26
OFFICIAL_EMOTIONS = {
    "others": 99, "disgust": 63, "happiness": 32, "surprise": 28, "repression": 27, "sadness": 4, "fear": 2
}  # fmt: skip
"""Rows of each emotion in the coding table of 2014; together 255."""
FIVE: Mapping[str, str] = {name: name for name in ("happiness", "repression", "disgust", "surprise", "others")}
THREE: Mapping[str, str] = {
    "happiness": "happiness", "surprise": "surprise",
    **dict.fromkeys(("repression", "disgust", "fear", "sadness"), "negative"),
}  # fmt: skip
"""Class of each emotion, in the order of MMNet's labels; what has none is not part of the task."""
MEGC_CLASSES = ("negative", "positive", "surprise")
"""Classes 0, 1 and 2 of the list of the Micro-Expression Grand Challenge 2019."""
MEGC_LIST = "combined_3class_gt.csv"
OFFICIAL_FIVE, OFFICIAL_THREE = 249, 156
"""Rows that have a class. The accuracies of the paper's Table 4 fit 156 clips of 3 classes, and 246 of 5."""
OFFICIAL_LEFT_OUT: Mapping[SelectionRule, int] = {"clean": 2, "official": 1, "paper": 0}
"""Rows that a rule leaves out, of 5 classes and of 3: both are of the class disgust."""
OFFICIAL_MEGC = {"negative": 88, "positive": 32, "surprise": 25}
LAYOUT = (
    "CASME2-coding-20140508.xlsx (or its export as .csv), CASME2-RAW/sub01/EP02_01f/img1.jpg, ... and "
    "Cropped/sub01/EP02_01f/reg_img1.jpg, ..."
)
_RAW_FOLDERS = {"casme2-raw", "casme2_raw", "casme2_raw_selected", "casme2-raw-selected"}
_CROPPED_FOLDERS = {"cropped", "casme2-cropped", "casme2_cropped"}
_SUBJECT = re.compile(r"sub\d+")
_FRAME = re.compile(r"(?:reg_)?img(\d{1,7})\.jpe?g", re.IGNORECASE)
_SEARCH_DEPTH = 3


@dataclass(frozen=True)
class Clip:
    """A clip whose onset and apex have images: what a flow can be estimated for."""

    coding: Coding
    onset_image: DatasetPath
    apex_image: DatasetPath
    onset_crop: DatasetPath
    """The registered face at onset, as the authors cropped it."""
    apex_crop: DatasetPath

    @property
    def files(self) -> tuple[DatasetPath, ...]:
        """All files of the clip that count."""
        return self.onset_image, self.apex_image, self.onset_crop, self.apex_crop


@dataclass(frozen=True)
class Casme2:
    """What lies in a CASME II folder."""

    rows: tuple[Coding, ...]
    """Every row of the coding table that makes sense."""
    clips: tuple[Clip, ...]
    left_out: tuple[str, ...]
    """Rows that no flow can be estimated for by their coding, and the rule: one line each."""
    problems: tuple[str, ...]
    """Faults: one line each, with the file's name."""
    megc: Mapping[str, str] | None
    """Class of each clip of the list of MEGC 2019, by key; None where the list is not there."""

    @property
    def synthetic(self) -> bool:
        """Whether ffbench made any of it."""
        return engine_sign(*(path for clip in self.clips for path in clip.files)) is not None


@dataclass(frozen=True)
class Selection:
    """The clips of a recognition task, with the class of each."""

    classes: tuple[str, ...]
    clips: tuple[tuple[Clip, str], ...]
    left_out: tuple[str, ...]
    problems: tuple[str, ...]
    manifest_sha256: str
    """Hash of names, contents and classes of all files that are used."""


def scan(root: DatasetPath | str, rule: SelectionRule = "clean") -> Casme2:
    """Read the coding table under `root` and look for the frames that it names; images are checked by their header.

    Args:
        root: folder or archive of the dataset.
        rule: which rows count whose apex is missing or is the onset (`Coding.apex_by`); the others are left out.

    Raises:
        DataError: no such folder, no or no readable coding table, no folder of frames, or no usable clip.
    """
    root = open_tree(root)
    if not root.is_dir():
        raise DataError(root, f"no such folder; expected CASME II: {LAYOUT}")
    rows, problems = read_coding(find_coding(root))
    raw, cropped = raw_folder(root), _require(root, _CROPPED_FOLDERS, "Cropped")
    clips: list[Clip] = []
    left_out: list[str] = []
    absent: set[str] = set()
    for row in rows:
        if reason := row.left_out_by(rule):
            left_out.append(f"{row.key}: {reason}")
        elif not (raw / row.subject).is_dir():
            absent.add(row.subject)
        else:
            try:
                clips.append(_clip(row, row.apex_by(rule), raw, cropped))
            except DataError as error:
                problems.append(f"{error}; the clip {row.key} is left out")
    for subject in sorted(absent):
        lacking = sum(row.subject == subject for row in rows)
        problems.append(f"{raw / subject}: no such folder; the {lacking} clips of {subject} are left out")
    if not clips:
        first = f"; the first of {len(problems)} problems: {problems[0]}" if problems else ""
        raise DataError(root, f"no usable clip; expected CASME II: {LAYOUT}{first}")
    megc, faults = _read_megc(root)
    return Casme2(tuple(rows), tuple(clips), tuple(left_out), tuple(problems + faults), megc)


def select(found: Casme2, classes: Mapping[str, str]) -> Selection:
    """Take the clips whose emotion has a class: `FIVE` or `THREE`.

    Raises:
        DataError: the clips are of fewer than two subjects or classes.
    """
    chosen = {row.key: classes[row.emotion] for row in found.rows if row.emotion in classes}
    return _selection(found, chosen, tuple(dict.fromkeys(classes.values())))


def select_megc(found: Casme2) -> Selection:
    """Take the clips of the list of MEGC 2019. The coding table alone does not say which 145 they are.

    Raises:
        DataError: the list is not there, or the clips are of fewer than two subjects or classes.
    """
    if found.megc is None:
        raise DataError(
            f"the 145 clips of MEGC 2019 cannot be told from the coding table: put the organisers' {MEGC_LIST} "
            "(rows of dataset, subject, clip, class 0 to 2) beside it"
        )
    chosen = {key: name for key, name in found.megc.items() if key in {row.key for row in found.rows}}
    selection = _selection(found, chosen, MEGC_CLASSES)
    unknown = [f"{MEGC_LIST}: {key} is not in the coding table" for key in found.megc if key not in chosen]
    return Selection(
        selection.classes,
        selection.clips,
        selection.left_out,
        (*selection.problems, *unknown),
        selection.manifest_sha256,
    )


def _selection(found: Casme2, chosen: Mapping[str, str], classes: tuple[str, ...]) -> Selection:
    clips = tuple((clip, chosen[clip.coding.key]) for clip in found.clips if clip.coding.key in chosen)
    subjects = {name: {clip.coding.subject for clip, of in clips if of == name} for name in classes}
    everyone = set().union(*subjects.values())
    if len(everyone) < 2 or sum(bool(people) for people in subjects.values()) < 2:
        raise DataError(
            f"{len(clips)} usable clips of {len(everyone)} subjects in {sum(map(bool, subjects.values()))} classes; "
            "leaving one subject out needs two subjects and two classes at least"
        )
    problems = lonely_classes(subjects)
    left_out = [line for line in found.left_out if line.partition(":")[0] in chosen]
    return Selection(classes, clips, tuple(left_out), (*found.problems, *problems), _manifest(clips))


def raw_folder(root: DatasetPath) -> DatasetPath:
    """Return the folder of the original frames.

    Raises:
        DataError: there is none.
    """
    return _require(root, _RAW_FOLDERS, "CASME2-RAW")


def _clip(row: Coding, apex: int, raw: DatasetPath, cropped: DatasetPath) -> Clip:
    folders = raw / row.subject / row.name, cropped / row.subject / row.name
    original, registered = clip_frames(folders[0]), clip_frames(folders[1])
    files = [
        _frame(frames, number, folder, prefix)
        for frames, folder, prefix in ((original, folders[0], "img"), (registered, folders[1], "reg_img"))
        for number in (row.onset, apex)
    ]
    for first, second in (files[:2], files[2:]):
        sizes = image_size(first), image_size(second)
        if sizes[0] != sizes[1]:
            raise DataError(second, f"{sizes[1][0]} x {sizes[1][1]}, but {first.name} is {sizes[0][0]} x {sizes[0][1]}")
    return Clip(row, *files)


def clip_frames(folder: DatasetPath) -> dict[int, DatasetPath]:
    """List the frames of a clip by number, in its order.

    Raises:
        DataError: there is no such folder.
    """
    if not folder.is_dir():
        raise DataError(folder, "no such folder")
    found = ((_FRAME.fullmatch(file.name), file) for file in visible(folder))
    return dict(sorted((int(match[1]), file) for match, file in found if match))


def _frame(frames: Mapping[int, DatasetPath], number: int, folder: DatasetPath, prefix: str) -> DatasetPath:
    if number in frames:
        return frames[number]
    there = f"it has {len(frames)}, from {min(frames)} to {max(frames)}" if frames else "it has none"
    raise DataError(f"{folder / f'{prefix}{number}.jpg'}: no such frame in the folder; {there}")


def _read_megc(root: DatasetPath) -> tuple[dict[str, str] | None, list[str]]:
    """Read the organisers' list where it is there: rows of dataset, subject, clip and class, without column names."""
    path = root / MEGC_LIST
    if not path.is_file():
        return None, []
    chosen: dict[str, str] = {}
    problems: list[str] = []
    for number, cells in enumerate(read_tables(path)[0], start=1):
        if not cells or cells[0].casefold() not in ("casme2", "casmeii", "casme ii"):
            continue
        if len(cells) < 4 or not _SUBJECT.fullmatch(cells[1]) or cells[3] not in ("0", "1", "2"):
            problems.append(f"{path}: row {number}: expected casme2, sub01, EP02_01f and a class 0 to 2")
            continue
        chosen[f"{cells[1]}/{cells[2]}"] = MEGC_CLASSES[int(cells[3])]
    return chosen, problems


def _require(root: DatasetPath, names: set[str], expected: str) -> DatasetPath:
    for level in levels_below(root, _SEARCH_DEPTH, lambda folder: not _SUBJECT.fullmatch(folder.name)):
        for folder in level:
            if folder.name.casefold() in names and any(True for _ in _subjects(folder)):
                return folder
    raise DataError(root, f"no folder {expected} with subjects sub01, ... in it; expected CASME II: {LAYOUT}")


def _subjects(folder: DatasetPath) -> Iterator[DatasetPath]:
    return (item for item in visible(folder) if item.is_dir() and _SUBJECT.fullmatch(item.name))


def _manifest(clips: Sequence[tuple[Clip, str]]) -> str:
    files = {f"{clip.coding.key}/{path.name}": path for clip, _ in clips for path in clip.files}
    labels = "".join(f"{clip.coding.key} {name}\n" for clip, name in clips)
    return hashlib.sha256(f"{manifest_sha256(files)}\n{labels}".encode()).hexdigest()
