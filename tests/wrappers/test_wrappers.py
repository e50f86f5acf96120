"""Wrappers: what they do to a flow, to a card, and what they leave alone."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from ffbench import evaluate, load_method
from ffbench.errors import UsageError
from ffbench.evaluation.fingerprint import run_fingerprint
from ffbench.facemesh.tracker import Box, detect_face
from ffbench.flow.refinement import variational_refinement
from ffbench.method import Flows, Method, MethodCard
from ffbench.wrappers import face_crop
from ffbench.wrappers.face_crop import FaceCropped, Region, face_region
from ffbench.wrappers.variational import ALPHA, ITERATIONS, VariationallyRefined
from tests.toys import Stripes

SIZE = (60, 80)
BOX = Box(x=20, y=16, width=24, height=24)
FACE = Region(top=10, bottom=46, left=14, right=50)  # the box and 6 px on each side


class Steady(Method):
    """Everything moves by a part of the image's size, the head by half of that; remembers the sizes that it saw."""

    def __init__(self, *, decomposes: bool = True, found: bool | None = None, error: float | None = None) -> None:
        self.card = MethodCard(id="steady", title="Steady", decomposes=decomposes)
        self.network = torch.nn.Conv2d(1, 1, 1)
        self.found, self.error = found, error
        self.seen: list[tuple[int, ...]] = []

    def forward(self, image1: torch.Tensor, image2: torch.Tensor) -> Flows[torch.Tensor]:
        batch, _, height, width = image1.shape
        self.seen.append(tuple(image1.shape))
        facial = torch.tensor([0.1 * width, -0.05 * height]).view(1, 2, 1, 1).expand(batch, 2, height, width)
        found = None if self.found is None else np.full(batch, self.found)
        confidence = None if self.error is None else torch.full((batch, 1, height, width), 1 / (1 + self.error))
        return Flows(facial, facial / 2 if self.card.decomposes else None, found=found, confidence=confidence)


@pytest.fixture
def face(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(face_crop, "detect_face", lambda image: BOX)


def images(batch: int = 1, size: tuple[int, int] = SIZE) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    first, second = torch.rand((2, batch, 3, *size), generator=generator)
    return first, second


def shifted(dx: int, dy: int) -> tuple[np.ndarray, np.ndarray]:
    """A smooth texture in grey, and the same moved to the right by dx px and down by dy."""
    rng = np.random.default_rng(0)
    field = cv2.GaussianBlur(rng.standard_normal((SIZE[0] + 20, SIZE[1] + 20)), (0, 0), 1.5)
    texture = (128 + 50 * field / field.std()).clip(0, 255).astype(np.uint8)
    first, second = (texture[10 - y : SIZE[0] + 10 - y, 10 - x : SIZE[1] + 10 - x] for x, y in ((0, 0), (dx, dy)))
    return np.repeat(first[..., None], 3, axis=2), np.repeat(second[..., None], 3, axis=2)


@pytest.mark.usefixtures("face")
@pytest.mark.parametrize("size", [18, 72, 100])
def test_the_flow_of_the_face_is_scaled_back_and_the_rest_is_that_of_the_whole_image(size: int) -> None:
    method = Steady()
    flows = FaceCropped(method, size).estimate(*images())
    assert method.seen == [(1, 3, 60, 80), (1, 3, size, size)]
    inside = torch.zeros(SIZE, dtype=torch.bool)
    inside[FACE.top : FACE.bottom, FACE.left : FACE.right] = True
    # The method gives a tenth of the width: of the crop's 36 px inside, of the image's 80 outside.
    assert flows.facial[0, 0][inside].numpy() == pytest.approx(3.6, rel=1e-5)
    assert flows.facial[0, 1][inside].numpy() == pytest.approx(-1.8, rel=1e-5)
    assert flows.facial[0, 0][~inside].numpy() == pytest.approx(8.0, rel=1e-5)
    assert flows.head is not None
    torch.testing.assert_close(flows.head, flows.facial / 2)
    assert flows.found is not None
    assert flows.found.all()


@pytest.mark.usefixtures("face")
def test_confidence_in_the_crop_is_in_pixels_of_the_image() -> None:
    flows = FaceCropped(Steady(error=3.0), 72).estimate(*images())
    assert flows.confidence is not None
    inside = torch.zeros(SIZE, dtype=torch.bool)
    inside[FACE.top : FACE.bottom, FACE.left : FACE.right] = True
    # The crop is of 36 px, so that 3 px of it at 72 px are 1.5 px of the image.
    assert flows.confidence[0, 0][inside].numpy() == pytest.approx(1 / 2.5)
    assert flows.confidence[0, 0][~inside].numpy() == pytest.approx(1 / 4)
    assert FaceCropped(Steady(error=0.0), 72).estimate(*images()).confidence.unique().tolist() == [1.0]  # type: ignore[union-attr]
    assert FaceCropped(Steady(), 72).estimate(*images()).confidence is None


def test_a_refined_flow_has_no_confidence() -> None:
    assert VariationallyRefined(Steady(error=1.0)).estimate(*images()).confidence is None


@pytest.mark.usefixtures("face")
def test_a_method_with_one_flow_stays_one() -> None:
    assert FaceCropped(Steady(decomposes=False), 72).estimate(*images()).head is None


@pytest.mark.usefixtures("face")
@pytest.mark.parametrize("size", [36, 144])
def test_a_real_method_finds_the_same_shift_in_the_crop(size: int) -> None:
    flow = FaceCropped(load_method("farneback"), size).estimate(*shifted(2, -1)).facial
    assert np.median(flow[18:40, 20:44], axis=(0, 1)) == pytest.approx([2, -1], abs=0.05)


def test_every_pair_of_a_batch_has_its_own_face(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = images(3)
    first[1] = 0  # a dark image without a face
    boxes = {0: Box(0, 0, 20, 20), 2: Box(50, 30, 30, 30)}
    arrays = face_crop._arrays(first)

    def detect(image: np.ndarray) -> Box | None:
        return next((box for index, box in boxes.items() if np.array_equal(image, arrays[index])), None)

    monkeypatch.setattr(face_crop, "detect_face", detect)
    method = FaceCropped(Steady(), 64)
    together = method.estimate(first, second)
    assert together.found is not None
    assert together.found.tolist() == [True, False, True]
    assert together.facial[1, 0].unique().tolist() == [8.0]
    for index in range(3):
        alone = method.estimate(first[index : index + 1], second[index : index + 1])
        torch.testing.assert_close(alone.facial[0], together.facial[index])


@pytest.mark.usefixtures("face")
def test_what_the_method_itself_does_not_find_in_the_crop_is_not_found() -> None:
    found = FaceCropped(Steady(found=False), 64).estimate(*images()).found
    assert found is not None
    assert not found.any()


@pytest.mark.parametrize(
    ("first", "second", "region"),
    [
        (BOX, BOX, FACE),
        (BOX, None, FACE),
        (None, BOX, FACE),
        (None, None, None),
        # The face has moved by 4 px: one box around both.
        (BOX, Box(24, 16, 24, 24), Region(8, 48, 14, 54)),
        # Another face, somewhere else: that of image 1.
        (BOX, Box(50, 36, 20, 20), FACE),
        # At the border the box ends with the image.
        (Box(0, 40, 20, 20), Box(0, 40, 20, 20), Region(35, 60, 0, 25)),
    ],
)
def test_the_box_around_the_face(
    monkeypatch: pytest.MonkeyPatch, first: Box | None, second: Box | None, region: Region | None
) -> None:
    found = iter([first, second])
    monkeypatch.setattr(face_crop, "detect_face", lambda image: next(found))
    image = np.zeros((*SIZE, 3), np.uint8)
    assert face_region(image, image) == region


def test_pairs_without_a_face_are_counted_in_the_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(face_crop, "detect_face", lambda image: None if image.mean() > 125 else Box(2, 2, 6, 6))
    protocol = Stripes(6)
    dark = [min(pair.image1.mean(), pair.image2.mean()) <= 125 for pair in map(protocol.load, protocol.keys())]
    assert 0 < sum(dark) < 6
    record = evaluate(FaceCropped(Steady(), 64), protocol, out=tmp_path)
    assert record.not_found == 6 - sum(dark)


def test_only_the_facial_flow_is_refined() -> None:
    pair = images(2)
    plain, refined = Steady().estimate(*pair), VariationallyRefined(Steady()).estimate(*pair)
    assert plain.head is not None
    assert refined.head is not None
    assert refined.expression is not None
    torch.testing.assert_close(refined.head, plain.head)
    assert not torch.allclose(refined.facial, plain.facial)
    torch.testing.assert_close(refined.expression, refined.facial - plain.head)


def test_the_refinement_is_that_of_the_function_on_grey_images_of_the_whole_size() -> None:
    first, second = shifted(1, 0)
    refined = VariationallyRefined(load_method("zero")).estimate(first, second)
    grey = [image[..., 0] for image in (first, second)]
    zero = np.zeros((*SIZE, 2), np.float32)
    expected = variational_refinement(grey[0], grey[1], zero, alpha=ALPHA, iterations=ITERATIONS)
    np.testing.assert_array_equal(refined.facial, expected)
    assert np.median(refined.facial[10:-10, 10:-10, 0]) > 0.02


def test_a_wrapped_network_keeps_whose_weights_it_runs_with() -> None:
    method = load_method("decflow-s", refine="variational", face_size=256)
    assert method.card.weights == load_method("decflow-s").card.weights
    assert method.card.decomposes
    assert method.card.id == "decflow-s+face256+variational"


def test_parameters_inside_count_towards_the_run() -> None:
    first, second = FaceCropped(Steady(), 64), FaceCropped(Steady(), 64)
    with torch.no_grad():
        second.wrapped.network.weight += 1  # type: ignore[attr-defined]
    prints = [run_fingerprint(method, Stripes(2), 1, None) for method in (first, second)]
    assert prints[0] != prints[1]


def test_compiling_reaches_the_method_inside() -> None:
    with pytest.raises(UsageError, match="'zero' cannot be compiled"):
        load_method("zero", refine="variational", compile=True)
    with pytest.raises(UsageError, match="'zero' cannot be compiled"):
        VariationallyRefined(load_method("zero")).compile()


@pytest.mark.assets
def test_the_face_of_a_real_frame_lies_in_the_box() -> None:
    from tests.facemesh.conftest import frames_of

    frames = frames_of("clip_single_face")
    region = face_region(frames[0], frames[5])
    box = detect_face(frames[0])
    assert region is not None
    assert box is not None
    assert region.top < box.y
    assert region.bottom > box.y + box.height
    assert region.right - region.left < frames[0].shape[1]
