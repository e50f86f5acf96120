"""Which faces of a photograph or a clip can be reanimated: their meshes, or why there is none; kept in the cache."""

from __future__ import annotations

import contextlib
import hashlib
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ffbench import assets
from ffbench.datasets.clips import VIDEO_SUFFIXES, Clip, open_clip
from ffbench.datasets.images import read_image
from ffbench.datasets.tracks.plain import LANDMARKS
from ffbench.errors import DataError
from ffbench.facemesh import tracker
from ffbench.facemesh.groups import OVAL
from ffbench.io.archives.member_path import Place
from ffbench.io.atomic import atomic_path
from ffbench.paths import cache_dir
from ffbench.reanimation.portraits import mesh
from ffbench.reanimation.portraits.mesh import head_frame
from ffbench.reanimation.portraits.portrait import face_width, mesh_in_space, portrait_camera
from ffbench.typing import Image

FloatArray = npt.NDArray[np.float64]

LONGEST_SIDE = 768
"""Larger photographs are made smaller, px: a face is then some 300 px wide, as in a video."""
SMALLEST_FACE = 40.0
"""Width of a face, px, under which it is not taken."""
MOST_TURNED = 30.0
"""Degrees that a face may be turned to the side, or nod; the surface is what one photograph shows."""
FRAMES_OF_CLIP, CANDIDATES = 2, 8
"""Frames that are taken from a clip, and frames that are looked at, evenly spread."""
SHORTEST_CLIP = 3
_MOST_OUTSIDE = 0.02
"""Share of the points around the face that may lie outside of the image."""
_GREY = 2.0
"""Mean difference of the channels, grey levels, under which a photograph has no color."""


class FoundMesh(NamedTuple):
    """A usable face: number of the frame, or None for a photograph; points (468, 2) px and depth (468,)."""

    frame: int | None
    points: FloatArray
    depth: FloatArray


def smaller(image: Image) -> Image:
    """Return an image whose longer side is at most `LONGEST_SIDE` px."""
    import cv2

    scale = LONGEST_SIDE / max(image.shape[:2])
    if scale >= 1:
        return image
    size = (max(round(image.shape[1] * scale), 1), max(round(image.shape[0] * scale), 1))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def mesh_of(image: Image) -> tuple[FloatArray, FloatArray] | str:
    """Return points (468, 2) and depth (468,) of the one face of an image (H, W, 3) uint8, or why it has none."""
    if max(float(np.abs(image[..., k].astype(np.int16) - image[..., 1]).mean()) for k in (0, 2)) < _GREY:
        return "a grey photograph; skin is measured in color"
    faces = tracker.find_face_meshes(image)
    if len(faces) != 1:
        return f"{len(faces)} faces; expected one, so crop it" if faces else "no upright face was found"
    points, depth = faces[0].points, faces[0].depth
    assert points is not None
    assert depth is not None
    width = face_width(points, depth)
    if width < SMALLEST_FACE:
        return f"the face is {width:.0f} px wide; expected at least {SMALLEST_FACE:.0f}"
    height, columns = image.shape[:2]
    outside = ((points[list(OVAL)] < -0.5) | (points[list(OVAL)] > [columns - 0.5, height - 0.5])).any(axis=1).mean()
    if outside > _MOST_OUTSIDE:
        return "the face is cut off by the image's border"
    frame = head_frame(mesh_in_space(points, depth, portrait_camera(points, depth, height, columns)))
    turned = max(abs(frame.yaw), abs(frame.pitch))
    if turned > MOST_TURNED:
        return f"the face is turned by {turned:.0f} degrees; at most {MOST_TURNED:.0f} are taken"
    return points, depth


def meshes_in(path: Place, digest: str) -> tuple[list[FoundMesh], list[str]]:
    """Return what `_meshes_in` does, from the cache where the file with the SHA-256 `digest` was looked at before.

    Raises:
        DataError: the file cannot be read.
    """
    cache = cache_dir() / "reanimated" / f"{_cache_key(path, digest)}.npz"
    known = _read_cache(cache)
    if known is not None:
        return known
    meshes, lost = _meshes_in(path)
    arrays: dict[str, Any] = {
        "frames": np.array([-1 if mesh.frame is None else mesh.frame for mesh in meshes], np.int64),
        "points": np.array([mesh.points for mesh in meshes], np.float64).reshape(-1, LANDMARKS, 2),
        "depth": np.array([mesh.depth for mesh in meshes], np.float64).reshape(-1, LANDMARKS),
        "lost": np.array(lost, np.str_),
    }
    # Without room for it the faces are only found again next time.
    with contextlib.suppress(DataError, OSError), atomic_path(cache) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)
    return meshes, lost


def _meshes_in(path: Place) -> tuple[list[FoundMesh], list[str]]:
    """Return the usable meshes of a file, and why others are not used."""
    if path.suffix.lower() not in VIDEO_SUFFIXES:
        found = mesh_of(smaller(read_image(path)))
        return ([], [found]) if isinstance(found, str) else ([FoundMesh(None, *found)], [])
    clip = open_clip(path)
    if len(clip) < SHORTEST_CLIP:
        return [], [f"{len(clip)} frames; a clip has at least {SHORTEST_CLIP}, save single frames as images"]
    usable: list[FoundMesh] = []
    reasons: list[str] = []
    for number, image in _spread_frames(clip):
        found = mesh_of(smaller(image))
        if isinstance(found, str):
            reasons.append(f"frame {number}: {found}")
        else:
            usable.append(FoundMesh(number, *found))
    looked_at = len(reasons) + len(usable)
    lost = [f"{len(reasons)} of {looked_at} frames that were looked at are not used; {reasons[0]}"] if reasons else []
    return [usable[index] for index in _evenly(len(usable), FRAMES_OF_CLIP)], lost


def _cache_key(path: Place, digest: str) -> str:
    """Hash what the meshes depend on: the file, the network, and the code that finds them."""
    key = hashlib.sha256(f"{digest} {path.suffix.lower()} {assets.find('face_mesh').sha256}".encode())
    for file in (*sorted(Path(tracker.__file__).parent.glob("*.py")), Path(mesh.__file__), Path(__file__)):
        key.update(file.read_bytes())
    return key.hexdigest()


def _read_cache(cache: Path) -> tuple[list[FoundMesh], list[str]] | None:
    """Return what the cache has; None where it has nothing, or the file is damaged."""
    try:
        with np.load(cache, allow_pickle=False) as stored:
            frames, points, depth, lost = (stored[name] for name in ("frames", "points", "depth", "lost"))
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
        return None
    if points.shape != (len(frames), LANDMARKS, 2) or depth.shape != (len(frames), LANDMARKS):
        return None
    numbers = [None if frame < 0 else int(frame) for frame in frames]
    return [FoundMesh(*one) for one in zip(numbers, points, depth, strict=True)], [str(line) for line in lost]


def _spread_frames(clip: Clip) -> Iterator[tuple[int, Image]]:
    wanted = set(_evenly(len(clip), CANDIDATES))
    for number, image in enumerate(clip.frames()):
        if number in wanted:
            yield number, image


def _evenly(count: int, most: int) -> Sequence[int]:
    """Return at most `most` numbers below `count`, evenly spread, the first and the last among them."""
    if count <= most:
        return range(count)
    return sorted({round(number * (count - 1) / (most - 1)) for number in range(most)})
