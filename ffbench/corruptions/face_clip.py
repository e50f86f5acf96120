"""A clip whose face has been tracked: what a corruption needs to know."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from ffbench.typing import Image, Points


@dataclass(frozen=True)
class FaceClip:
    """Frames of one size and the face mesh in them.

    Attributes:
        frames: gives all frames in order, (H, W, 3) uint8 RGB.
        points: (frames, 468, 2) x and y in px, NaN in frames without a face; one frame at least has one.
        seed: what random numbers follow from, such as a part of a hash of the clip.
    """

    frames: Callable[[], Iterator[Image]]
    points: Points
    seed: int

    @property
    def face_width(self) -> float:
        """Width of the face in px: the median over frames of how far the landmarks reach in x."""
        seen = self.points[np.isfinite(self.points).all(axis=(1, 2))]
        return float(np.median(np.ptp(seen[..., 0], axis=1)))

    def rng(self, corruption: int, frame: int) -> np.random.Generator:
        """Return the random numbers of a frame under a corruption, which is given by its number."""
        return np.random.default_rng([self.seed, corruption, frame])
