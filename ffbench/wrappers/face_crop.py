"""Any method, run on the face alone at a size of one's choice: `--face-size N`.

Networks that were trained on large images see little of a small face. The face is found in both images, cut out of
both by one box, scaled so that the longer side of the box is N px, and the flow of that is scaled and put back.
Outside of the box stands the method's flow of the whole image, which takes a second run: a face mask may reach beyond
the box (hair, ears, neck), and zero there would be an error of the wrapper's, not of the method's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

from ffbench.facemesh.tracker import Box, detect_face
from ffbench.flow.confidence import confidence_of, expected_error
from ffbench.method import Flows, Method
from ffbench.typing import Image

from .base import Options, Wrapper

MARGIN = 0.25
"""Added on each side of the face, in widths of its box."""


class Region(NamedTuple):
    """A part of an image in pixels: rows `top` to `bottom`, columns `left` to `right`, ends left out."""

    top: int
    bottom: int
    left: int
    right: int

    def of(self, images: torch.Tensor) -> torch.Tensor:
        """Return the part of images or flows (..., H, W)."""
        return images[..., self.top : self.bottom, self.left : self.right]


class FaceCropped(Wrapper):
    """A method that is run on the face, scaled to `size` px, and on the whole image for what lies around it.

    Where no face is found in either image, the flow is that of the whole image, and `Flows.found` says so.
    """

    def __init__(self, wrapped: Method, size: int) -> None:
        options: Options = {"face_size": size, "face_margin": MARGIN, "opencv": cv2.__version__}
        super().__init__(wrapped, f"face{size}", f"face at {size} px", options)
        self._size = size

    def forward(self, image1: torch.Tensor, image2: torch.Tensor) -> Flows[torch.Tensor]:
        """Estimate the flow of a batch; faces are of many sizes, so they go through the method one by one."""
        regions = [face_region(*images) for images in zip(_arrays(image1), _arrays(image2), strict=True)]
        flows = self.wrapped.estimate(image1, image2)
        facial = flows.facial.clone()
        head = None if flows.head is None else flows.head.clone()
        confidence = None if flows.confidence is None else flows.confidence.clone()
        found = np.ones(len(image1), np.bool_) if flows.found is None else flows.found.copy()
        for index, region in enumerate(regions):
            if region is None:
                found[index] = False
                continue
            pair = slice(index, index + 1)
            face = self._flows_of_face(region.of(image1[pair]), region.of(image2[pair]))
            region.of(facial[pair]).copy_(face.facial)
            if head is not None and face.head is not None:
                region.of(head[pair]).copy_(face.head)
            if confidence is not None and face.confidence is not None:
                region.of(confidence[pair]).copy_(face.confidence)
            # The face was there to be found: what the method found of it counts, and not of the whole image.
            found[index] = face.found is None or bool(face.found[0])
        return Flows(facial, head, found=found, confidence=confidence)

    def _flows_of_face(self, face1: torch.Tensor, face2: torch.Tensor) -> Flows[torch.Tensor]:
        """Estimate the flows of two (1, 3, h, w) images at the size wanted, in pixels of these images."""
        height, width = face1.shape[2:]
        factor = self._size / max(height, width)
        size = (max(round(height * factor), 1), max(round(width * factor), 1))
        flows = self.wrapped.estimate(_resized(face1, size).clamp(0, 1), _resized(face2, size).clamp(0, 1))
        unit = face1.new_tensor([width / size[1], height / size[0]]).view(1, 2, 1, 1)
        facial = _resized(flows.facial.float(), (height, width)) * unit
        head = None if flows.head is None else _resized(flows.head.float(), (height, width)) * unit
        return replace(flows, facial=facial, head=head, confidence=_rescaled(flows.confidence, (height, width), size))


def face_region(image1: Image, image2: Image) -> Region | None:
    """Return the part of two (H, W, 3) uint8 images around their largest face; None where neither has one.

    The box holds the face of both, with a margin, and is square where the image has room for it. Where the two lie
    apart they are not one face, and that of `image1` counts.
    """
    boxes = [box for box in (detect_face(image1), detect_face(image2)) if box is not None]
    if not boxes:
        return None
    if not _overlap(boxes[0], boxes[-1]):
        boxes = boxes[:1]
    left, top = min(box.x for box in boxes), min(box.y for box in boxes)
    right, bottom = max(box.x + box.width for box in boxes), max(box.y + box.height for box in boxes)
    side = max(right - left, bottom - top) + 2 * MARGIN * max(box.width for box in boxes)
    height, width = image1.shape[:2]
    rows, columns = _span((top + bottom) / 2, side, height), _span((left + right) / 2, side, width)
    return Region(*rows, *columns)


def _overlap(a: Box, b: Box) -> bool:
    """Whether the middle of each box lies in the other."""
    apart = abs(a.x + a.width / 2 - b.x - b.width / 2), abs(a.y + a.height / 2 - b.y - b.height / 2)
    return max(apart) < min(a.width, b.width) / 2


def _span(center: float, side: float, length: int) -> tuple[int, int]:
    return max(round(center - side / 2), 0), min(round(center + side / 2), length)


def _rescaled(confidence: torch.Tensor | None, size: tuple[int, int], scaled: tuple[int, int]) -> torch.Tensor | None:
    """Return a confidence at `size` of one at the size `scaled`: the error that is expected changes its unit too."""
    if confidence is None:
        return None
    # The two sides are scaled alike but for rounding to whole pixels.
    unit = (size[0] / scaled[0] * size[1] / scaled[1]) ** 0.5
    return confidence_of(unit * expected_error(_resized(confidence.float(), size).clamp(0, 1)))


def _resized(images: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    resized: torch.Tensor = F.interpolate(images, size, mode="bilinear", align_corners=False, antialias=True)
    return resized


def _arrays(images: torch.Tensor) -> list[npt.NDArray[np.uint8]]:
    return list(images.mul(255).round_().clamp_(0, 255).byte().permute(0, 2, 3, 1).contiguous().cpu().numpy())
