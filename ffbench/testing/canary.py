"""A pair of images with a known motion, and what a wrong flow of it looks like."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt
import torch

from ffbench.flow.readings import READINGS, Field
from ffbench.method import Method
from ffbench.testing.checks import Outcome

HEIGHT, WIDTH = 128, 160
SHIFT = (4, -2)
"""Of the whole image in px, x to the right and y down: unequal, so that swapped axes and signs are told apart."""
_BORDER = 16
_GOOD, _EXPLAINED = 0.5, 0.4
"""A flow is right that halves the error of zero flow; a wrong one is explained by a correction that leaves less
than this of both errors."""


_RANGES: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "from 0 to 255": lambda image: 255 * image,
    "from -1 to 1": lambda image: 2 * image - 1,
}


def textured_image(height: int, width: int) -> npt.NDArray[np.float32]:
    """Return noise that is smooth at three scales, always the same: (height, width, 3) RGB in [0, 1]."""
    rng = np.random.default_rng(5)
    texture = np.zeros((height, width, 3), np.float32)
    for sigma in (1.5, 4.0, 12.0):
        noise = cv2.GaussianBlur(rng.normal(size=texture.shape).astype(np.float32), (0, 0), sigma)
        texture += noise / noise.std()
    low, high = np.percentile(texture, (1, 99))
    image: npt.NDArray[np.float32] = np.clip((texture - low) / (high - low), 0, 1).astype(np.float32)
    return image


def canary_pair() -> tuple[torch.Tensor, torch.Tensor]:
    """Make a textured image and the same image moved by `SHIFT`: (1, 3, H, W) float32 RGB in [0, 1]."""
    image = textured_image(HEIGHT, WIDTH)
    moved = np.roll(image, (SHIFT[1], SHIFT[0]), axis=(0, 1))
    first, second = (torch.from_numpy(np.ascontiguousarray(made.transpose(2, 0, 1)))[None] for made in (image, moved))
    return first, second


def try_canary(method: Method) -> tuple[Outcome, str]:
    """Compare a method's flow of the canary with the known motion; where it is wrong, say what it looks like."""
    first, second = canary_pair()
    flow = _flow(method, first, second)
    zero, error = _error(np.zeros_like(flow)), _error(flow)
    told = f"a shift of ({SHIFT[0]}, {SHIFT[1]}) px: error {error:.2f} px, of zero flow {zero:.2f}"
    if error < _GOOD * zero:
        return "ok", told
    for reading in READINGS:
        corrected = _error(reading.correct(flow))
        if corrected < _EXPLAINED * min(error, zero):
            return "wrong", f"{told}; it looks as if {reading.looks_like}: {corrected:.2f} px after {reading.undoing}"
    for what, change in _RANGES.items():
        corrected = _error(_flow(method, change(first), change(second)))
        if corrected < _EXPLAINED * min(error, zero):
            return "wrong", f"{told}; it looks as if the network wants images {what}: {corrected:.2f} px with these"
    return "note", f"{told}; no better than zero flow (random weights, or trained on quite other images?)"


def _flow(method: Method, first: torch.Tensor, second: torch.Tensor) -> Field:
    flow = method.estimate(first, second).facial
    return np.ascontiguousarray(flow[0].permute(1, 2, 0).cpu().float().numpy())


def _error(flow: Field) -> float:
    inside = flow[_BORDER:-_BORDER, _BORDER:-_BORDER]
    return float(np.linalg.norm(inside - np.array(SHIFT, np.float32), axis=-1).mean())
