from __future__ import annotations

import io
import zipfile

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from ffbench.assets import asset_path
from ffbench.errors import DataError
from ffbench.facemesh.groups import IBUG68
from ffbench.facemesh.tracker import find_faces
from ffbench.synth.appearance.chart import chart
from ffbench.synth.appearance.photo import to_linear
from ffbench.synth.heads.head import Pose
from ffbench.synth.heads.makehuman import MakeHumanHead
from ffbench.texturing import extract as module
from ffbench.texturing.areas import eyes_and_brows, face_area, face_oval, plain_skin
from ffbench.texturing.extract import Extracted, extract
from ffbench.texturing.fit import fit_head
from ffbench.texturing.foreign import foreign
from ffbench.texturing.light import skin_tone
from ffbench.texturing.surface_points import surface_points
from tests.texturing.round_trip import SIZE, Portrait, compare, portrait

pytestmark = pytest.mark.assets
Photo = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def astronaut() -> Photo:
    """The one real portrait of the asset `photos`, 512 x 512; the face is 94 px wide, under a fringe."""
    with zipfile.ZipFile(asset_path("photos")) as packed:
        return np.asarray(Image.open(io.BytesIO(packed.read("astronaut.png"))).convert("RGB"))


@pytest.fixture(scope="module")
def found(head: MakeHumanHead, known: Portrait) -> Extracted:
    return extract(head, known.frame.image, SIZE)


def test_what_was_rendered_is_found_again(head: MakeHumanHead, known: Portrait, found: Extracted) -> None:
    assert found.texture.shape == (SIZE, SIZE, 3)
    assert found.faces == 1
    assert found.coverage > 0.6
    likeness = compare(head, known, found)
    assert likeness.placed < 0.02 * likeness.width
    # 4.5 of 255 and 31.5 dB were measured; the photograph as it was has 10.6, one color 5.9 and 25.7 dB.
    assert likeness.even[0] < 6
    assert likeness.even[1] > 30
    assert likeness.even[0] < 0.6 * likeness.uneven[0]


@pytest.mark.slow
def test_the_figure_of_the_documentation(head: MakeHumanHead) -> None:
    """Four of its people: dark and light skin, beard, lipstick, colored lamps."""
    rows = [(one, extract(head, one.frame.image, SIZE)) for one in (portrait(head, seed) for seed in range(1, 5))]
    likeness = [compare(head, known, texture) for known, texture in rows]
    assert np.mean([one.even[0] for one in likeness]) < 7
    assert np.mean([one.even[1] for one in likeness]) > 28
    assert np.mean([one.uneven[0] for one in likeness]) > 12
    assert max(one.placed / one.width for one in likeness) < 0.03


def test_the_same_photograph_makes_the_same_texture(head: MakeHumanHead, known: Portrait, found: Extracted) -> None:
    assert np.array_equal(extract(head, known.frame.image, SIZE).texture, found.texture)


def test_the_sheet_is_whole_and_of_one_tone(head: MakeHumanHead, found: Extracted) -> None:
    """What was filled has the face's tone: no background, no step at the border."""
    linear = to_linear(found.texture)
    tone = skin_tone(linear, face_area(head, SIZE) * plain_skin(head, SIZE))
    elsewhere = np.log(np.maximum(linear[~face_oval(head, SIZE)], 1e-3) / tone)
    assert np.abs(np.median(elsewhere, axis=0)).max() < 0.25
    assert np.quantile(np.abs(elsewhere), 0.99) < 0.7


def test_a_real_portrait_has_no_hair_in_its_skin(head: MakeHumanHead, astronaut: Photo) -> None:
    """A fringe hangs down to the brows: nothing as dark as it is left around brows and eyes."""
    made = extract(head, astronaut, 512)
    assert made.faces == 1
    assert made.coverage > 0.45
    assert made.residual < 0.02 * made.face_width
    linear = to_linear(made.texture)
    tone = skin_tone(linear, made.weight * plain_skin(head, 512))
    above = face_oval(head, 512) & ~eyes_and_brows(head, 512)
    above[int(chart(head).points[27, 1] * 512) :] = False
    assert above.sum() > 2000
    darkness = linear[above].mean(axis=1) / tone.mean()
    assert darkness.min() > 0.45
    # As it was seen there is hair, a tenth as bright as the skin.
    assert (made.as_seen[above].mean(axis=1) / tone.mean()).min() < 0.15


def test_hair_comes_in_over_the_border_and_spots_do_not(head: MakeHumanHead) -> None:
    size = 256
    weight = face_area(head, size)
    color = np.full((size, size, 3), (0.5, 0.35, 0.25), np.float32)
    points = chart(head).points * size
    middle = size // 2
    top = int(np.flatnonzero(face_oval(head, size)[:, middle])[0])
    color[: top + 6, middle - 12 : middle + 12] = 0.03  # a fringe
    spot = (slice(int(points[30, 1]) - 3, int(points[30, 1]) + 1), slice(middle - 20, middle - 16))
    color[spot] = 0.03
    beard = int(points[57, 1])
    color[beard:] = 0.03
    share = foreign(head, color, weight)
    assert share[top : top + 6, middle - 8 : middle + 8].min() > 0.95
    assert share[spot].max() < 0.05
    assert share[beard + 4 :].max() == 0
    assert share[int(points[28, 1]), middle] == 0
    assert foreign(head, np.full_like(color, 0.3), weight).max() == 0


def test_the_fit_finds_the_head_that_was_projected(head: MakeHumanHead) -> None:
    """Points of another identity, turned and smiling, 300 px wide: they are met to half a pixel."""
    rng = np.random.default_rng(3)
    shape = head.shape(head.sample_identity(rng))
    vertices = head.pose(shape, head.expression({"mouthSmileLeft": 0.5, "mouthSmileRight": 0.4}), Pose())
    points = surface_points(head)
    turn = np.deg2rad(14)
    rotation = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]])
    middle = points.of(vertices).mean(axis=0)
    seen = (vertices - middle) @ rotation.T * [1, -1, -1] + [0.5, -0.3, 9.0]
    xy = 1800 * seen[:, :2] / seen[:, 2:] + [399.5, 299.5]
    fit = fit_head(head, points.of(xy), 600, 800)
    assert fit.residual < 0.01 * fit.width
    face = surface_points(head).corners.ravel()
    np.testing.assert_allclose(np.median(np.linalg.norm((fit.xy - xy)[face], axis=1)), 0, atol=0.5)


def test_upright_or_tilted_the_texture_is_the_same(head: MakeHumanHead, known: Portrait, found: Extracted) -> None:
    import cv2

    image = known.frame.image
    matrix = cv2.getRotationMatrix2D((255.5, 255.5), 12, 0.9)
    tilted = cv2.warpAffine(image, matrix, (512, 512), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    again = extract(head, np.asarray(tilted, np.uint8), SIZE)
    both = (again.weight > 0.5) & (found.weight > 0.5)
    assert both.sum() > 0.9 * (found.weight > 0.5).sum()
    assert np.abs(again.texture[both].astype(int) - found.texture[both]).mean() < 5


def test_the_largest_of_several_faces_is_taken(head: MakeHumanHead, known: Portrait) -> None:
    image = known.frame.image
    half = np.asarray(Image.fromarray(image).resize((256, 256), Image.Resampling.BOX))
    both = np.zeros((512, 800, 3), np.uint8)
    both[:, 288:] = image
    both[128:384, 16:272] = half
    faces = find_faces(both)
    assert len(faces) == 2
    assert np.ptp(faces[0][:, 0]) > 1.5 * np.ptp(faces[1][:, 0])
    made = extract(head, both, 256)
    assert made.faces == 2
    assert abs(made.center[0] - 288 - known.frame.landmarks[:, 0].mean()) < 30


@pytest.mark.parametrize("value", [0, 128, 255])
def test_no_face(head: MakeHumanHead, value: int) -> None:
    with pytest.raises(DataError, match="no face was found; expected a portrait"):
        extract(head, np.full((300, 200, 3), value, np.uint8), 256)


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (20, 20)])
def test_an_image_too_small_for_a_face(head: MakeHumanHead, shape: tuple[int, int]) -> None:
    with pytest.raises(DataError, match="no face was found"):
        extract(head, np.zeros((*shape, 3), np.uint8), 256)


def test_a_face_too_small_for_a_texture(head: MakeHumanHead, known: Portrait) -> None:
    small = Image.fromarray(known.frame.image).resize((160, 160), Image.Resampling.BOX)
    with pytest.raises(DataError, match=r"the face is \d\d px wide; expected at least 64 px"):
        extract(head, np.asarray(small), 256)


def test_a_face_that_is_cut_off(head: MakeHumanHead, known: Portrait, monkeypatch: pytest.MonkeyPatch) -> None:
    """The network still guesses where the rest would be."""
    whole = find_faces(known.frame.image)[0]
    left = int(known.frame.landmarks[list(range(36, 42)), 0].mean()) - 10
    monkeypatch.setattr(module, "find_faces", lambda photo, network: [whole])
    with pytest.raises(DataError, match=r"\d+ % of the face is seen; expected at least 25 %"):
        extract(head, known.frame.image[:, :left], 256)


def test_points_that_are_no_face(head: MakeHumanHead, known: Portrait, monkeypatch: pytest.MonkeyPatch) -> None:
    points = find_faces(known.frame.image)[0]
    shaken = points + np.random.default_rng(0).normal(0, 0.12 * np.ptp(points[:, 0]), points.shape)
    monkeypatch.setattr(module, "find_faces", lambda photo, network: [shaken])
    with pytest.raises(DataError, match="the head fits the face with a residual of"):
        extract(head, known.frame.image, 256)


def test_a_huge_photograph_is_shrunk_and_measured_in_its_own_pixels(
    head: MakeHumanHead, known: Portrait, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONGEST_SIDE", 256)
    made = extract(head, known.frame.image, 256)
    at_full_size = find_faces(known.frame.image)[0]
    assert made.face_width == pytest.approx(np.ptp(at_full_size[:, 0]), rel=0.05)
    np.testing.assert_allclose(made.center, at_full_size[list(IBUG68)].mean(axis=0), atol=60)
