"""SAMM, SMIC-HS, CAS(ME)^3 part A and MMEW: where their tables and frames are.

The layouts were confirmed from public loaders, not from the datasets: docs/datasets/microexpressions.md says which.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ffbench.datasets.folders import levels_below, visible
from ffbench.datasets.microexpressions.frames import AnnotatedClip, find_frames, numbered_frames
from ffbench.datasets.microexpressions.tables import TableRow, find_table, frame_number, plain_name, read_rows
from ffbench.datasets.onset_apex import OnsetApexClips
from ffbench.errors import DataError
from ffbench.io.archives.member_path import DatasetPath, open_tree

_DEPTH = 3
_SAMM_SUBJECT = re.compile(r"\d{3}")
_SMIC_SUBJECT = re.compile(r"s\d{1,2}", re.IGNORECASE)
_CASME3_SUBJECT = re.compile(r"spno\.\d{1,3}", re.IGNORECASE)
SMIC_EMOTIONS = ("negative", "positive", "surprise")
MMEW_EMOTIONS = ("anger", "disgust", "fear", "happiness", "others", "sadness", "surprise")
Rows = tuple[list[AnnotatedClip], list[str]]


def list_samm(root: DatasetPath | str) -> OnsetApexClips:
    """List the clips of SAMM: `SAMM_Micro_FACS_Codes*.xlsx`, frames in `006/006_1_2/006_05562.jpg`.

    Raises:
        DataError: no such folder, no table, or no folder of subjects.
    """
    root = _opened(root, "SAMM_Micro_FACS_Codes_v2.xlsx and the folders of subjects 006, 007, ...")
    table = find_table(root, ("SAMM_Micro_FACS_Codes", "SAMM_2018"), "SAMM_Micro_FACS_Codes_v2.xlsx")
    frames = _folder_of(root, _SAMM_SUBJECT, "006/006_1_2/006_05562.jpg")
    columns = {"subject": "Subject", "clip": "Filename", "onset": "Onset Frame", "apex": "Apex Frame",
               "offset": "Offset Frame", "label": "Estimated Emotion"}  # fmt: skip

    def clip(row: TableRow) -> AnnotatedClip:
        subject = row.cells["subject"]
        if not re.fullmatch(r"\d{1,3}", subject):
            raise ValueError(f"Subject is {subject!r}, expected a number")
        subject = f"{int(subject):03d}"
        name = plain_name(row.cells["clip"], "Filename")
        return _annotated(row, subject, name, f"{subject}/{name}", frames / subject / name)

    return find_frames(*_clips(table, columns, clip))


def list_smic(root: DatasetPath | str) -> OnsetApexClips:
    """List the clips of SMIC-HS: `HS/s1/micro/negative/s1_ne_01/image036237.bmp`. It has no table.

    A clip runs from onset to offset. No apex is annotated: the middle of the first and the last frame, rounded down,
    stands for it, as is usual.

    Raises:
        DataError: no such folder, or no folder of subjects.
    """
    root = _opened(root, "HS/s1/micro/negative/s1_ne_01/image036237.bmp, ...")
    frames = _folder_of(root, _SMIC_SUBJECT, "HS/s1/micro/negative/s1_ne_01/image036237.bmp", inside="micro")
    rows, problems = [], []
    for subject in visible(frames):
        if not _SMIC_SUBJECT.fullmatch(subject.name) or not (subject / "micro").is_dir():
            continue
        for emotion in visible(subject / "micro"):
            if emotion.name.casefold() not in SMIC_EMOTIONS:
                problems.append(f"{emotion}: is none of {', '.join(SMIC_EMOTIONS)}; its clips are left out")
                continue
            for folder in visible(emotion):
                try:
                    rows.append(_smic_clip(subject.name.casefold(), emotion.name.casefold(), folder))
                except (DataError, ValueError) as error:
                    problems.append(f"{error}; the clip {folder.name} is left out")
    return find_frames(rows, problems)


def list_casme3(root: DatasetPath | str) -> OnsetApexClips:
    """List the clips of CAS(ME)^3 part A: `cas(me)3_part_A_ME_label_JpgIndex*.xlsx`.

    Frames lie in `frame/spNO.1_a_116/116.jpg`, the clips alone, or in `spNO.1/a/color/116.jpg`, whole videos.

    Raises:
        DataError: no such folder, no table, or no folder of frames.
    """
    root = _opened(root, "cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx and frame/spNO.1_a_116/116.jpg, ...")
    table = find_table(root, ("cas(me)3_part_A_ME_label",), "cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx")
    folders = _casme3_folders(root)
    columns = {"subject": "Subject", "clip": "Filename", "onset": "Onset", "apex": "Apex", "offset": "Offset",
               "label": "emotion"}  # fmt: skip

    def clip(row: TableRow) -> AnnotatedClip:
        subject, name = plain_name(row.cells["subject"], "Subject"), plain_name(row.cells["clip"], "Filename")
        # A video holds several expressions, so that the onset is a part of the clip's name.
        alone = f"{subject}_{name}_{row.cells['onset']}"
        whole = f"{subject}/{name}/color"
        folder = folders.get(alone.casefold()) or folders.get(whole.casefold()) or root / "frame" / alone
        return _annotated(
            row, subject, f"{name}_{row.cells['onset']}", f"{subject}/{name}_{row.cells['onset']}", folder
        )

    return find_frames(*_clips(table, columns, clip))


def list_mmew(root: DatasetPath | str) -> OnsetApexClips:
    """List the clips of MMEW: `MMEW_Micro_Exp*.xlsx`, frames in `Micro_Expression/anger/S01-02-001/1.jpg`.

    Raises:
        DataError: no such folder, no table, or no folder of emotions.
    """
    root = _opened(root, "MMEW_Micro_Exp.xlsx and Micro_Expression/anger/S01-02-001/1.jpg, ...")
    table = find_table(root, ("MMEW_Micro_Exp",), "MMEW_Micro_Exp.xlsx")
    frames = _folder_of(root, re.compile("|".join(MMEW_EMOTIONS), re.IGNORECASE), "Micro_Expression/anger/...",
                        within="micro_expression")  # fmt: skip
    columns = {"subject": "Subject", "clip": "Filename", "onset": "OnsetFrame", "apex": "ApexFrame",
               "offset": "OffsetFrame", "label": "Estimated Emotion"}  # fmt: skip

    def clip(row: TableRow) -> AnnotatedClip:
        subject = plain_name(row.cells["subject"], "Subject")
        subject = f"S{int(subject):02d}" if subject.isdecimal() else subject
        name = plain_name(row.cells["clip"], "Filename")
        emotion = plain_name(row.cells["label"], "Estimated Emotion").casefold()
        return _annotated(row, subject, name, f"{subject}/{name}", frames / emotion / name)

    return find_frames(*_clips(table, columns, clip))


def _annotated(row: TableRow, subject: str, name: str, key: str, folder: DatasetPath) -> AnnotatedClip:
    onset, apex, offset = (frame_number(row.cells[field], field) for field in ("onset", "apex", "offset"))
    if onset is None:
        raise ValueError(f"onset of {name} is empty")
    label = plain_name(row.cells["label"], "label").casefold()
    return AnnotatedClip(key, subject, label, onset, apex, offset, folder)


def _smic_clip(subject: str, emotion: str, folder: DatasetPath) -> AnnotatedClip:
    numbers = sorted(numbered_frames(folder))
    if len(numbers) < 2:
        raise DataError(folder, f"has {len(numbers)} frames, expected those from onset to offset")
    onset, offset = numbers[0], numbers[-1]
    key = f"s{int(subject[1:]):02d}/{plain_name(folder.name, 'clip')}"
    apex = numbers[(len(numbers) - 1) // 2] if len(numbers) > 2 else offset
    return AnnotatedClip(key, key.partition("/")[0], emotion, onset, apex, offset, folder)


def _clips(
    table: DatasetPath, columns: dict[str, str], clip: Callable[[TableRow], AnnotatedClip]
) -> tuple[list[AnnotatedClip], list[str]]:
    """Turn the rows of a table into clips, with a line for each that makes no sense."""
    rows, problems = [], []
    for row in read_rows(table, columns):
        try:
            rows.append(clip(row))
        except ValueError as error:
            problems.append(f"{table}: row {row.number}: {error}; the row is left out")
    return rows, problems


def _opened(root: DatasetPath | str, layout: str) -> DatasetPath:
    root = open_tree(root)
    if not root.is_dir():
        raise DataError(root, f"no such folder; expected {layout}")
    return root


def _folder_of(
    root: DatasetPath, name: re.Pattern[str], expected: str, *, inside: str | None = None, within: str | None = None
) -> DatasetPath:
    """Return the first folder, from the top down, in which folders of a name lie.

    Args:
        root: where to look.
        name: of these folders.
        expected: the layout, for the error.
        inside: what each must hold, such as `micro`.
        within: name of the folder, letter case aside; None: any.

    Raises:
        DataError: there is none.
    """
    for level in levels_below(root, _DEPTH, lambda folder: not name.fullmatch(folder.name)):
        for folder in level:
            if within is not None and folder.name.casefold() != within:
                continue
            for item in visible(folder):
                if item.is_dir() and name.fullmatch(item.name) and (inside is None or (item / inside).is_dir()):
                    return folder
    raise DataError(root, f"no folder of frames; expected {expected}")


def _casme3_folders(root: DatasetPath) -> dict[str, DatasetPath]:
    """Return the folders of clips by their names in lower case: the table says spNO, folders may say spNo."""
    folders: dict[str, DatasetPath] = {}
    for level in levels_below(root, _DEPTH, lambda folder: not _CASME3_SUBJECT.match(folder.name)):
        for folder in level:
            for item in visible(folder):
                if not item.is_dir() or not _CASME3_SUBJECT.match(item.name) or folder.name.casefold() == "depth":
                    continue
                if not _CASME3_SUBJECT.fullmatch(item.name):
                    folders.setdefault(item.name.casefold(), item)
                    continue
                for video in visible(item):
                    folders.setdefault(f"{item.name}/{video.name}/color".casefold(), video / "color")
    if not folders:
        raise DataError(root, "no folder of frames; expected frame/spNO.1_a_116/116.jpg or spNO.1/a/color/116.jpg")
    return folders
