"""From a flow of an original frame to what a recogniser sees: the registered face, with vectors turned and scaled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import PIL.Image

from ffbench.datasets.images import read_image
from ffbench.errors import DataError
from ffbench.flow.sampling import sample_flow
from ffbench.io.archives.member_path import DatasetPath
from ffbench.recogniser import FACE_SIZE
from ffbench.typing import FlowField, Image

SIZE = FACE_SIZE
"""Height and width of what a recogniser sees."""
_RATIO = 0.75
"""A match counts if it is nearer than this share of the distance to the next best (Lowe 2004)."""
_RANSAC_PX = 2.0
_LEAST_MATCHES = 12
_SCALES = (0.1, 10.0)

_MESH_POINTS = ((33, 133), (362, 263), (1,), (61,), (291,))
"""Of the face mesh: corners of the eye at the image's left and of that at its right, tip of the nose, mouth corners."""
MESH_PLACES = ((0.31, 0.36), (0.69, 0.36), (0.5, 0.57), (0.36, 0.76), (0.64, 0.76))
"""Where they stand in the face, x and y in shares of its sides."""

Affine = npt.NDArray[np.float64]


def register(frame: Image, crop: Image, name: str) -> Affine:
    """Find the similarity that takes pixels of a frame to pixels of the face that was cropped out of it.

    CASME II says neither where its crops lie nor how they are turned. Both show one and the same face, so that SIFT
    features match by hundreds; RANSAC finds the similarity most of them agree on.

    Args:
        frame: (H, W, 3), the original frame.
        crop: (h, w, 3), the registered face.
        name: of the pair, for errors.

    Returns:
        (2, 3): the linear part and the shift, for pixel centres at whole numbers.

    Raises:
        DataError: too few features agree: the crop is not of this frame.
    """
    import cv2

    finder = cv2.SIFT_create(enable_precise_upscale=True)  # type: ignore[attr-defined]
    (points1, features1), (points2, features2) = (
        finder.detectAndCompute(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), None) for image in (frame, crop)
    )
    matches = []
    if features1 is not None and features2 is not None and len(features1) >= 2:
        near = cv2.BFMatcher().knnMatch(features2, features1, k=2)
        matches = [best for best, second in near if best.distance < _RATIO * second.distance]
    found, agree = None, 0
    if len(matches) >= _LEAST_MATCHES:
        source = np.array([points1[match.trainIdx].pt for match in matches])
        target = np.array([points2[match.queryIdx].pt for match in matches])
        # OpenCV's own random numbers would depend on what was run before.
        cv2.setRNGSeed(0)
        found, inside = cv2.estimateAffinePartial2D(source, target, method=cv2.RANSAC, ransacReprojThreshold=_RANSAC_PX)
        agree = 0 if found is None else int(inside.sum())
    if found is None or agree < _LEAST_MATCHES or not _SCALES[0] < np.hypot(found[0, 0], found[1, 0]) < _SCALES[1]:
        raise DataError(
            f"{name}: the cropped face cannot be found in the original frame ({agree} of {len(matches)} features "
            f"agree, expected {_LEAST_MATCHES} at least); are both of one clip?"
        )
    return np.asarray(found, np.float64)


@dataclass(frozen=True)
class RegisteredPair:
    """Onset and apex frame of a clip, and where the registered face lies in them.

    Attributes:
        onset, apex: (H, W, 3) uint8, the original frames.
        transform: (2, 3), from pixels of a frame to pixels of the face.
        face: (SIZE, SIZE, 3), the registered face at onset, RGB from 0 to 1.
    """

    onset: Image
    apex: Image
    transform: Affine
    face: npt.NDArray[np.float32]


def read_registered(onset: DatasetPath, apex: DatasetPath, crop: DatasetPath | None, key: str) -> RegisteredPair:
    """Read the frames of a clip, and find its registered face in the onset frame.

    Args:
        onset, apex: image files of the original frames.
        crop: image file of the registered face at onset; None: the face is found by the face mesh.
        key: of the clip, for errors.

    Raises:
        DataError: a file cannot be read, the frames differ in size, the crop is not of the onset frame, or no face is
            found.
    """
    first, second = read_image(onset), read_image(apex)
    if first.shape != second.shape:
        sizes = [f"{image.shape[1]} x {image.shape[0]}" for image in (first, second)]
        raise DataError(apex, f"is {sizes[1]} pixels, but {onset.name} is {sizes[0]}; a clip has frames of one size")
    if crop is not None:
        cropped = read_image(crop)
        transform = to_recogniser(register(first, cropped, key), (cropped.shape[1], cropped.shape[0]))
        return RegisteredPair(first, second, transform, resized_face(cropped))
    transform = mesh_transform(first, onset)
    return RegisteredPair(first, second, transform, warped_face(first, transform))


def mesh_transform(frame: Image, path: DatasetPath) -> Affine:
    """Return the similarity that takes the eyes, the nose and the mouth of a frame to fixed places of the face.

    The middles of the eyes, the tip of the nose and the corners of the mouth, by the 468 points of the face mesh, go as
    near as a similarity can bring them, in the sense of least squares, to `MESH_PLACES`.

    Args:
        frame: (H, W, 3) uint8 RGB.
        path: of the frame, for errors.

    Returns:
        (2, 3), from pixels of the frame to pixels of the face.

    Raises:
        DataError: no face is found.
    """
    from ffbench.facemesh.tracker import track  # its network needs PyTorch

    points = next(iter(track([frame]))).points
    if points is None:
        raise DataError(path, "no face is found in it; expected one frontal, upright face")
    source = np.stack([points[list(group)].mean(axis=0) for group in _MESH_POINTS])
    return similarity(source, np.array(MESH_PLACES) * SIZE - 0.5)


def similarity(source: npt.NDArray[np.float64], target: npt.NDArray[np.float64]) -> Affine:
    """Return the similarity that takes points (N, 2) nearest to others, by least squares: (2, 3)."""
    x, y = source.T
    zero, one = np.zeros_like(x), np.ones_like(x)
    # x' = a x - b y + c and y' = b x + a y + d
    rows = np.concatenate([np.stack([x, -y, one, zero], 1), np.stack([y, x, zero, one], 1)])
    a, b, c, d = np.linalg.lstsq(rows, target.T.ravel(), rcond=None)[0]
    return np.array([[a, -b, c], [b, a, d]])


def warped_face(frame: Image, transform: Affine) -> npt.NDArray[np.float32]:
    """Return the face that a transform cuts out of a frame: (SIZE, SIZE, 3) in [0, 1]; black beyond the frame.

    A frame that is made smaller is smoothed first, so that no pixel is skipped.
    """
    import cv2

    smaller = 1 / float(np.hypot(transform[0, 0], transform[1, 0]))
    source = cv2.GaussianBlur(frame, (0, 0), 0.5 * np.sqrt(smaller**2 - 1)) if smaller > 1 else frame
    warped = cv2.warpAffine(source, transform, (SIZE, SIZE), flags=cv2.INTER_LINEAR)
    return np.asarray(np.asarray(warped) / 255, np.float32)


def to_recogniser(transform: Affine, crop_size: tuple[int, int]) -> Affine:
    """Put the resizing of a crop of (width, height) to `SIZE` x `SIZE` after a transform to its pixels: (2, 3).

    Pixel centres lie at whole numbers, so that c goes to (c + 1/2) SIZE / width - 1/2.
    """
    factors = np.array([SIZE / crop_size[0], SIZE / crop_size[1]])
    shifted = transform + np.array([[0, 0, 0.5], [0, 0, 0.5]])
    return np.asarray(shifted * factors[:, None] - np.array([[0, 0, 0.5], [0, 0, 0.5]]))


def align_flow(flow: FlowField, transform: Affine, name: str) -> FlowField:
    """Return a flow as it looks in the registered face: sampled there, its vectors turned and scaled.

    With x -> A x + b from frame to face, the face's flow at p is A F(A^-1 (p - b)): a motion by F in the frame is one
    by A F in the face. Where the face reaches beyond the frame the flow is 0.

    Args:
        flow: (H, W, 2) in px of the frame.
        transform: (2, 3), A and b, as `to_recogniser` gives.
        name: of the pair, for errors.

    Returns:
        (SIZE, SIZE, 2) in px of the face.

    Raises:
        DataError: the flow is unknown at a pixel of the face.
    """
    linear, shift = transform[:, :2], transform[:, 2]
    rows, columns = np.mgrid[0:SIZE, 0:SIZE]
    places = np.stack([columns.ravel(), rows.ravel()], axis=1)
    points = (places - shift) @ np.linalg.inv(linear).T
    height, width = flow.shape[:2]
    inside = np.all((points >= 0) & (points <= (width - 1, height - 1)), axis=1)
    values, known = sample_flow(flow, points)
    if not known[inside].all():
        raise DataError(
            f"{name}: the flow is unknown at {int((inside & ~known).sum())} pixels of the face; "
            "a flow must have a value at every pixel"
        )
    values[~inside] = 0
    return np.asarray((values @ linear.T).reshape(SIZE, SIZE, 2), np.float32)


def resized_face(crop: Image) -> npt.NDArray[np.float32]:
    """Return a registered face as MMNet's released code reads it: (SIZE, SIZE, 3) in [0, 1], resized by Pillow."""
    resized = PIL.Image.fromarray(crop).resize((SIZE, SIZE), PIL.Image.Resampling.BILINEAR)
    return np.asarray(np.asarray(resized) / 255, np.float32)
