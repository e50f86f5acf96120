"""Tracked points of a face through a video, whoever tracked them: what the vertex protocols see of a dataset."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import numpy as np

from ffbench.datasets.clips import Clip, open_clip
from ffbench.datasets.images import image_size, natural_key, read_image
from ffbench.datasets.tracks import metrical as metrical_tracks
from ffbench.datasets.tracks import plain as face_tracks
from ffbench.datasets.tracks.flame_masks import Indices
from ffbench.datasets.tracks.metrical import TrackedFrame
from ffbench.errors import DataError
from ffbench.facemesh.groups import BROWS, EYES, LIPS, SKIN
from ffbench.formats.ply import read_mesh, read_vertices
from ffbench.io.archives.member_path import DatasetPath
from ffbench.typing import Image, Mask, Points

from .visibility import visible_vertices

_FOREHEAD = (8, 9, 68, 69, 71, 104, 108, 151, 298, 299, 301, 333, 337)
"""Skin above the brows and between them, as it lies in the mesh."""
FACE_MESH_REGIONS: Mapping[str, Indices] = {
    "lips": np.array(LIPS),
    "cheeks": np.array(sorted(set(SKIN).difference(_FOREHEAD))),
    "eyes": np.array(sorted((*EYES, *BROWS))),
}
"""The rule of `flame_masks` on the face mesh: FLAME's eye region has the brows in it. The mesh's border, which slides
along the outline of the face, does not count."""


class Track(ABC):
    """One video: points at the numbers of its frames. Safe to use from several threads at once."""

    name: str
    numbers: Sequence[int]
    """Frames that have points, rising."""
    problems: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    @abstractmethod
    def image(self, number: int) -> Image:
        """Read a frame."""

    @abstractmethod
    def points(self, number: int, indices: Indices) -> Points:
        """Return chosen points of a frame, (N, 2) in px, the first pixel's centre at (0, 0)."""

    @abstractmethod
    def visible(self, number: int, indices: Indices) -> Mask:
        """Tell which of the points are seen in the frame, and not behind or beside the face."""

    @abstractmethod
    def files(self, numbers: Sequence[int]) -> Mapping[str, DatasetPath]:
        """Name every file that is read for these frames."""


class MetricalPoints(Track):
    """Vertices of the metrical tracker's meshes, projected by its cameras."""

    def __init__(self, folder: DatasetPath, *, original: bool) -> None:
        """Scan the tracker's output of one video.

        Raises:
            DataError: as `metrical_tracks.scan_track`.
        """
        track = metrical_tracks.scan_track(folder, original=original)
        self.name, self.problems = track.name, track.problems
        self._frames = track.frames
        self.numbers = sorted(track.frames)

    def image(self, number: int) -> Image:
        """Read the crop, or the original frame."""
        return read_image(self._frames[number].image)

    def points(self, number: int, indices: Indices) -> Points:
        """Project vertices to the image."""
        frame = self._frames[number]
        return _in_image(frame, frame.camera.project(_chosen(frame.mesh, read_vertices(frame.mesh), indices))[0])

    def visible(self, number: int, indices: Indices) -> Mask:
        """Test vertices against the depth of the whole mesh, at the size of the crop."""
        frame = self._frames[number]
        mesh = read_mesh(frame.mesh)
        _chosen(frame.mesh, mesh.vertices, indices)
        return visible_vertices(mesh, frame.camera)[indices]

    def files(self, numbers: Sequence[int]) -> Mapping[str, DatasetPath]:
        """Name images, meshes, checkpoints and, for original frames, the box."""
        found: dict[str, DatasetPath] = {}
        for number in numbers:
            frame = self._frames[number]
            found |= {
                f"{self.name}/{path.parent.name}/{path.name}": path
                for path in (frame.image, frame.mesh, frame.checkpoint)
            }
            if frame.box is not None:
                found[f"{self.name}/bbox.pt"] = frame.image.parent.parent / "bbox.pt"
        return found


class FaceMeshPoints(Track):
    """Points that `ffbench track` found with the face mesh network."""

    def __init__(self, folder: DatasetPath) -> None:
        """Read the track and open its clip.

        Raises:
            DataError: the track or its clip cannot be read, or the clip is not the one that was tracked.
        """
        track = face_tracks.read_track(folder)
        self.name, self.info = track.name, track.info
        self._clip: Clip = open_clip(track.clip)
        if self._clip.sha256() != track.info.clip_sha256:
            raise DataError(f"{track.clip}: is not the clip that was tracked in {folder}; `ffbench track` it again")
        found: Mask = np.asarray(np.isfinite(track.points).all(axis=(1, 2)), np.bool_)
        self._points = {
            number: points
            for number, points, there in zip(track.info.frames, track.points, found, strict=True)
            if there
        }
        self.numbers = list(self._points)
        if not found.all():
            self.left_out = (f"{folder}: no face in {int((~found).sum())} of {len(found)} frames",)
        self._own_files = (folder / "track.json", folder / "points.npy")

    def image(self, number: int) -> Image:
        """Read a frame of the clip."""
        return self._clip.frame(number)

    def points(self, number: int, indices: Indices) -> Points:
        """Return the points that were found."""
        points: Points = self._points[number][indices]
        return points

    def visible(self, number: int, indices: Indices) -> Mask:
        """Say that the network's points have no depth to test."""
        raise NotImplementedError

    def files(self, numbers: Sequence[int]) -> Mapping[str, DatasetPath]:
        """Name the files of the track; its json holds the hash of the clip, which was checked."""
        return {f"{self.name}/{path.name}": path for path in self._own_files}


def find_tracks(root: DatasetPath) -> tuple[list[DatasetPath], bool]:
    """List the folders of tracks in `root`, in natural order, and tell whether they are face mesh tracks.

    Raises:
        DataError: no such folder, no tracks in it, or tracks of both kinds.
    """
    expected = f"expected tracks of the metrical tracker ({metrical_tracks.LAYOUT}) or of `ffbench track`"
    if not root.is_dir():
        raise DataError(f"{root}: no such folder; {expected}")
    try:
        folders = sorted(
            (item for item in root.iterdir() if item.is_dir()), key=lambda item: (natural_key(item.name), item.name)
        )
    except OSError as error:
        raise DataError(f"{root}: cannot be listed ({error.strerror or error})") from error
    metrical = [folder for folder in folders if metrical_tracks.is_track(folder)]
    face_mesh = [folder for folder in folders if face_tracks.is_track(folder)]
    if metrical and face_mesh:
        raise DataError(
            f"{root}: holds both tracks of the metrical tracker ({metrical[0].name}) and of `ffbench track` "
            f"({face_mesh[0].name}); they are different references: keep them in folders of their own"
        )
    if not metrical and not face_mesh:
        raise DataError(f"{root}: no tracks; {expected}")
    return metrical or face_mesh, bool(face_mesh)


def _chosen(path: DatasetPath, vertices: Points, indices: Indices) -> Points:
    if len(indices) and indices.max() >= len(vertices):
        raise DataError(
            f"{path}: {len(vertices)} vertices, but the regions name vertex {indices.max()}; "
            "the mesh is of another topology than the regions"
        )
    chosen: Points = vertices[indices]
    return chosen


def _in_image(frame: TrackedFrame, points: Points) -> Points:
    if frame.box is None:
        return points
    return frame.box.to_frame(points, frame.camera.size, image_size(frame.image))
