"""Tracking on real clips, and on a real frame moved by a known transform."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
import torch

from ffbench.errors import DataError
from ffbench.facemesh.tracker import FaceTrack, detect_face, track
from tests.facemesh.conftest import frames_of

Frames = list[npt.NDArray[np.uint8]]
NOISE = np.random.default_rng(0).integers(0, 256, (360, 640, 3), np.uint8)


def points_of(found: FaceTrack) -> npt.NDArray[np.float64]:
    assert found.points is not None
    return found.points


def moved(
    image: npt.NDArray[np.uint8], degrees: float, scale: float, shift: tuple[float, float]
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float64]]:
    """The image turned and scaled about its middle, then shifted; and the (2, 3) matrix."""
    import cv2

    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2 - 0.5, height / 2 - 0.5), degrees, scale)
    matrix[:, 2] += shift
    warped = cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return warped, matrix  # type: ignore[return-value]


@pytest.mark.assets
def test_the_box_is_around_the_face(single_face: Frames, still: npt.NDArray[np.float64]) -> None:
    box = detect_face(single_face[0])
    assert box is not None
    x, y = still.mean(axis=0)
    assert box.x < x < box.x + box.width
    assert box.y < y < box.y + box.height
    assert 0.7 < box.width / np.ptp(still[:, 0]) < 1.4


@pytest.mark.parametrize("image", [NOISE, np.zeros((360, 640, 3), np.uint8), np.zeros((3, 5, 3), np.uint8)])
def test_no_box_where_there_is_no_face(image: npt.NDArray[np.uint8]) -> None:
    assert detect_face(image) is None


@pytest.mark.assets
def test_a_known_motion_of_a_real_face_is_measured_to_a_fifth_of_a_pixel(single_face: Frames) -> None:
    frames, matrices = [], []
    for time in range(10):
        shift = (12 * math.sin(time / 3), 8 * math.cos(time / 4))
        frame, matrix = moved(single_face[0], 6 * math.sin(time / 3.5), 1 + 0.04 * math.sin(time / 2.5), shift)
        frames.append(frame)
        matrices.append(np.vstack([matrix, [0, 0, 1]]))
    found = [points_of(one) for one in track(frames)]
    errors = []
    for time in range(1, 10):
        matrix = matrices[time] @ np.linalg.inv(matrices[0])
        expected = found[0] @ matrix[:2, :2].T + matrix[:2, 2]
        errors.append(np.linalg.norm(found[time] - expected, axis=1).mean())
    moved_by = np.linalg.norm(found[5] - found[0], axis=1).mean()
    assert moved_by > 5
    assert max(errors) < 0.25
    assert np.mean(errors) < 0.2


@pytest.mark.assets
def test_a_turning_face_is_followed_beyond_what_the_detector_finds(
    single_face: Frames, still: npt.NDArray[np.float64]
) -> None:
    frames, matrices = zip(*(moved(single_face[0], degrees, 0.6, (0, 0)) for degrees in range(0, 91, 15)), strict=True)
    assert detect_face(frames[-1]) is None
    last = points_of(list(track(frames))[-1])
    expected = still @ matrices[-1][:, :2].T + matrices[-1][:, 2]
    assert np.linalg.norm(last - expected, axis=1).mean() < 1.5


@pytest.mark.assets
def test_a_face_that_leaves_is_lost_and_found_again(single_face: Frames) -> None:
    face, black = single_face[0], np.zeros_like(single_face[0])
    frames = [black, face, NOISE, black, moved(face, 0, 1, (150, 30))[0], face]
    found = list(track(frames))
    assert [one.points is not None for one in found] == [False, True, False, False, True, True]
    assert all(one.score > 0.9 for one in found if one.points is not None)
    assert all(one.score < 0.5 for one in found if one.points is None)
    step = points_of(found[4]).mean(axis=0) - points_of(found[1]).mean(axis=0)
    np.testing.assert_allclose(step, (150, 30), atol=1)


@pytest.mark.assets
@pytest.mark.parametrize(
    ("clip", "last_with", "first_with"), [("clip_face_noface", 71, 0), ("clip_noface_face", 167, 96)]
)
def test_real_cuts_are_noticed(clip: str, last_with: int, first_with: int) -> None:
    frames = frames_of(clip)
    assert len(frames) == 169
    chosen = [i for i in range(169) if min(abs(i - last_with), abs(i - first_with)) <= 1 or i % 40 == 0]
    found = track([frames[i] for i in chosen])
    assert [one.points is not None for one in found] == [first_with <= i <= last_with for i in chosen]


@pytest.mark.assets
def test_a_face_cut_off_by_the_border_is_still_tracked(single_face: Frames, still: npt.NDArray[np.float64]) -> None:
    bottom = int(still[17, 1])  # the lower lip: the chin is outside
    found = points_of(list(track([single_face[0], single_face[0][:bottom]]))[1])
    assert np.isfinite(found).all()
    assert found[:, 1].max() > bottom
    upper = still[:, 1] < bottom - 40
    assert np.linalg.norm(found - still, axis=1)[upper].mean() < 6


@pytest.mark.assets
def test_landmarks_do_not_depend_on_the_number_of_threads(single_face: Frames) -> None:
    """With two threads the network's own sums differ in their last bits, and landmarks by up to 0.02 px."""
    before = torch.get_num_threads()
    found = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found.append(np.stack([points_of(face) for face in track(single_face[:3])]))
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert np.array_equal(*found)


@pytest.mark.assets
def test_frames_are_read_one_at_a_time(single_face: Frames) -> None:
    def endless() -> object:
        yield single_face[0]
        raise AssertionError("the second frame was asked for")

    assert next(track(endless())).points is not None  # type: ignore[arg-type]


@pytest.mark.parametrize("frame", [np.zeros((40, 40), np.uint8), np.zeros((40, 40, 3)), np.zeros((0, 40, 3), np.uint8)])
def test_what_is_no_frame_is_refused(frame: npt.NDArray[np.uint8]) -> None:
    with pytest.raises(DataError, match="uint8 RGB"):
        detect_face(frame)
    with pytest.raises(DataError, match="uint8 RGB"):
        list(track([frame], network=object()))  # type: ignore[arg-type]
