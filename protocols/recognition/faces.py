"""From a flow of an original frame to what a recogniser sees: the registered face, with vectors turned and scaled."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import PIL.Image

from ffbench.errors import DataError
from ffbench.flow.sampling import sample_flow
from ffbench.recogniser import FACE_SIZE
from ffbench.typing import FlowField, Image

SIZE = FACE_SIZE
"""Height and width of what a recogniser sees."""
_RATIO = 0.75
"""A match counts if it is nearer than this share of the distance to the next best (Lowe 2004)."""
_RANSAC_PX = 2.0
_LEAST_MATCHES = 12
_SCALES = (0.1, 10.0)

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
