"""From annotated clips to clips whose frames are there: every fault is named, none is passed over."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ffbench.datasets.folders import visible
from ffbench.datasets.images import image_size
from ffbench.datasets.onset_apex import OnsetApexClip, OnsetApexClips, clips_sha256
from ffbench.datasets.provenance import engine_sign
from ffbench.errors import DataError
from ffbench.io.archives.member_path import DatasetPath
from ffbench.io.hashing import data_sha256

_FRAME = re.compile(r".*?(\d{1,7})\.(?:jpe?g|png|bmp)", re.IGNORECASE)
SAME_FRAMES = "the same frames at onset and apex"


@dataclass(frozen=True)
class AnnotatedClip:
    """A row of a table of annotations.

    Attributes:
        key, subject, label: as of `OnsetApexClip`.
        onset, apex, offset: numbers of frames; None where nobody says.
        folder: of the original frames; the last number in a file's name is the frame's.
        crops: folder of the registered faces, where the dataset has them.
    """

    key: str
    subject: str
    label: str
    onset: int
    apex: int | None
    offset: int | None
    folder: DatasetPath
    crops: DatasetPath | None = None

    @property
    def left_out(self) -> str | None:
        """Why no flow can be estimated by what was annotated, or None."""
        if self.apex is None:
            return "no apex is annotated"
        if self.apex == self.onset:
            return f"apex and onset are one frame ({self.onset})"
        if self.apex < self.onset:
            return f"the apex ({self.apex}) lies before the onset ({self.onset})"
        if self.offset is not None and self.offset < self.apex:
            return f"the offset ({self.offset}) lies before the apex ({self.apex})"
        return None


def find_frames(rows: Sequence[AnnotatedClip], problems: Sequence[str] = ()) -> OnsetApexClips:
    """Look for the onset and apex frames of annotated clips.

    Left out, and named: clips without an apex after the onset; clips whose folder or frames are missing, or whose
    frames differ in size; clips with one key; and clips that show the same frames as another. Where these are of two
    subjects both are left out, since a fold would be tested on what it learnt from; otherwise the first one stays.

    Args:
        rows: of the table.
        problems: what was found wrong with the table.
    """
    said, left_out = list(problems), []
    clips: dict[str, OnsetApexClip] = {}
    for row in rows:
        if row.key in clips:
            said.append(f"{row.key}: is annotated in an earlier row too; the later one is left out")
        elif reason := row.left_out:
            left_out.append(f"{row.key}: {reason}")
        else:
            try:
                clips[row.key] = _clip(row)
            except DataError as error:
                said.append(f"{error}; the clip {row.key} is left out")
    doubles = _doubles(list(clips.values()), said)
    kept = tuple(clip for key, clip in clips.items() if key not in doubles)
    synthetic = engine_sign(*(path for clip in kept for path in clip.files)) is not None
    return OnsetApexClips(kept, tuple(said), tuple(left_out), synthetic, clips_sha256(kept))


def numbered_frames(folder: DatasetPath) -> dict[int, DatasetPath]:
    """List the frames of a folder by the last number in their names.

    Raises:
        DataError: no such folder, or two frames of one number.
    """
    if not folder.is_dir():
        raise DataError(folder, "no such folder")
    frames: dict[int, DatasetPath] = {}
    for file in visible(folder):
        match = _FRAME.fullmatch(file.name)
        if match is None:
            continue
        number = int(re.findall(r"\d{1,7}", file.stem)[-1])
        if number in frames:
            raise DataError(file, f"is frame {number}, and so is {frames[number].name}; keep one of them in the folder")
        frames[number] = file
    return frames


def _clip(row: AnnotatedClip) -> OnsetApexClip:
    """Find the frames of a clip.

    Raises:
        DataError: they are not there, or differ in size.
    """
    assert row.apex is not None
    frames = numbered_frames(row.folder)
    onset, apex = (
        _frame(frames, number, name, row.folder) for number, name in ((row.onset, "onset"), (row.apex, "apex"))
    )
    sizes = image_size(onset), image_size(apex)
    if sizes[0] != sizes[1]:
        raise DataError(apex, f"{sizes[1][0]} x {sizes[1][1]}, but {onset.name} is {sizes[0][0]} x {sizes[0][1]}")
    crop = None if row.crops is None else _frame(numbered_frames(row.crops), row.onset, "onset", row.crops)
    return OnsetApexClip(row.key, row.subject, row.label, onset, apex, crop)


def _frame(frames: Mapping[int, DatasetPath], number: int, name: str, folder: DatasetPath) -> DatasetPath:
    if number in frames:
        return frames[number]
    there = f"it has {len(frames)}, from {min(frames)} to {max(frames)}" if frames else "it has none"
    raise DataError(folder, f"frame {number} ({name}) is not in the folder; {there}")


def _doubles(clips: Sequence[OnsetApexClip], problems: list[str]) -> set[str]:
    """Return the keys of clips that are left out since another shows the same frames, and add a line for each."""
    seen: dict[tuple[str, str], OnsetApexClip] = {}
    out: set[str] = set()
    for clip in clips:
        content = data_sha256(clip.onset), data_sha256(clip.apex)
        first = seen.setdefault(content, clip)
        if first is clip:
            continue
        if first.subject == clip.subject:
            out.add(clip.key)
            problems.append(f"{clip.key}: {SAME_FRAMES} as {first.key}; the later one is left out")
        else:
            out |= {first.key, clip.key}
            problems.append(
                f"{clip.key}: {SAME_FRAMES} as {first.key}, of another subject: a fold would be tested on what it "
                "learnt from; both are left out"
            )
    return out
