"""Photographs and frames that can be reanimated: where they are, whom they show, and why others are left out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ffbench.assets import asset_path
from ffbench.datasets.clips import VIDEO_SUFFIXES, open_clip
from ffbench.datasets.folders import visible
from ffbench.datasets.images import IMAGE_SUFFIXES, read_image
from ffbench.errors import DataError
from ffbench.io.archives.member_path import Place, open_tree
from ffbench.io.hashing import data_sha256
from ffbench.reanimation.photographs.usable import meshes_in, smaller
from ffbench.reanimation.portraits.mesh import HeadFrame, head_frame
from ffbench.reanimation.portraits.portrait import (
    Portrait,
    face_width,
    mesh_in_space,
    portrait_camera,
    prepare_portrait,
)
from ffbench.typing import Image

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class FaceSource:
    """One photograph or frame with one usable face.

    Attributes:
        person: whom it shows.
        name: file, and for a frame of a clip its number after a `#`.
        path: the file.
        frame: number of the frame; None for a photograph.
        points: (468, 2) of the face mesh, px of the image as `read` returns it.
        depth: (468,) in the same unit.
    """

    person: str
    name: str
    path: Place
    frame: int | None
    points: FloatArray
    depth: FloatArray

    def read(self) -> Image:
        """Return the image (H, W, 3) uint8 RGB, at most `LONGEST_SIDE` px long.

        Raises:
            DataError: it can no longer be read.
        """
        image = read_image(self.path) if self.frame is None else open_clip(self.path).frame(self.frame)
        return smaller(image)

    @property
    def width(self) -> float:
        """Width of the face, px."""
        return face_width(self.points, self.depth)

    def head(self, image: Image) -> HeadFrame:
        """Return the head's axes, from the image as `read` returns it."""
        camera = portrait_camera(self.points, self.depth, *image.shape[:2])
        return head_frame(mesh_in_space(self.points, self.depth, camera))

    def portrait(self) -> Portrait:
        """Fit the surface.

        Raises:
            DataError: the image can no longer be read.
        """
        return prepare_portrait(self.read(), self.points, self.depth)


@dataclass(frozen=True)
class FoundFaces:
    """What there is to reanimate, and what is not used: one line each.

    Attributes:
        faces: in order of persons and files.
        files: those that were taken, by their SHA-256.
        left_out: by rules that are stated: no face, several, too small, turned, grey, a clip too short.
        problems: files that cannot be read.
    """

    faces: tuple[FaceSource, ...]
    files: dict[Place, str]
    left_out: tuple[str, ...]
    problems: tuple[str, ...]


TEST_FACES: tuple[tuple[str, str, str], ...] = (
    ("astronaut", "photos", "astronaut.png"),
    ("f1", "portraits", "0-f1-su-ph.jpg"),
    ("f13", "portraits", "15-f13-anc-ph.jpg"),
    ("f15", "portraits", "0-f15-hao-ph.jpg"),
    ("m7", "portraits", "45-m7-di-ph.jpg"),
    ("host", "portraits", "single_face.jpg"),
    ("host", "clip_single_face", ""),
    ("host", "clip_face_noface", ""),
    ("host", "clip_noface_face", ""),
    ("carphone", "clip_carphone", ""),
)
"""The faces of the benchmark: person, asset, and member of an asset that holds several files.

They are for tests alone. Whoever trains on reanimated faces takes photographs of other people.
"""


def test_faces() -> FoundFaces:
    """Find the faces of the benchmark in the assets.

    Raises:
        DataError: an asset cannot be fetched, or none of them can be used.
    """
    files: list[tuple[str, Place]] = []
    for person, asset, member in TEST_FACES:
        path = asset_path(asset)
        files.append((person, open_tree(path) / member if member else path))
    return find_in(files)


def find_faces_in(path: Place | str) -> FoundFaces:
    """Find the faces of a user's photographs and clips.

    Args:
        path: a folder or archive: every photograph or video in it shows a person of its own, unless it lies in a
            folder below, all of which shows one person, by whose name that folder is called; or one such file.

    Raises:
        DataError: nothing is there, or none of it can be used; the message says why.
    """
    root = open_tree(path)
    if root.is_file():
        return find_in([(root.stem, root)])
    if not root.is_dir():
        raise DataError(root, "no such folder; expected photographs and videos of faces")
    files: list[tuple[str, Place]] = []
    for item in visible(root):
        if item.is_dir():
            files += [(item.name, inside) for inside in visible(item) if _may_be_used(inside)]
        elif _may_be_used(item):
            files.append((item.name, item))
    if not files:
        raise DataError(
            root,
            f"no photographs or videos; expected {', '.join(sorted(IMAGE_SUFFIXES | VIDEO_SUFFIXES))} in it, "
            "or in a folder for each person",
        )
    return find_in(files)


def find_in(files: Iterable[tuple[str, Place]]) -> FoundFaces:
    """Find the usable faces in files, each with its person.

    Raises:
        DataError: there is none.
    """
    faces: list[FaceSource] = []
    hashes: dict[Place, str] = {}
    left_out: list[str] = []
    problems: list[str] = []
    for person, path in files:
        try:
            digest = data_sha256(path)
            meshes, lost = meshes_in(path, digest)
        except DataError as error:
            problems.append(f"{error}; it is left out")
            continue
        left_out += [f"{path.name}: {reason}" for reason in lost]
        for frame, points, depth in meshes:
            name = path.name if frame is None else f"{path.name}#{frame}"
            faces.append(FaceSource(person, name, path, frame, points, depth))
            hashes[path] = digest
    if not faces:
        raise DataError(f"no face that can be reanimated: {[*left_out, *problems, 'there are no files'][0]}")
    return FoundFaces(tuple(faces), hashes, tuple(left_out), tuple(problems))


def _may_be_used(path: Place) -> bool:
    return path.is_file() and path.suffix.lower() in IMAGE_SUFFIXES | VIDEO_SUFFIXES
