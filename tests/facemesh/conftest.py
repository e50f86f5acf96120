"""What several tests of the face mesh look at."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from ffbench.assets import asset_path
from ffbench.facemesh.tracker import track
from tests.one_thread import one_thread

__all__ = ["one_thread"]


def frames_of(name: str) -> list[npt.NDArray[np.uint8]]:
    """Every frame of a clip, RGB."""
    import cv2

    capture = cv2.VideoCapture(str(asset_path(name)))
    frames = []
    while True:
        more, frame = capture.read()
        if not more:
            return frames  # type: ignore[return-value]
        frames.append(np.ascontiguousarray(frame[:, :, ::-1]))


@pytest.fixture(scope="package")
def single_face() -> list[npt.NDArray[np.uint8]]:
    return frames_of("clip_single_face")


@pytest.fixture(scope="package")
def still(single_face: list[npt.NDArray[np.uint8]]) -> npt.NDArray[np.float64]:
    """The points of the clip's first frame."""
    points = next(track(single_face)).points
    assert points is not None
    return points
