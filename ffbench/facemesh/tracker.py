"""Face landmarks through a clip: find the face, follow it, notice when it is gone."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ffbench.assets import asset_path
from ffbench.errors import DataError
from ffbench.facemesh.crop import CROP_SIZE, Crop, crop_of_landmarks, cut
from ffbench.protocol import Image
from ffbench.threads import one_torch_thread

if TYPE_CHECKING:
    from ffbench.facemesh.network import FaceMeshNetwork

_SCORE = 0.5
_SMALLEST_SIDE = 16.0
_SETTLING_PASSES = 3
# Measured on a still face moved by a known similarity transform: one crop taken from the last frame's landmarks
# errs by 0.84 px over 16 frames, a crop refined on the frame itself by 0.31, the mean of eight by 0.14.
_CROPS, _SPREAD = 8, 0.03
_ONE_DETECTION = threading.Lock()  # a cascade keeps its working memory in itself


class Box(NamedTuple):
    """An upright rectangle in pixels: left and top corner, width, height."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class FaceTrack:
    """The face in one frame.

    `points` are (468, 2) float64, x and y in pixels of the frame, integer = pixel centre, and may lie
    outside of it; None when there is no face. `score` in [0, 1] is the network's belief that there is one. `depth`
    is (468,) float64 in the same unit, smaller is nearer, from a plane through the head; None where `points` is.
    """

    points: npt.NDArray[np.float64] | None
    score: float
    depth: npt.NDArray[np.float64] | None = None


@functools.cache
def default_network() -> FaceMeshNetwork:
    """Load the network of the asset `face_mesh`, once."""
    from ffbench.facemesh.network import FaceMeshNetwork  # PyTorch is slow to import

    return FaceMeshNetwork(asset_path("face_mesh"))


def detect_face(image: Image) -> Box | None:
    """Find the largest upright frontal face in an (H, W, 3) uint8 RGB image, by OpenCV's Haar cascade.

    Raises:
        DataError: the image is of another shape or type.
    """
    return max(_detect(image, 8), key=lambda box: box.width, default=None)


def find_faces(image: Image, network: FaceMeshNetwork | None = None) -> list[npt.NDArray[np.float64]]:
    """Find all upright faces of an (H, W, 3) uint8 RGB image: their points (468, 2) px, the widest face first.

    What the cascade finds counts when the network, too, believes that it is a face.

    Raises:
        DataError: the image is of another shape or type.
    """
    return [face.points for face in find_face_meshes(image, network) if face.points is not None]


def find_face_meshes(image: Image, network: FaceMeshNetwork | None = None) -> list[FaceTrack]:
    """Return all upright faces of an image as `find_faces` does, with depth; `points` of each are there.

    Raises:
        DataError: the image is of another shape or type.
    """
    network = network or default_network()
    faces: list[tuple[npt.NDArray[np.float64], FaceTrack]] = []
    for box in sorted(_detect(image, 16), key=lambda box: -box.width):
        face = _locate(image, _crop_of_box(box), _SETTLING_PASSES, network)
        # Two boxes may settle on one face.
        if face.points is not None and all(_apart(face.points, other) for other, _ in faces):
            faces.append((face.points, face))
    return [face for _, face in sorted(faces, key=lambda found: -float(np.ptp(found[0][:, 0])))]


def _apart(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> bool:
    away = float(np.linalg.norm(a.mean(axis=0) - b.mean(axis=0)))
    return away > 0.5 * min(float(np.ptp(a[:, 0])), float(np.ptp(b[:, 0])))


def _detect(image: Image, share: int) -> list[Box]:
    """Find boxes of faces at least 24 px and one `share`-th of the shorter side wide, by OpenCV's Haar cascade."""
    import cv2

    _check(image)
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    smallest = max(24, min(grey.shape) // share)
    with _ONE_DETECTION:
        boxes = _cascade().detectMultiScale(grey, 1.1, minNeighbors=4, minSize=(smallest, smallest))
    return [Box(*(int(value) for value in box)) for box in boxes]


def track(frames: Iterable[Image], network: FaceMeshNetwork | None = None) -> Iterator[FaceTrack]:
    """Follow one face through the frames of a clip, (H, W, 3) uint8 RGB; frames are read one at a time.

    The largest face of the first frame that has one is followed from frame to frame. When it is lost, the
    next face that is found is followed. No smoothing in time: each frame's points are found in that frame
    alone, as the mean over several crops of it.

    Raises:
        DataError: a frame is of another shape or type.
    """
    network = network or default_network()
    crop: Crop | None = None
    for frame in frames:
        _check(frame)
        found = FaceTrack(None, 0.0)
        if crop is not None:
            found = _locate(frame, crop, 1, network)
        if found.points is None:
            box = detect_face(frame)
            if box is not None:
                found = _locate(frame, _crop_of_box(box), _SETTLING_PASSES, network)
        crop = None if found.points is None else crop_of_landmarks(found.points)
        yield found


def _locate(frame: Image, crop: Crop, passes: int, network: FaceMeshNetwork) -> FaceTrack:
    """Find the landmarks near `crop`, which is first fitted to the face `passes` times."""
    for _ in range(passes):
        points, score = _run(frame, [crop], network)
        crop = crop_of_landmarks(points[:, :2])
        if score < _SCORE or not _sane(crop, frame):
            return FaceTrack(None, score)
    points, score = _run(frame, crop.around(_CROPS, _SPREAD), network)
    flat = np.ascontiguousarray(points[:, :2])
    if score < _SCORE or not _sane(crop_of_landmarks(flat), frame):
        return FaceTrack(None, score)
    return FaceTrack(flat, score, points[:, 2])


def _run(frame: Image, crops: Sequence[Crop], network: FaceMeshNetwork) -> tuple[npt.NDArray[np.float64], float]:
    """Return the mean landmarks (468, 3) in the frame, with their depth, and the mean score, over crops."""
    import torch

    stacked = np.stack([cut(frame, crop) for crop in crops])
    device = next(network.parameters()).device
    with torch.inference_mode(), one_torch_thread():
        batch = torch.from_numpy(stacked).to(device).permute(0, 3, 1, 2).float().div_(255)
        landmarks, scores = network(batch)
    found = landmarks.cpu().numpy().astype(np.float64)
    points = [
        # A turn within the image leaves depth as it is; only the crop's scale is undone.
        np.column_stack([crop.to_frame(one[:, :2]), one[:, 2] * (crop.side / CROP_SIZE)])
        for crop, one in zip(crops, found, strict=True)
    ]
    return np.mean(points, axis=0), float(scores.mean())


def _crop_of_box(box: Box) -> Crop:
    return Crop(box.x + (box.width - 1) / 2, box.y + (box.height - 1) / 2, 1.5 * box.width, 0.0)


def _sane(crop: Crop, frame: Image) -> bool:
    """Whether a crop can hold a face of this frame: its centre is inside and it is neither tiny nor huge."""
    height, width = frame.shape[:2]
    inside = bool(0 <= crop.x < width and 0 <= crop.y < height)
    return inside and _SMALLEST_SIDE <= crop.side <= 4 * max(height, width)


def _check(image: Image) -> None:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise DataError(f"a frame must be (H, W, 3) uint8 RGB, got {image.shape} {image.dtype}")


@functools.cache
def _cascade() -> Any:
    import cv2
    from cv2.data import haarcascades

    return cv2.CascadeClassifier(haarcascades + "haarcascade_frontalface_default.xml")
