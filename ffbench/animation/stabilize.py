"""A clip whose head is held still: each frame is turned, moved and scaled so that the head stays where it was.

The motion of the head from the reference frame to frame t is a similarity, as a matrix M(t). Frame t is brought back by
M(t - 1), which leaves little to be estimated; a similarity is fitted to the head flow from the reference frame to that,
in the face, and put before M(t - 1). So no error adds up over the clip, and what is left in the face is its expression.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from ffbench.animation.rehearsal import Estimate
from ffbench.errors import MethodError, UsageError
from ffbench.facemesh.tracker import Box
from ffbench.flow.checks import FlowField, Mask
from ffbench.metrics.head_motion import fit_head_flow
from ffbench.protocol import Image

Matrix = npt.NDArray[np.float64]
"""(3, 3), from pixels (x, y, 1) of the reference frame to those of another."""
_LARGEST_SCALE = 4.0


@dataclass(frozen=True)
class HeldFrame:
    """A frame with the head held still.

    Attributes:
        image: (H, W, 3) RGB, black where the frame has nothing.
        matrix: from the reference frame to the frame as it was.
        found: whether the method found a head; without one the last matrix is kept.
    """

    image: Image
    matrix: Matrix
    found: bool


def face_mask(box: Box, size: tuple[int, int]) -> Mask:
    """Return the ellipse that fills a face's box, over (H, W)."""
    y, x = np.ogrid[: size[0], : size[1]]
    center_x, center_y = box.x + (box.width - 1) / 2, box.y + (box.height - 1) / 2
    mask: Mask = ((x - center_x) / (box.width / 2)) ** 2 + ((y - center_y) / (box.height / 2)) ** 2 <= 1
    return mask


def similarity_of_flow(head: FlowField, mask: Mask) -> Matrix:
    """Return the similarity that a head flow (H, W, 2), px, fits best inside a mask (H, W); robust."""
    fitted = fit_head_flow(head, mask, "rigid").astype(np.float64)
    height, width = mask.shape
    # A similarity is linear in x and y, so its flow at three corners tells all of it.
    corners = np.array([[0, 0], [width - 1, 0], [0, height - 1]])
    moved = corners + fitted[corners[:, 1], corners[:, 0]]
    matrix = np.eye(3)
    matrix[:2] = cv2.getAffineTransform(corners.astype(np.float32), moved.astype(np.float32))
    return matrix


def hold_head_still(reference: Image, frames: Iterator[Image], estimate: Estimate, mask: Mask) -> Iterator[HeldFrame]:
    """Yield each frame with its head where it is in the reference frame.

    Args:
        reference: (H, W, 3) uint8 RGB.
        frames: in order; the first should be near the reference frame.
        estimate: gives the flows of two images, head flow among them.
        mask: (H, W), the face in the reference frame.

    Raises:
        UsageError: the method gives no head flow.
        MethodError: it failed.
    """
    matrix = np.eye(3)
    for frame in frames:
        flows = estimate(reference, _brought_back(frame, matrix))
        if flows.head is None:
            raise UsageError("the method gives no head flow, so it cannot hold a head still; use decflow or face_mesh")
        found = flows.found is None or bool(flows.found.all())
        if found:
            matrix = matrix @ similarity_of_flow(flows.head, mask)
        scale = float(np.sqrt(abs(np.linalg.det(matrix[:2, :2]))))
        if not 1 / _LARGEST_SCALE < scale < _LARGEST_SCALE:
            raise MethodError(
                f"the head flow makes the head {scale:.2g} times as large; choose a shorter part of the clip"
            )
        yield HeldFrame(_brought_back(frame, matrix), matrix.copy(), found)


def _brought_back(frame: Image, matrix: Matrix) -> Image:
    size = frame.shape[1], frame.shape[0]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    image = cv2.warpAffine(frame, matrix[:2], size, flags=flags, borderMode=cv2.BORDER_CONSTANT)
    return image.astype(np.uint8, copy=False)
