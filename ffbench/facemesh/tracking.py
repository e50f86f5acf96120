"""Tracks of whole datasets: which clips and frames, and the track of each on the disk."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ffbench import assets
from ffbench.datasets.ck_plus import scan as ck_plus
from ffbench.datasets.clips import Clip, find_clips, open_clip
from ffbench.datasets.mead import videos as mead
from ffbench.datasets.provenance import engine_sign
from ffbench.datasets.tracks.plain import LANDMARKS, TrackInfo, is_track, read_track, write_track
from ffbench.errors import DataError
from ffbench.facemesh.jitter import epe_floor, jitter
from ffbench.facemesh.tracker import track
from ffbench.io.archives.member_path import Place
from ffbench.protocol import Image
from ffbench.threads import limited

_CK_PLUS = ("cohn-kanade-images", "*/cohn-kanade-images")


@dataclass(frozen=True)
class Source:
    """A clip, the name of its track, and whether only its first and last frame are tracked."""

    name: str
    clip: Path
    ends_only: bool = False


def find_sources(path: Path) -> tuple[list[Source], list[str]]:
    """List the clips at `path`, and what is left out: one line each.

    Args:
        path: CK+ (its sequences, first and last frame), frames that `ffbench data prepare mead` wrote, or a clip or
            folder of clips.

    Raises:
        DataError: there is no clip.
    """
    if (path / mead.MANIFEST).is_file():
        names = mead.read_manifest(path).videos
        return [Source(name, path / name / "source") for name in names], []
    if any(True for pattern in _CK_PLUS for _ in path.glob(pattern)):
        found = ck_plus.scan(path)
        folders = _unpacked([s.first_image.parent for s in found.sequences])
        sources = [Source(s.name, folder, ends_only=True) for s, folder in zip(found.sequences, folders, strict=True)]
        return sources, list(found.problems)
    clips = _unpacked(find_clips(path))
    stems = [clip.resolve().stem if clip.is_file() else clip.resolve().name for clip in clips]
    for stem in stems:
        if stems.count(stem) > 1:
            raise DataError(path, f"{stems.count(stem)} clips are called {stem}, and so would their tracks be")
    return [Source(name, clip) for name, clip in zip(stems, clips, strict=True)], []


def _unpacked(clips: Sequence[Place]) -> list[Path]:
    """Require clips that are no members of archives: a track names its clip by its path."""
    paths = [clip for clip in clips if isinstance(clip, Path)]
    if len(paths) < len(clips):
        packed = next(clip for clip in clips if not isinstance(clip, Path))
        raise DataError(packed, "lies in an archive, and a track names its clip by its path; unpack the archive")
    return paths


def track_source(source: Source, out: Path) -> None:
    """Find the face in the frames of a clip and write its track to `out/<name>`, unless it is there already.

    Raises:
        DataError: the clip cannot be read, shows no face, or the folder cannot be written.
    """
    clip = open_clip(source.clip)
    folder, digest, network = out / source.name, clip.sha256(), assets.find("face_mesh").sha256
    if is_track(folder):
        with contextlib.suppress(DataError):  # a damaged track is made again
            known = read_track(folder).info
            if (known.clip_sha256, known.network_sha256) == (digest, network):
                return
    missing = np.full((LANDMARKS, 2), np.nan)
    # The network is so small that threads which wait for each other cost more than they bring.
    with limited(1):
        faces = track(_frames(clip, source.ends_only))
        points = np.stack([missing if face.points is None else face.points for face in faces])
    if not np.isfinite(points).any():
        raise DataError(source.clip, f"no face was found in any of the {len(points)} frames")
    frames = (0, len(clip) - 1) if source.ends_only else tuple(range(len(points)))
    noise = _jitter(points)
    info = TrackInfo(
        clip="",
        clip_sha256=digest,
        network_sha256=network,
        origin="synthetic" if engine_sign(source.clip) else "real",
        frames=frames,
        jitter_px=None if noise is None else float(noise.mean()),
        epe_floor_px=None if noise is None else epe_floor(noise),
    )
    write_track(folder, source.clip, info, points)


def _frames(clip: Clip, ends_only: bool) -> Iterator[Image]:
    if not ends_only:
        return clip.frames()
    return (clip.frame(number) for number in (0, len(clip) - 1))


def _jitter(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64] | None:
    """Return the noise of each point; None where no five frames in a row have a face."""
    try:
        return jitter([frame if np.isfinite(frame).all() else None for frame in points])
    except DataError:
        return None
