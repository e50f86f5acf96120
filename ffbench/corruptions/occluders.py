"""Things in front of a face, drawn here: a hand that moves on its own, and glasses that the head carries.

Each gives the frame, and which pixels it covers: nothing can be said of the skin behind them.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from ffbench.typing import Image, Mask, Points

_SWAY = 40  # frames in which a hand goes around once
_SUB = 4  # subpixels a pixel, in x and in y, for edges
_EYES = ((33, 133), (362, 263))
"""Landmarks at the corners of either eye."""
# Palm at (0, 0) pointing up; fingers as (x and y of root, x and y of tip, width) in widths of the hand.
_FINGERS = (
    (-0.34, -0.28, -0.52, -0.98, 0.19),
    (-0.12, -0.36, -0.18, -1.18, 0.20),
    (0.11, -0.36, 0.16, -1.14, 0.20),
    (0.32, -0.28, 0.48, -0.92, 0.18),
    (0.36, 0.14, 0.82, -0.32, 0.22),
)
_PALM = (0.45, 0.52)  # half axes
_RIM = np.array([25.0, 20.0, 20.0])
_TINT = np.array([30.0, 26.0, 24.0])


def hand(
    image: Image, points: Points, frame: int, face_width: float, middle: Points, size: float
) -> tuple[Image, Mask]:
    """Draw a hand before the face, which goes around slowly and does not follow the head.

    Args:
        image: (H, W, 3) uint8 RGB.
        points: (468, 2) landmarks of the frame, which only lend the hand the color of skin.
        frame: its number, for where the hand is.
        face_width: in px.
        middle: (2,) x and y of the middle of the face over the clip.
        size: width of the hand over that of the face.
    """
    import cv2

    wide = size * face_width
    turn = 2 * math.pi * frame / _SWAY
    # Right and below of the middle of the face, the fingers across the cheek and the mouth.
    center = middle + face_width * np.array([0.3 + 0.12 * math.cos(turn), 0.42 + 0.08 * math.sin(turn)])
    angle = -0.45 + 0.12 * math.sin(turn)
    cover = np.zeros((image.shape[0] * _SUB, image.shape[1] * _SUB), np.uint8)
    shade = np.zeros_like(cover)
    turned = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])

    def place(x: float, y: float) -> tuple[int, int]:
        at = (center + turned @ (wide * np.array([x, y])) + 0.5) * _SUB - 0.5
        return round(float(at[0])), round(float(at[1]))

    axes = (round(_PALM[0] * wide * _SUB), round(_PALM[1] * wide * _SUB))
    cv2.ellipse(cover, place(0, 0.1), axes, math.degrees(angle), 0, 360, 255, -1)
    cv2.ellipse(shade, place(0, 0.1), axes, math.degrees(angle), 0, 360, 255, -1)
    for x0, y0, x1, y1, thick in _FINGERS:
        width = max(round(thick * wide * _SUB), 1)
        cv2.line(cover, place(x0, y0), place(x1, y1), 255, width, cv2.LINE_8)
        cv2.line(shade, place(x0, y0), place(x1, y1), 255, max(round(0.55 * width), 1), cv2.LINE_8)
    alpha = _averaged(cover, image)
    # Brighter towards the middle of palm and fingers, as round things are.
    light = 0.72 + 0.28 * cv2.GaussianBlur(_averaged(shade, image), (0, 0), max(0.05 * wide, 0.3))
    return _over(image, _skin(image, points) * light[..., None], alpha), alpha > 0


def glasses(image: Image, points: Points, tint: float) -> tuple[Image, Mask]:
    """Draw glasses on the eyes: a dark rim around lenses that take away the share `tint` of the light.

    Args:
        image: (H, W, 3) uint8 RGB.
        points: (468, 2) landmarks of the frame.
        tint: 0 for clear lenses, which leave the skin behind them as it is and do not cover it, to 1.
    """
    import cv2

    eyes = np.array([(points[a] + points[b]) / 2 for a, b in _EYES])
    across = eyes[1] - eyes[0]
    apart, angle = float(np.hypot(*across)), math.atan2(across[1], across[0])
    along = across / max(apart, 1e-9)
    rim = np.zeros((image.shape[0] * _SUB, image.shape[1] * _SUB), np.uint8)
    lenses = np.zeros_like(rim)
    thick = max(round(0.06 * apart * _SUB), 1)
    axes = (round(0.40 * apart * _SUB), round(0.32 * apart * _SUB))

    def place(at: Points) -> tuple[int, int]:
        scaled = (at + 0.5) * _SUB - 0.5
        return round(float(scaled[0])), round(float(scaled[1]))

    for eye in eyes:
        cv2.ellipse(lenses, place(eye), axes, math.degrees(angle), 0, 360, 255, -1)
        cv2.ellipse(rim, place(eye), axes, math.degrees(angle), 0, 360, 255, thick)
    cv2.line(rim, place(eyes[0] + 0.38 * apart * along), place(eyes[1] - 0.38 * apart * along), 255, thick)
    for eye, outwards in zip(eyes, (-1, 1), strict=True):
        cv2.line(
            rim, place(eye + outwards * 0.38 * apart * along), place(eye + outwards * 0.75 * apart * along), 255, thick
        )
    dark, edge = tint * _averaged(lenses, image), _averaged(rim, image)
    tinted = _over(image, np.broadcast_to(_TINT, image.shape), dark)
    return _over(tinted, np.broadcast_to(_RIM, image.shape), edge), (dark > 0) | (edge > 0)


def _averaged(fine: npt.NDArray[np.uint8], image: Image) -> npt.NDArray[np.float64]:
    """Return the share, 0 to 1, of each pixel that is covered, from subpixels of 0 or 255."""
    import cv2

    size = (image.shape[1], image.shape[0])
    return np.asarray(cv2.resize(fine.astype(np.float64) / 255, size, interpolation=cv2.INTER_AREA), np.float64)


def _over(image: Image, color: npt.NDArray[np.float64], alpha: npt.NDArray[np.float64]) -> Image:
    share = alpha[..., None]
    return np.rint((1 - share) * image + share * np.clip(color, 0, 255)).astype(np.uint8)


def _skin(image: Image, points: Points) -> npt.NDArray[np.float64]:
    """Return the median color of the pixels under the landmarks, (3,)."""
    height, width = image.shape[:2]
    x, y = np.clip(np.rint(points), 0, (width - 1, height - 1)).astype(int).T
    return np.asarray(np.median(image[y, x], axis=0), np.float64)
