"""What lies where in the head's texture: the face, plain skin, brows and lids; each (size, size)."""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from ffbench.facemesh.groups import OVAL
from ffbench.synth.appearance.chart import chart
from ffbench.synth.heads.head import Region
from ffbench.synth.heads.makehuman import MakeHumanHead
from ffbench.synth.render.bake import FloatImage, region_maps
from ffbench.texturing.surface_points import surface_points

# Share of the sheet's height over which the border of the face fades.
_FEATHER = 0.02
# dm around the opening of the eyes that lashes and the white of the eye reach, and over which they fade.
_LASHES, _LASHES_FADE = 0.05, 0.03
# dm around the landmarks of brows and eyes beyond which there is skin for certain.
_CLEAR = 0.07
# Numbers of the 68 landmarks.
_EYES = (range(36, 42), range(42, 48))
_BROWS = (range(17, 22), range(22, 27))


@functools.lru_cache(maxsize=4)
def face_oval(head: MakeHumanHead, size: int) -> npt.NDArray[np.bool_]:
    """Return what lies within the border of the network's points."""
    import cv2

    uv = np.zeros((len(head.template), 2))
    uv[head.topology.triangles] = head.topology.uv
    border = surface_points(head).of(uv)[list(OVAL)]
    area = np.zeros((size, size), np.uint8)
    cv2.fillPoly(area, [np.rint(border * size * 16).astype(np.int32)], 1, cv2.LINE_8, 4)
    return np.asarray(area > 0)


@functools.lru_cache(maxsize=4)
def face_area(head: MakeHumanHead, size: int) -> FloatImage:
    """Return where a texture shows the face, from 0 to 1: the network's oval, without the mouth's inside and the lids.

    Lashes, and the white of an eye that the fit misses by a little, are no skin; the engine has lashes and eyes of its
    own.
    """
    import cv2

    feather = _FEATHER * size
    whole = face_oval(head, size).astype(np.uint8)
    soft = np.clip((cv2.distanceTransform(whole, cv2.DIST_L2, 5) - 0.25 * feather) / feather, 0, 1)
    mouth = np.clip(region_maps(head, size)[Region.MOUTH] * 2.5 - 0.3, 0, 1)
    eyes = np.zeros((size, size), np.uint8)
    for loop in _EYES:
        cv2.fillConvexPoly(eyes, _hull(head, size, loop), 1)
    away = cv2.distanceTransform(1 - eyes, cv2.DIST_L2, 5) / (size * chart(head).high)
    return np.asarray(soft * (1 - mouth) * np.clip((away - _LASHES) / _LASHES_FADE, 0, 1), np.float32)


@functools.lru_cache(maxsize=4)
def eyes_and_brows(head: MakeHumanHead, size: int, around: float = _CLEAR) -> npt.NDArray[np.bool_]:
    """Return where brows and eyes are, what lies between them, and dm around them."""
    import cv2

    area = np.zeros((size, size), np.uint8)
    for brow, eye in zip(_BROWS, _EYES, strict=True):
        cv2.fillConvexPoly(area, _hull(head, size, [*brow, *eye]), 1)
    reach = round(around * chart(head).high * size)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return np.asarray(cv2.dilate(area, disc) > 0)


@functools.lru_cache(maxsize=4)
def plain_skin(head: MakeHumanHead, size: int) -> FloatImage:
    """Return where there is skin and nothing else, 0 or 1: no lips, brows and eyes."""
    maps = region_maps(head, size)
    lips = np.maximum(maps[Region.LIPS], maps[Region.MOUTH]) >= 0.1
    return np.asarray(~(eyes_and_brows(head, size) | lips), np.float32)


def _hull(head: MakeHumanHead, size: int, landmarks: range | list[int]) -> npt.NDArray[np.int32]:
    """Convex hull (N, 1, 2) px of some of the 68 landmarks."""
    import cv2

    return np.asarray(cv2.convexHull(np.rint(chart(head).points[landmarks] * size).astype(np.int32)), np.int32)
