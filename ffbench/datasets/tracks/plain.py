"""Face mesh tracks in ffbench's own format: a stand-in where no output of the metrical tracker is at hand.

    <root>/<name>/points.npy    (K, 468, 2) float64, x and y in px of each tracked frame; NaN where there is no face
    <root>/<name>/track.json    which clip and frames these are, and what found them; written last

The clip itself stays where it is; `track.json` names it relative to its own folder.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ffbench.errors import DataError
from ffbench.formats.npy import read_npy
from ffbench.io.archives.member_path import DatasetPath
from ffbench.io.atomic import atomic_path, write_text
from ffbench.io.bounds import read_bounded
from ffbench.io.json_models import first_fault, parse_json
from ffbench.typing import Points

LANDMARKS = 468
_INFO, _POINTS = "track.json", "points.npy"
_MAX_BYTES = 2**30


class TrackInfo(BaseModel):
    """What `track.json` holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = Field(default=1, ge=1, le=1)
    clip: str = Field(description="the clip, relative to this file's folder, with forward slashes")
    clip_sha256: str
    network_sha256: str
    origin: Literal["real", "synthetic"] = Field(description="synthetic: the clip lies in a dataset that ffbench made")
    frames: tuple[int, ...] = Field(description="numbers of the frames in the clip, from 0, that were tracked")
    jitter_px: float | None = Field(default=None, description="mean standard deviation of a point's noise in x and y")
    epe_floor_px: float | None = Field(default=None, description="endpoint error that the jitter alone gives")


@dataclass(frozen=True)
class FaceTrack:
    """A track: its name, where its clip is, what is known of it, and (K, 468, 2) points."""

    name: str
    clip: DatasetPath
    info: TrackInfo
    points: Points


def is_track(folder: DatasetPath) -> bool:
    """Tell whether a folder holds a finished face mesh track."""
    return (folder / _INFO).is_file()


def write_track(folder: Path, clip: Path, info: TrackInfo, points: Points) -> None:
    """Write a track of `clip`; `info.clip` is filled in. A reader sees all of it or nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        relative = Path(os.path.relpath(clip.resolve(), folder.resolve())).as_posix()
    except ValueError:  # another drive
        relative = clip.resolve().as_posix()
    with atomic_path(folder / _POINTS) as temporary:
        np.save(temporary, np.asarray(points, np.float64))
    write_text(folder / _INFO, info.model_copy(update={"clip": relative}).model_dump_json(indent=1) + "\n")


def read_track(folder: DatasetPath) -> FaceTrack:
    """Read a track; the clip is not looked at.

    Raises:
        DataError: a file is missing or damaged, or the two do not fit each other.
    """
    file = folder / _INFO
    try:
        info = TrackInfo.model_validate(parse_json(_read(file)))
        file = folder / _POINTS
        points = read_npy(_read(file))
    except ValidationError as error:
        raise DataError(file, f"not a face mesh track: {first_fault(error)}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(file, f"damaged ({error}); `ffbench track` makes it again") from error
    if points.shape != (len(info.frames), LANDMARKS, 2) or points.dtype != np.float64:
        expected = (len(info.frames), LANDMARKS, 2)
        raise DataError(file, f"{points.shape} {points.dtype}, expected {expected} float64 as track.json says")
    if list(info.frames) != sorted(set(info.frames)) or (info.frames and info.frames[0] < 0):
        raise DataError(folder / _INFO, "frames must be whole numbers that rise")
    return FaceTrack(folder.name, _clip(folder, info.clip), info, points)


def _read(file: DatasetPath) -> bytes:
    too_large = f"larger than {_MAX_BYTES} bytes, which no face mesh track is"
    return read_bounded(file, _MAX_BYTES, too_large, more="; `ffbench track` makes it")


def _clip(folder: DatasetPath, clip: str) -> DatasetPath:
    """Find the clip from its track's folder; that of a track in an archive may lie in the archive or beside it."""
    if isinstance(folder, Path):
        return Path(os.path.normpath(folder / clip))
    whole = os.path.normpath(f"{folder.inner}/{clip}" if folder.inner else clip)
    if whole.startswith("..") or os.path.isabs(whole):
        return Path(os.path.normpath(folder.container / whole))
    return folder.top / Path(whole).as_posix()
