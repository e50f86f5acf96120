"""Corruptions: worse with each severity, the same every time, steady in time, and only where they belong."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from ffbench.corruptions import codecs, images, occluders
from ffbench.corruptions.catalog import CORRUPTIONS, SEVERITIES, corrupted_frames
from ffbench.corruptions.face_clip import FaceClip
from ffbench.corruptions.picture import corruptions_picture
from ffbench.errors import DataError, UsageError
from ffbench.typing import Image

SIZE = (91, 113)  # odd, which codecs do not like
FRAMES = 12
NAMES = list(CORRUPTIONS)
# PyAV is an extra.
EACH = pytest.mark.parametrize("name", NAMES)


def skip_without_av(name: str) -> None:
    if name in ("h264", "bit_errors"):
        pytest.importorskip("av")


def texture() -> np.ndarray:
    noise = np.random.default_rng(0).standard_normal((SIZE[0] + 30, SIZE[1] + 30, 3))
    field = np.asarray(sum(cv2.GaussianBlur(noise, (0, 0), sigma) * sigma for sigma in (0.8, 2.5, 8.0)))
    return np.asarray((130 + 28 * field / field.std()).clip(0, 255).astype(np.uint8))


def frames() -> Iterator[Image]:
    image = texture()
    for number in range(FRAMES):
        yield image[:-30, number : number + SIZE[1]]


def points() -> np.ndarray:
    """A face of 60 px in the middle, its eye corners where eyes are, that goes left with the texture."""
    found = np.random.default_rng(1).uniform((26, 20), (86, 80), (468, 2))
    found[[33, 133, 362, 263]] = [(38, 40), (48, 40), (64, 40), (74, 40)]
    found[:2] = [(26, 20), (86, 80)]
    return np.asarray(found - np.arange(FRAMES)[:, None, None] * np.array([1.0, 0.0]))


CLIP = FaceClip(frames, points(), 7)


def change(name: str, severity: int, frame: int = 5) -> float:
    clean = list(frames())[frame].astype(float)
    return float(np.abs(corrupted_frames(CLIP, name, severity, [frame])[frame].image - clean).mean())


@EACH
def test_each_severity_changes_more_than_the_last(name: str) -> None:
    skip_without_av(name)
    changes = [change(name, severity) for severity in SEVERITIES]
    if name == "bit_errors":  # which frame is hit is chance: over the clip
        clean = np.stack(list(frames())).astype(float)
        found = [corrupted_frames(CLIP, name, severity, range(FRAMES)).values() for severity in SEVERITIES]
        changes = [float(np.abs(np.stack([f.image for f in some]) - clean).mean()) for some in found]
        assert changes[0] < changes[-1]
        return
    assert changes[0] > 0.1
    assert changes == sorted(set(changes))


@EACH
def test_the_same_frames_every_time_whichever_are_wanted(name: str) -> None:
    skip_without_av(name)
    alone, together = corrupted_frames(CLIP, name, 4, [5]), corrupted_frames(CLIP, name, 4, [1, 5, 9])
    assert list(together) == [1, 5, 9]
    np.testing.assert_array_equal(alone[5].image, together[5].image)
    np.testing.assert_array_equal(alone[5].covered, together[5].covered)
    for frame in together.values():
        assert (frame.image.shape, frame.image.dtype, frame.covered.shape) == ((*SIZE, 3), np.uint8, SIZE)
        assert frame.covered.any() == (name in ("hand", "glasses"))


def test_every_clip_frame_and_corruption_has_noise_of_its_own() -> None:
    still = np.full((40, 40, 3), 128, np.uint8)
    made = [
        corrupted_frames(FaceClip(lambda: iter([still] * 4), points()[:4], seed), name, 3, [frame])[frame].image
        for seed, name, frame in ((7, "noise", 2), (8, "noise", 2), (7, "noise", 3), (7, "low_light", 2))
    ]
    errors = np.stack([(image - image.mean()).ravel() for image in made])
    assert np.abs(np.corrcoef(errors) - np.eye(4)).max() < 0.1


@pytest.mark.parametrize("name", ["exposure", "color_shift"])
def test_light_drifts_smoothly_and_comes_back(name: str) -> None:
    grey = np.full((8, 8, 3), 100, np.uint8)
    values = np.array([getattr(images, name)(grey, frame, 0.5)[0, 0] for frame in range(21)], float)
    assert np.abs(values[0] - 100).max() <= 1
    assert np.abs(values[20] - values[0]).max() <= 1
    assert 1 < np.abs(np.diff(values[:, 0])).max() < 8
    assert values[5, 0] == pytest.approx(255 * ((100 / 255) ** 2.2 * 2**0.5) ** (1 / 2.2), abs=0.5)
    assert values[15, 0] < 100 < values[5, 0]


def test_noise_is_that_of_photons() -> None:
    grey = np.full((300, 300, 3), 186, np.uint8)  # half of the light
    light = (images.noise(grey, np.random.default_rng(0), 400) / 255.0) ** 2.2
    mean = (186 / 255) ** 2.2
    assert light.mean() == pytest.approx(mean, rel=0.01)
    assert light.std() * 400 == pytest.approx(np.sqrt(400 * mean + 4), rel=0.03)


def test_a_motion_blur_is_a_path_of_its_length() -> None:
    point = np.zeros((31, 31, 3), np.uint8)
    point[15, 15] = 255
    spread = images.motion_blur(point, 0, 9.0)[..., 0]
    assert (spread.sum(axis=1) > 0).sum() == 1  # frame 0: along x
    assert (spread.sum(axis=0) > 0).sum() in (9, 10, 11)
    turned = images.motion_blur(point, 10, 9.0)[..., 0]
    np.testing.assert_allclose(turned, spread.T, atol=1)


def test_a_hand_moves_by_itself_and_glasses_with_the_head() -> None:
    image, where = next(iter(frames())), points()[0]
    middle = where.mean(axis=0)
    covers = [occluders.hand(image, where, frame, 60.0, middle, 0.5)[1] for frame in (0, 10)]
    centers = [np.argwhere(cover).mean(axis=0)[::-1] for cover in covers]
    assert 3 < np.hypot(*(centers[1] - centers[0])) < 15
    worn = [occluders.glasses(image, where + np.array([shift, 0]), 0.5)[1] for shift in (0, 4)]
    np.testing.assert_array_equal(worn[1][:, 4:], worn[0][:, :-4])
    clear, dark = (occluders.glasses(image, where, tint) for tint in (0.0, 1.0))
    assert not clear[1][40, 43]  # through a clear lens the skin is seen
    np.testing.assert_array_equal(clear[0][40, 43], image[40, 43])
    assert dark[1][40, 43]
    assert dark[0][40, 43].max() < 40
    np.testing.assert_array_equal(dark[0][~dark[1]], image[~dark[1]])


def test_a_codec_keeps_the_order_and_number_of_frames() -> None:
    pytest.importorskip("av")
    clean = [image.astype(float) for image in frames()]
    for found in (list(codecs.h264(frames(), 20)), list(codecs.bit_errors(frames(), np.random.default_rng(0), 0.0))):
        assert len(found) == FRAMES
        errors = np.array([[np.abs(a - b).mean() for b in clean] for a in found])
        assert errors.argmin(axis=1).tolist() == list(range(FRAMES))


@pytest.mark.parametrize("options", [codecs._OPTIONS, codecs._STREAMED])
def test_a_codec_gives_the_same_bits_on_every_processor(options: dict[str, str]) -> None:
    pytest.importorskip("av")
    rng = np.random.default_rng(2)
    noisy = [(image + rng.normal(0, 12, image.shape)).clip(0, 255).astype(np.uint8) for image in [*frames()] * 4]

    def is_same_without(options: dict[str, str]) -> bool:
        """Encode with the processor's instructions and without any; say whether the bits are the same."""
        without = {**options, "x264-params": f"{options.get('x264-params', 'asm=1')}:asm=0"}
        return codecs._encoded(noisy, {**options, "crf": "28"}) == codecs._encoded(noisy, {**without, "crf": "28"})

    assert is_same_without(options)
    assert not is_same_without({"preset": "medium", "threads": "1"})


def test_frames_and_faces_that_are_not_there() -> None:
    with pytest.raises(DataError, match="frame 12 is wanted"):
        corrupted_frames(CLIP, "blur", 1, [3, 12])
    lost = points()
    lost[3] = np.nan
    clip = FaceClip(frames, lost, 7)
    with pytest.raises(DataError, match="'hand' needs the face in every frame"):
        corrupted_frames(clip, "hand", 1, [3])
    assert list(corrupted_frames(clip, "hand", 1, [4])) == [4]
    assert list(corrupted_frames(clip, "blur", 1, [3])) == [3]


def test_without_pyav_one_line_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(UsageError, match=r"h264 and bit_errors need PyAV: pip install 'ffbench\[video\]'"):
        corrupted_frames(CLIP, "h264", 1, [0])


def test_the_picture_has_a_tile_for_each() -> None:
    pytest.importorskip("av")
    picture = corruptions_picture(CLIP, 5, tile=24)
    assert picture.shape[1] == 2 * len(SEVERITIES) * 28
    assert picture.shape[0] % 6 == 0
