"""Pictures moved by a flow, as animations: what the flow says happens, with nothing taken from the second image."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image as PILImage

from ffbench.flow.checks import is_known
from ffbench.typing import FlowField, Image

STEPS = 8
_TURNS = 12  # of the fixed-point iteration; flows of faces change by far less than 1 px from pixel to pixel
_QUALITY = 82


def moved(image: Image, flow: FlowField) -> Image:
    """Move the pixels of an image along a flow, bilinearly; what the flow leaves empty repeats what is beside it.

    The position that a pixel of the result comes from is found by fixed-point iteration: p = q - flow(p). Where the
    flow folds over, one of the positions is taken.

    Args:
        image: (H, W, 3) uint8.
        flow: (H, W, 2) in px, from the image to the result; unknown flow moves nothing.
    """
    import cv2

    known = np.where(is_known(flow)[..., None], flow, 0).astype(np.float32)
    grid = _grid(known)
    source = grid - known
    for _ in range(_TURNS):
        source = grid - _sampled(known, source)
    return np.asarray(
        cv2.remap(image, source[..., 0], source[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def carried(flows: Sequence[FlowField]) -> list[FlowField]:
    """Return the flows from the first frame to each later one, from those between consecutive frames."""
    found: list[FlowField] = []
    for flow in flows:
        known = np.where(is_known(flow)[..., None], flow, 0).astype(np.float32)
        so_far = found[-1] if found else np.zeros_like(known)
        found.append(so_far + _sampled(known, _grid(known) + so_far))
    return found


def to_and_fro(image: Image, flow: FlowField, times: float = 1.0) -> list[Image]:
    """Return an image moved by growing shares of a flow, up to `times` the flow, and back again."""
    there = [moved(image, flow * np.float32(times * step / STEPS)) for step in range(STEPS + 1)]
    return [*there, *there[-2:0:-1]]


def animation(frames: Sequence[Image], milliseconds: int) -> bytes:
    """Encode frames as an animated WebP that goes on for ever."""
    first, *others = (PILImage.fromarray(frame) for frame in frames)
    content = io.BytesIO()
    first.save(
        content, "WEBP", save_all=True, append_images=others, duration=milliseconds, loop=0, quality=_QUALITY, method=2
    )
    return content.getvalue()


def _grid(flow: FlowField) -> FlowField:
    rows, columns = np.mgrid[: flow.shape[0], : flow.shape[1]].astype(np.float32)
    return np.dstack([columns, rows])


def _sampled(flow: FlowField, positions: FlowField) -> FlowField:
    import cv2

    return np.asarray(
        cv2.remap(flow, positions[..., 0], positions[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
        np.float32,
    )
