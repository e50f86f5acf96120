"""The square, turned crop of a face that the network looks at, and the way back from crop to frame."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

CROP_SIZE = 192
"""Side of the image that the network takes, in px."""
LEFT_EYE_OUTER, RIGHT_EYE_OUTER = 33, 263
_SCALE = 1.5  # a margin of 25 % on each side of the landmarks, as the network was trained with
_BLUR = 0.5


class Crop(NamedTuple):
    """A square of a frame: centre in pixels (integer = pixel centre), side in pixels, turn in radians.

    The turn is that of the face in the image: positive when its right eye is lower than its left.
    """

    x: float
    y: float
    side: float
    turn: float

    def matrix(self) -> npt.NDArray[np.float64]:
        """Return the (2, 3) matrix that takes a point of the crop, integer = pixel centre, to the frame."""
        scale = self.side / CROP_SIZE
        cosine, sine = math.cos(self.turn) * scale, math.sin(self.turn) * scale
        middle = (CROP_SIZE - 1) / 2
        return np.array(
            [
                [cosine, -sine, self.x - (cosine - sine) * middle],
                [sine, cosine, self.y - (sine + cosine) * middle],
            ]
        )

    def to_frame(self, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Take points (N, 2) of the crop, counted from its outer edge as the network does, to the frame."""
        matrix = self.matrix()
        moved: npt.NDArray[np.float64] = (points - 0.5) @ matrix[:, :2].T + matrix[:, 2]
        return moved

    def around(self, count: int, spread: float) -> list[Crop]:
        """Return `count` crops that differ from this one in place, size and turn by about the fraction `spread`."""
        return [
            Crop(
                self.x + spread * self.side * math.cos(angle),
                self.y + spread * self.side * math.sin(angle),
                self.side * (1 + spread * math.cos(2 * angle)),
                self.turn + 1.5 * spread * math.sin(3 * angle + 0.5),
            )
            for angle in (2 * math.pi * index / count for index in range(count))
        ]


def crop_of_landmarks(points: npt.NDArray[np.float64]) -> Crop:
    """Fit the crop to landmarks (468, 2) of a frame: upright along the line of the eyes, with a margin."""
    eyes = points[RIGHT_EYE_OUTER] - points[LEFT_EYE_OUTER]
    turn = math.atan2(eyes[1], eyes[0])
    axes = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    upright = points @ axes
    low, high = upright.min(axis=0), upright.max(axis=0)
    centre = axes @ ((low + high) / 2)
    return Crop(float(centre[0]), float(centre[1]), float((high - low).max() * _SCALE), turn)


def cut(image: npt.NDArray[np.uint8], crop: Crop) -> npt.NDArray[np.uint8]:
    """Cut a crop out of an image (H, W, 3) as (192, 192, 3); beyond the border the image is continued."""
    import cv2

    matrix = crop.matrix()
    # Only the crop's surroundings are filtered: frames may be far larger than the face.
    reach = crop.side * math.sqrt(0.5) + 16
    left, top = max(int(crop.x - reach), 0), max(int(crop.y - reach), 0)
    part: Any = image[top : int(crop.y + reach) + 2, left : int(crop.x + reach) + 2]
    if 0 in part.shape:
        part, left, top = image, 0, 0
    scale = crop.side / CROP_SIZE
    if scale > 1:
        # Without it pixels are skipped and the landmarks tremble as the face moves by parts of a pixel.
        part = cv2.GaussianBlur(part, (0, 0), _BLUR * math.sqrt(scale**2 - 1))
    matrix[:, 2] -= (left, top)
    cropped: Any = cv2.warpAffine(
        part,
        matrix,
        (CROP_SIZE, CROP_SIZE),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(cropped, np.uint8)
