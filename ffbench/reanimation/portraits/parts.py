"""Which pixels of a photograph are the skin of its face, and of which region."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ffbench.facemesh.groups import BROWS, EYES, LIPS, NOSE, OVAL
from ffbench.reanimation.portraits.mesh import CHIN, EYE_LOOPS, FOREHEAD, MOUTH_LOOP
from ffbench.typing import Mask

FloatArray = npt.NDArray[np.float64]

REGIONS = {1: "forehead", 2: "brows", 3: "eyes", 4: "nose", 5: "cheeks", 6: "lips", 7: "chin"}
"""Names of the regions by their number; 0 is what is no part of the face."""
_FOREHEAD, _BROWS, _EYES, _NOSE, _CHEEKS, _LIPS, _CHIN = REGIONS
STABLE_REGIONS = (_FOREHEAD, _NOSE)
"""What expressions move least."""
_BORDER, _LIDS, _MOUTH = 0.035, 0.012, 0.012
"""What is left out along the border of the face, around the eyes and the mouth's inside, in widths of the face."""


def regions_at(places: FloatArray, points: FloatArray) -> npt.NDArray[np.uint8]:
    """Return the region of places (N, 2) px, (N,) uint8: that of the nearest landmark, 0 outside of the face.

    Skin above the mean height of the brows is forehead, below the lowest point of the lips chin, the rest cheeks.

    Args:
        places: x and y in px.
        points: (468, 2) of the mesh, px.
    """
    from scipy.spatial import cKDTree

    down = points[CHIN] - points[FOREHEAD]
    height = points @ (down / np.linalg.norm(down))
    brow, lip = height[list(BROWS)].mean(), height[list(LIPS)].max()
    names = np.where(height < brow, _FOREHEAD, np.where(height > lip, _CHIN, _CHEEKS)).astype(np.uint8)
    for group, value in ((LIPS, _LIPS), (EYES, _EYES), (BROWS, _BROWS), (NOSE, _NOSE)):
        names[list(group)] = value
    region = np.zeros(len(places), np.uint8)
    inside = np.flatnonzero(_inside(places, points[list(OVAL)]))
    region[inside] = names[cKDTree(points).query(places[inside])[1]]
    return region


def _inside(places: FloatArray, corners: FloatArray) -> Mask:
    """Return which places (N, 2) a line to the right from leaves a polygon (M, 2) an odd number of times."""
    x, y = places.T
    inside = np.zeros(len(places), np.bool_)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y0 != y1:
            inside ^= ((y0 > y) != (y1 > y)) & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return inside


def face_skin(points: FloatArray, shape: tuple[int, int], size: float) -> Mask:
    """Return the skin of the face (H, W), without its border, eyes and the mouth's inside.

    Args:
        points: (468, 2) of the mesh, px.
        shape: (H, W).
        size: width of the face, px.
    """
    face = filled(points[list(OVAL)], shape)
    face = ~grown(~face, max(round(_BORDER * size), 1))
    for loop, reach in ((EYE_LOOPS[0], _LIDS), (EYE_LOOPS[1], _LIDS), (MOUTH_LOOP, _MOUTH)):
        face &= ~grown(filled(points[list(loop)], shape), max(round(reach * size), 1))
    return face


def filled(corners: FloatArray, shape: tuple[int, int]) -> Mask:
    """Return the pixels (H, W) inside of a polygon (N, 2) px."""
    import cv2

    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(corners).astype(np.int32)], 1)
    return np.asarray(mask > 0, np.bool_)


def grown(mask: Mask, radius: int) -> Mask:
    """Return a mask (H, W) and what lies within `radius` px of it."""
    import cv2

    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return np.asarray(cv2.dilate(mask.astype(np.uint8), disc) > 0, np.bool_)
