"""Output of MICA's metrical tracker: a FLAME mesh and a camera for each frame of a video.

    <root>/<video>/checkpoint/00000.frame   torch.save of a dict: opencv {R, t, K}, img_size, flame, camera, ...
    <root>/<video>/mesh/00000.ply           the mesh in the model's own space, metres
    <root>/<video>/input/00000.png          the square crop that was tracked, 512 x 512
    <root>/<video>/bbox.pt                  the crop's place in the frame (only for original frames)
    <root>/<video>/source/00001.png         the original frames, in order (only for original frames)

The first three are the tracker's output folder of a video, the last two lie in its input folder; they are also found
there, at `<root>/../input/<video>/`. The head's motion is in the camera, which differs from frame to frame.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ffbench.datasets.images import IMAGE_SUFFIXES, image_size, natural_key
from ffbench.errors import DataError
from ffbench.extras import MissingExtraError, naming_extra
from ffbench.formats.checkpoint_files import read_checkpoint
from ffbench.io.archives.member_path import DatasetPath, MemberPath, as_dataset_path, open_tree
from ffbench.io.atomic import write_bytes
from ffbench.typing import Points

LAYOUT = "<video>/checkpoint/00000.frame, ... beside <video>/mesh/00000.ply, ... and <video>/input/00000.png, ..."
MAX_CHECKPOINT_BYTES = 2**24
"""A checkpoint has about 10 kB."""


@dataclass(frozen=True)
class Camera:
    """A pinhole camera in OpenCV's convention: x right, y down, z forward; (0, 0) is the image's outer corner.

    `rotation` (3, 3), `translation` (3,) and `intrinsics` (3, 3) are float64; `size` is (width, height) in px.
    """

    rotation: Points
    translation: Points
    intrinsics: Points
    size: tuple[int, int]

    def project(self, vertices: Points) -> tuple[Points, Points]:
        """Project vertices (N, 3) to the image: K (R v + t).

        Returns:
            Points (N, 2) in px, the *centre* of the first pixel at (0, 0), and the depth (N,); NaN behind the camera.
        """
        seen = vertices @ self.rotation.T + self.translation
        depth = np.where(seen[:, 2] > 0, seen[:, 2], np.nan)
        image = seen @ self.intrinsics.T
        # The tracker counts pixels from the image's edge (its renderer's [-1, 1] spans the whole width).
        points: Points = image[:, :2] / depth[:, None] - 0.5
        return points, depth


@dataclass(frozen=True)
class CropBox:
    """The part of the frame that was cut out, padded to a square and resized: columns and rows, the ends excluded."""

    left: int
    right: int
    top: int
    bottom: int

    def placement(self, crop: tuple[int, int], frame: tuple[int, int]) -> tuple[Points, Points]:
        """Say how a crop of size `crop` lies in a frame of size `frame`, both (width, height).

        Returns:
            Scale and offset, (2,) each: the point p of the crop is scale * p + offset in the frame, both counted from
            the image's outer corner.
        """
        # The tracker leaves out the last column and row, and pads by whole pixels on both sides.
        left, top = max(self.left, 0), max(self.top, 0)
        width, height = min(self.right, frame[0] - 1) - left, min(self.bottom, frame[1] - 1) - top
        pad_x, pad_y = (max(width, height) - width) // 2, (max(width, height) - height) // 2
        scale = np.array([(width + 2 * pad_x) / crop[0], (height + 2 * pad_y) / crop[1]])
        return scale, np.array([left - pad_x, top - pad_y], np.float64)

    def to_frame(self, points: Points, crop: tuple[int, int], frame: tuple[int, int]) -> Points:
        """Take points (N, 2) of the crop of size `crop` to a frame of size `frame`, both (width, height)."""
        scale, offset = self.placement(crop, frame)
        moved: Points = (points + 0.5) * scale + offset - 0.5
        return moved


@dataclass(frozen=True)
class TrackedFrame:
    """One frame: its files and camera. `box` is there when `image` is the original frame."""

    number: int
    image: DatasetPath
    mesh: DatasetPath
    checkpoint: DatasetPath
    camera: Camera
    box: CropBox | None


@dataclass(frozen=True)
class MetricalTrack:
    """The frames of one video, by number, and what of it was left out: one line each, with the file's name."""

    name: str
    frames: Mapping[int, TrackedFrame]
    problems: tuple[str, ...]


def is_track(folder: DatasetPath) -> bool:
    """Tell whether a folder is the tracker's output of one video."""
    return (folder / "checkpoint").is_dir()


def open_tracks(path: DatasetPath) -> DatasetPath:
    """Return the folder of tracks: `path`, or a place in archives there, as `open_tree` does, but never one track."""
    root = open_tree(path)
    return root.parent if isinstance(root, MemberPath) and is_track(root) else root


def scan_track(folder: DatasetPath, *, original: bool = False) -> MetricalTrack:
    """Find the frames of one video, read their cameras, and check images by their headers.

    Args:
        folder: the tracker's output folder of the video.
        original: whether the images are the original frames, and not the tracker's crops.

    Raises:
        DataError: fewer than two frames can be used, or original frames are wanted and cannot be told.
    """
    checkpoints = sorted(
        (file for file in (folder / "checkpoint").glob("*.frame") if file.stem.isdecimal()),
        key=lambda file: int(file.stem),
    )
    originals = _originals(folder, int(checkpoints[-1].stem) + 1) if original and checkpoints else None
    frames: dict[int, TrackedFrame] = {}
    problems: list[str] = []
    for checkpoint in checkpoints:
        try:
            frame = _read_frame(folder, checkpoint, originals)
            frames[frame.number] = frame
        except DataError as error:
            problems.append(f"{error}; the frame is left out")
    if len(frames) < 2:
        first = f"; {problems[0]}" if problems else ""
        raise DataError(folder, f"{len(frames)} usable frames, expected two at least: {LAYOUT}{first}")
    return MetricalTrack(folder.name, frames, tuple(problems))


def read_camera(path: DatasetPath | str) -> Camera:
    """Read the camera of a checkpoint (`*.frame`).

    Raises:
        DataError: the file is missing, damaged, tries to run code, or lacks `opencv` (R, t, K) or `img_size`.
    """
    path = as_dataset_path(path)
    content = _load(path)
    opencv = content.get("opencv") if isinstance(content, dict) else None
    if not isinstance(opencv, dict) or "img_size" not in content:
        raise DataError(path, "expected a checkpoint of the metrical tracker with `opencv` and `img_size`")
    rotation, translation, intrinsics = (
        _array(path, opencv, name, shape) for name, shape in (("R", (3, 3)), ("t", (3,)), ("K", (3, 3)))
    )
    height, width = (int(value) for value in _array(path, content, "img_size", (2,)))
    if not (0 < width < 2**15 and 0 < height < 2**15):
        raise DataError(path, f"img_size is {height} x {width}, expected the size of an image such as 512 x 512")
    return Camera(rotation, translation, intrinsics, (width, height))


def write_camera(path: Path | str, camera: Camera, number: int) -> None:
    """Write a checkpoint that holds the camera of frame `number` in the tracker's form, without FLAME's parameters.

    Numbers are float64, where the tracker has float32: its grid is 3e-5 px wide at x = 500.
    """
    width, height = camera.size
    batch = {"R": camera.rotation, "t": camera.translation, "K": camera.intrinsics}
    content = {
        "opencv": {name: np.asarray(value, np.float64)[None] for name, value in batch.items()},
        "img_size": np.array([height, width], np.int64),
        "frame_id": f"{number:05d}",
    }
    _save(path, content)


def write_box(path: Path | str, box: CropBox) -> None:
    """Write `bbox.pt`, in the tracker's form."""
    _save(path, np.array([box.left, box.right, box.top, box.bottom], np.int64))


def _save(path: Path | str, content: object) -> None:
    import torch

    # Saved to a file, its name, which is a temporary one here, would be in it.
    buffer = io.BytesIO()
    torch.save(content, buffer)
    write_bytes(path, buffer.getvalue())


def read_box(path: DatasetPath | str) -> CropBox:
    """Read `bbox.pt`.

    Raises:
        DataError: the file is missing, damaged, tries to run code, or does not hold left < right, top < bottom.
    """
    path = as_dataset_path(path)
    left, right, top, bottom = (int(value) for value in _array(path, {"bbox": _load(path)}, "bbox", (4,)))
    if not (0 <= left < right < 2**15 and 0 <= top < bottom < 2**15):
        raise DataError(path, f"the box is {left}, {right}, {top}, {bottom}; expected left < right and top < bottom")
    return CropBox(left, right, top, bottom)


def _read_frame(
    folder: DatasetPath, checkpoint: DatasetPath, originals: tuple[list[DatasetPath], CropBox] | None
) -> TrackedFrame:
    number = int(checkpoint.stem)
    mesh = folder / "mesh" / f"{checkpoint.stem}.ply"
    if not mesh.is_file():
        raise DataError(mesh, f"no such file, but there is {checkpoint.name}")
    camera = read_camera(checkpoint)
    if originals is not None:
        return TrackedFrame(number, originals[0][number], mesh, checkpoint, camera, originals[1])
    found = [folder / "input" / f"{checkpoint.stem}{suffix}" for suffix in (".png", ".jpg")]
    image = next((file for file in found if file.is_file()), None)
    if image is None:
        raise DataError(found[0], f"no such file, but there is {checkpoint.name}")
    if image_size(image) != camera.size:
        size = "{} x {}".format(*image_size(image))
        raise DataError(image, f"{size}, but its checkpoint was made on {camera.size[0]} x {camera.size[1]}")
    return TrackedFrame(number, image, mesh, checkpoint, camera, None)


def _originals(folder: DatasetPath, frames: int) -> tuple[list[DatasetPath], CropBox]:
    """List the original frames in their order, as many as were tracked, and read the crop's place in them."""
    places = (folder, folder.parent.parent / "input" / folder.name)
    place = next((place for place in places if (place / "source").is_dir()), None)
    if place is None:
        raise DataError(folder / "source", f"no such folder; original frames lie there or in {places[1] / 'source'}")
    files = [file for file in (place / "source").iterdir() if file.suffix.lower() in IMAGE_SUFFIXES]
    if len(files) != frames:
        raise DataError(
            place / "source",
            f"{len(files)} frames, but {frames} were tracked, so that it cannot be told which is "
            "which; give the frames that were tracked, or use the crops",
        )
    return sorted(files, key=lambda file: (natural_key(file.name), file.name)), read_box(place / "bbox.pt")


def _load(path: DatasetPath) -> Any:
    try:
        if path.stat().st_size > MAX_CHECKPOINT_BYTES:
            raise DataError(path, f"larger than {MAX_CHECKPOINT_BYTES} bytes, which no file of the tracker is")
        with naming_extra(str(path), of_method=True):
            return read_checkpoint(path.name, io.BytesIO(path.read_bytes()), _allowed())
    except (DataError, MissingExtraError):
        raise
    except FileNotFoundError as error:
        raise DataError(path, "no such file") from error
    except Exception as error:  # what lies in a hostile archive can fail in any way
        raise DataError(path, f"cannot be read as a file of the tracker, nothing in it was run ({error})") from error


def _allowed() -> list[Any]:
    """Name what makes numpy arrays of plain numbers, under its names in numpy 1 and 2; nothing else."""
    try:
        from numpy._core.multiarray import _reconstruct
    except ImportError:  # numpy 1
        from numpy.core.multiarray import _reconstruct  # type: ignore[no-redef,attr-defined,unused-ignore]
    return [
        *((_reconstruct, f"numpy.{core}.multiarray._reconstruct") for core in ("core", "_core")),
        np.ndarray,
        np.dtype,
        *(type(np.dtype(kind)) for kind in (np.float32, np.float64, np.int32, np.int64)),
    ]


def _array(path: DatasetPath, content: Mapping[str, Any], name: str, shape: tuple[int, ...]) -> Points:
    """Return an array of numbers; the tracker writes a batch of one."""
    value = content.get(name)
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "if" or value.size != int(np.prod(shape)):
        found = f"{value.shape} {value.dtype}" if isinstance(value, np.ndarray) else type(value).__name__
        raise DataError(path, f"expected {name} as an array {shape}, found {found}")
    array = np.asarray(value, np.float64).reshape(shape)
    if not np.isfinite(array).all():
        raise DataError(path, f"{name} has values that are not finite")
    return array
