"""A textured head that turns, moves and grows is held still, and no error adds up."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ffbench.animation.stabilize import face_mask, hold_head_still, similarity_of_flow
from ffbench.errors import MethodError, UsageError
from ffbench.facemesh.tracker import Box
from ffbench.flows import Flows, NumpyFlows

HEIGHT, WIDTH = 120, 160
BOX = Box(50, 30, 60, 60)
DIS = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
DIS.setFinestScale(0)


def texture(seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=(HEIGHT, WIDTH, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2) * 6 + cv2.GaussianBlur(noise, (0, 0), 6) * 14
    return np.clip(128 + 50 * smooth, 0, 255).astype(np.uint8)


def similarity(degrees: float, scale: float, x: float, y: float) -> np.ndarray:
    matrix = np.eye(3)
    matrix[:2] = cv2.getRotationMatrix2D((80, 60), degrees, scale)
    matrix[:2, 2] += (x, y)
    return matrix


def estimate(image1: np.ndarray, image2: np.ndarray) -> NumpyFlows:
    gray = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in (image1, image2)]
    flow = DIS.calc(*gray, None)
    return Flows(flow, flow)


def test_the_similarity_of_an_exact_flow() -> None:
    matrix = similarity(7, 1.1, 3, -2)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    places = np.stack([x, y, np.ones_like(x)], axis=-1) @ matrix.T
    flow = (places[..., :2] - np.stack([x, y], axis=-1)).astype(np.float32)
    flow[:20] = 99  # outside of the face nothing counts
    found = similarity_of_flow(flow, face_mask(BOX, (HEIGHT, WIDTH)))
    np.testing.assert_allclose(found, matrix, atol=2e-3)


def test_the_face_is_an_ellipse_in_its_box() -> None:
    mask = face_mask(BOX, (HEIGHT, WIDTH))
    rows, columns = np.nonzero(mask)
    assert (rows.min(), rows.max()) == (BOX.y, BOX.y + BOX.height - 1)
    assert (columns.min(), columns.max()) == (BOX.x, BOX.x + BOX.width - 1)
    assert mask.mean() == pytest.approx(np.pi / 4 * BOX.width * BOX.height / mask.size, rel=0.02)


def test_a_moving_head_is_held_still() -> None:
    reference = texture(0)
    truth = [similarity(1.5 * number, 1 + 0.01 * number, 2.5 * number, -1.5 * number) for number in range(9)]
    frames = [cv2.warpAffine(reference, matrix[:2], (WIDTH, HEIGHT)) for matrix in truth]
    mask = face_mask(BOX, (HEIGHT, WIDTH))
    held = list(hold_head_still(reference, iter(frames), estimate, mask))
    corners = np.array([[50, 30, 1], [110, 30, 1], [50, 90, 1], [110, 90, 1]], float)
    for matrix, frame in zip(truth, held, strict=True):
        assert np.abs((corners @ (frame.matrix - matrix).T)[:, :2]).max() < 0.3
        assert np.abs(frame.image[mask].astype(int) - reference[mask]).mean() < 6
    # The control: unheld, the last frame is another picture.
    assert np.abs(frames[-1][mask].astype(int) - reference[mask]).mean() > 20


def test_without_a_head_the_last_place_is_kept() -> None:
    frames = [texture(0)] * 3
    found = iter([True, False, True])

    def sometimes(image1: np.ndarray, image2: np.ndarray) -> NumpyFlows:
        flow = np.full((HEIGHT, WIDTH, 2), (2, 1), np.float32)
        return Flows(flow, flow, found=np.array([next(found)]))

    held = list(hold_head_still(frames[0], iter(frames), sometimes, face_mask(BOX, (HEIGHT, WIDTH))))
    assert [frame.found for frame in held] == [True, False, True]
    np.testing.assert_allclose([frame.matrix[:2, 2] for frame in held], [(2, 1), (2, 1), (4, 2)], atol=1e-3)


def test_methods_that_cannot_do_it_are_refused() -> None:
    frames, mask = [texture(0)], face_mask(BOX, (HEIGHT, WIDTH))
    flow = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    with pytest.raises(UsageError, match="no head flow"):
        next(hold_head_still(frames[0], iter(frames), lambda a, b: Flows(flow), mask))
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    grown = np.dstack([x, y]) * 6
    with pytest.raises(MethodError, match="7 times as large"):
        next(hold_head_still(frames[0], iter(frames), lambda a, b: Flows(grown, grown), mask))
