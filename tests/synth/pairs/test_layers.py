from __future__ import annotations

import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from ffbench.assets import asset_path
from ffbench.errors import DataError
from ffbench.flow.warp import warp_backward
from ffbench.reanimation.photographs.sources import TEST_FACES
from ffbench.synth.pairs.layers import LONGEST_SIDE, Photo, collage, layered_pair, load_photos


@pytest.fixture(scope="module")
def photos() -> list[Photo]:
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (3, 20, 30, 3), dtype=np.uint8)
    return [np.asarray(cv2.resize(image, (300, 200), interpolation=cv2.INTER_CUBIC), np.uint8) for image in small]


def test_a_pair_follows_from_its_seed(photos: list[Photo]) -> None:
    first, again, other = (layered_pair(np.random.default_rng(seed), 64, 96, photos) for seed in (1, 1, 2))
    assert np.array_equal(first.image1, again.image1)
    assert np.array_equal(first.flow, again.flow)
    assert not np.array_equal(first.image1, other.image1)
    assert first.image1.shape == first.image2.shape == (64, 96, 3)
    assert first.image1.dtype == np.uint8
    assert first.flow.shape == (64, 96, 2)
    assert first.flow.dtype == np.float32


def test_the_flow_takes_image_2_back_to_image_1(photos: list[Photo]) -> None:
    """Half of the pixels of a pair agree within noise and resampling; edges, and what is hidden, may not."""
    medians, unmoved = [], []
    for seed in range(20):
        pair = layered_pair(np.random.default_rng(seed), 96, 128, photos)
        warped, valid = warp_backward(pair.image2, pair.flow)
        difference = np.abs(warped - pair.image1).mean(axis=2)[valid]
        medians.append(np.median(difference))
        unmoved.append(np.median(np.abs(pair.image2.astype(float) - pair.image1).mean(axis=2)))
    assert np.mean(medians) < 4
    assert np.mean(medians) < 0.5 * np.mean(unmoved)


def test_still_and_fast_pairs_come_up(photos: list[Photo]) -> None:
    lengths = [
        np.linalg.norm(layered_pair(np.random.default_rng(seed), 96, 96, photos).flow, axis=2) for seed in range(40)
    ]
    assert min(length.mean() for length in lengths) < 0.3
    assert max(length.max() for length in lengths) > 10


def test_without_photographs_there_is_noise() -> None:
    pair = layered_pair(np.random.default_rng(3), 64, 64, [])
    assert pair.image1.std() > 0


def test_photographs_of_a_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder"):
        load_photos(tmp_path / "none")
    with pytest.raises(DataError, match="no images"):
        load_photos(tmp_path)
    cv2.imwrite(str(tmp_path / "wide.png"), np.zeros((100, 2000, 3), np.uint8))
    (photo,) = load_photos(tmp_path)
    assert photo.shape == (32, LONGEST_SIDE, 3)
    (tmp_path / "broken.jpg").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"broken\.jpg"):
        load_photos(tmp_path)


def test_a_collage_follows_from_its_seed_and_is_cluttered(photos: list[Photo]) -> None:
    first, again, other = (collage(np.random.default_rng(seed), 64, 96, photos) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert first.shape == (64, 96, 3)
    assert first.dtype == np.float32
    assert first.min() >= 0
    spread = [collage(np.random.default_rng(seed), 64, 96, photos).std() for seed in range(20)]
    assert np.mean(spread) > 0.1


@pytest.mark.assets
def test_no_network_is_trained_on_the_face_that_is_tested_on() -> None:
    with zipfile.ZipFile(asset_path("photos")) as packed:
        face = cv2.imdecode(np.frombuffer(packed.read("astronaut.png"), np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert ("astronaut", "photos", "astronaut.png") in TEST_FACES
    assert face.shape == (512, 512, 3)
    assert not any(photo.shape == face.shape and np.array_equal(photo, face) for photo in load_photos())


@pytest.mark.assets
def test_photographs_of_the_package() -> None:
    photos = load_photos()
    assert len(photos) == 14
    assert all(max(photo.shape[:2]) <= LONGEST_SIDE and photo.std() > 5 for photo in photos)
