"""The person in a photograph, cut out, and what may lie behind.

Both only have to look right: whatever they are, the scene that is made of them moves as its labels say.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import numpy.typing as npt

from ffbench.facemesh.groups import OVAL
from ffbench.typing import Image

FloatImage = npt.NDArray[np.float32]

_LONGEST = 320
"""Side of the image on which the person is cut out, px: GrabCut's time grows with the pixels."""
_ROUNDS = 4
_HALO, _SOFT = 0.015, 0.015
"""How much of what is around the person goes with it, such as fine hair, and the blur of the edge, in face widths."""
_MOST_DETAIL = 8.0
"""Of the detail that is mirrored into what lies behind, grey levels."""
_ONE_CUT = threading.Lock()  # GrabCut draws from OpenCV's generator, which is seeded for each photograph


def cut_out(image: Image, points: npt.NDArray[np.float64]) -> FloatImage:
    """Return how much of each pixel is the person, (H, W) float32 in [0, 1], by GrabCut from the mesh.

    Args:
        image: (H, W, 3) uint8.
        points: (468, 2) x and y of the mesh, px.
    """
    import cv2

    height, width = image.shape[:2]
    scale = min(1.0, _LONGEST / max(height, width))
    small: Any = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    oval = points[list(OVAL)] * scale
    trimap: Any = _first_guess(small.shape[:2], oval)
    whole_image: Any = None
    with _ONE_CUT:
        cv2.setRNGSeed(0)
        colors = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.grabCut(small[..., ::-1].copy(), trimap, whole_image, *colors, _ROUNDS, cv2.GC_INIT_WITH_MASK)
    person = np.isin(trimap, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    size = float(np.ptp(oval[:, 0]))
    person = _whole(person, oval.mean(axis=0), max(int(size * 0.04), 1))
    haloed = np.asarray(cv2.dilate(person, _disc(max(round(_HALO * size), 1))), np.float32)
    large = cv2.resize(haloed, (width, height), interpolation=cv2.INTER_CUBIC)
    soft = cv2.GaussianBlur(large, (0, 0), max(_SOFT * size / scale, 0.6))
    return np.asarray(np.clip(soft * 1.6 - 0.3, 0.0, 1.0), np.float32)


def _first_guess(shape: tuple[int, int], oval: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    """Return what GrabCut starts from: the face is the person, hair and shoulders may be, the far sides are not."""
    import cv2

    guess = np.full(shape, cv2.GC_BGD, np.uint8)
    low, high = oval.min(axis=0), oval.max(axis=0)
    size = high - low
    center = (low + high) / 2

    def box(left: float, top: float, right: float, bottom: float, value: int) -> None:
        corners = [np.array([left, top]) * size + center, np.array([right, bottom]) * size + center]
        (x0, y0), (x1, y1) = (np.round(corner).astype(int).tolist() for corner in corners)
        cv2.rectangle(guess, (x0, y0), (x1, y1), value, -1)

    box(-1.15, -1.15, 1.15, 0.6, cv2.GC_PR_BGD)
    box(-0.62, -0.85, 0.62, 0.6, cv2.GC_PR_FGD)
    box(-2.2, 0.75, 2.2, 9.0, cv2.GC_PR_FGD)
    box(-0.35, 0.3, 0.35, 1.0, cv2.GC_FGD)
    inner = (oval - center) * 0.97 + center
    cv2.fillConvexPoly(guess, cv2.convexHull(np.round(inner).astype(np.int32)), cv2.GC_FGD)
    return guess


def _whole(person: npt.NDArray[np.uint8], center: npt.NDArray[np.float64], radius: int) -> npt.NDArray[np.uint8]:
    """Return the one piece that holds the face, its holes closed and its edge smoothed."""
    import cv2

    disc = _disc(radius)
    closed = cv2.morphologyEx(cv2.morphologyEx(person, cv2.MORPH_OPEN, disc), cv2.MORPH_CLOSE, disc)
    pieces = np.asarray(cv2.connectedComponents(closed)[1])
    row, column = (int(np.clip(center[k], 0, person.shape[1 - k] - 1)) for k in (1, 0))
    piece = (pieces == pieces[row, column]).astype(np.uint8)
    outside = np.pad(1 - piece, 1, constant_values=1)
    outside[-1] = 0  # what the lower border closes is a hole too
    rest = np.asarray(cv2.connectedComponents(outside)[1])
    return np.asarray(rest[1:-1, 1:-1] != rest[0, 0], np.uint8)


def _disc(radius: int) -> npt.NDArray[np.uint8]:
    import cv2

    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)), np.uint8)


def fill_behind(image: FloatImage, hidden: npt.NDArray[np.bool_], reach: float) -> FloatImage:
    """Return the image (H, W, 3) with its hidden pixels (H, W) filled from around them.

    The color goes on smoothly; the detail (what a blur takes away) is that of the place as far outside of the edge as
    the pixel lies inside, as in a mirror, up to a depth of `reach` px.
    """
    import cv2

    if hidden.all() or not hidden.any():
        return image
    height, width = hidden.shape
    known = (~hidden).astype(np.float32)
    smooth = _push_pull(image, hidden)
    depth, nearest = cv2.distanceTransformWithLabels(
        hidden.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE, labelType=cv2.DIST_LABEL_PIXEL
    )
    places = np.zeros((int(nearest.max()) + 1, 2), np.float32)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    places[nearest[~hidden]] = np.stack([x[~hidden], y[~hidden]], axis=1)
    mirrored = 2 * places[nearest] - np.stack([x, y], axis=2)
    sigma = max(reach / 8, 1.0)
    weight = cv2.GaussianBlur(known, (0, 0), sigma)
    blurred = cv2.GaussianBlur(image * known[..., None], (0, 0), sigma) / np.maximum(weight, 1e-3)[..., None]
    rest = np.asarray((image - blurred) * known[..., None], np.float32)
    detail = np.asarray(cv2.remap(rest, mirrored[..., 0], mirrored[..., 1], cv2.INTER_LINEAR), np.float32)
    # Noise and fine texture; a mirrored edge or strand of hair would look like what it is.
    detail = np.clip(detail, -_MOST_DETAIL, _MOST_DETAIL)
    detail *= np.clip(2 - depth / reach * 2, 0, 1)[..., None]
    return np.where(hidden[..., None], smooth + detail, image).astype(np.float32)


def _push_pull(image: FloatImage, hidden: npt.NDArray[np.bool_]) -> FloatImage:
    """Fill smoothly: means of the known pixels go down a pyramid by factors of two, and up where nothing is known.

    After Gortler et al., "The Lumigraph", 1996.
    """
    import cv2

    known = (~hidden).astype(np.float32)
    if not hidden.any() or hidden.all():
        return image
    height, width = hidden.shape
    size = (max(width // 2, 1), max(height // 2, 1))
    weight = cv2.resize(known, size, interpolation=cv2.INTER_AREA)
    sums = cv2.resize(image * known[..., None], size, interpolation=cv2.INTER_AREA)
    coarse = _push_pull(np.asarray(sums / np.maximum(weight, 1e-6)[..., None], np.float32), weight <= 0)
    back = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.where(hidden[..., None], back, image).astype(np.float32)
