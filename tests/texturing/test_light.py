from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from ffbench.texturing.light import LARGEST, even_light, harmonics, likeness, shading, skin_tone

SIZE = 128
Image = npt.NDArray[np.float32]


@pytest.fixture(scope="module")
def ball() -> tuple[Image, Image]:
    """Normals (N, N, 3) of the near side of a ball that fills the sheet, and where it is."""
    across = np.linspace(-1, 1, SIZE)
    x, y = np.meshgrid(across, -across)
    inside = x * x + y * y < 0.9
    z = np.sqrt(np.maximum(1 - x * x - y * y, 0.05))
    return np.stack([x, y, z], axis=2).astype(np.float32), inside.astype(np.float32)


def test_harmonics_are_orthogonal_over_the_sphere() -> None:
    rng = np.random.default_rng(0)
    directions = rng.standard_normal((200_000, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    found = harmonics(directions)
    products = found.T @ found / len(found)
    assert np.abs(products - np.diag(np.diag(products))).max() < 0.01


def test_light_is_told_from_skin(ball: tuple[Image, Image]) -> None:
    """A ball of one color in colored light, with dark spots that are not light: the light comes out, spots stay."""
    normals, inside = ball
    light = 0.6 + 0.35 * normals @ np.float32([[0.6, 0.5, 0.4], [0.3, 0.3, 0.3], [0.5, 0.6, 0.7]])
    skin = np.broadcast_to(np.float32([0.5, 0.35, 0.25]), light.shape).copy()
    spots = np.zeros((SIZE, SIZE), bool)
    spots[30:36, 60:66] = spots[80:84, 40:44] = True
    skin[spots] *= 0.3
    seen = (skin * light).astype(np.float32)
    found = shading(seen, normals, inside)
    plain = (inside > 0) & ~spots
    uneven, ratio = seen[plain], (seen / found)[plain]
    assert (uneven.std(axis=0) / uneven.mean(axis=0)).min() > 0.12
    # The ridge keeps a fiftieth of the light in.
    assert (ratio.std(axis=0) / ratio.mean(axis=0)).max() < 0.02
    even = even_light(seen, normals, np.ones((SIZE, SIZE), np.float32), inside)
    np.testing.assert_allclose(even[spots].mean(axis=0) / even[plain].mean(axis=0), 0.3, rtol=0.1)


def test_light_stays_within_bounds_in_the_dark(ball: tuple[Image, Image]) -> None:
    normals, inside = ball
    seen = np.maximum(normals[..., :1], 0).repeat(3, axis=2) * inside[..., None]
    found = shading(seen.astype(np.float32), normals, inside)
    assert np.isfinite(found).all()
    assert found.min() >= 1 / LARGEST
    assert found.max() <= np.float32(LARGEST)
    black = shading(np.zeros_like(seen, np.float32), normals, inside)
    assert np.isfinite(black).all()


def test_creases_are_opened_and_glints_toned_down(ball: tuple[Image, Image]) -> None:
    normals, inside = ball
    openness = np.ones((SIZE, SIZE), np.float32)
    openness[60:64] = 0.6
    seen = np.full((SIZE, SIZE, 3), 0.3, np.float32) * openness[..., None]
    seen[20:23, 60:63] = 0.9
    even = even_light(seen, normals, openness, inside)
    assert np.abs(even[60:64, 30:90] / even[70:74, 30:90] - 1).max() < 0.05
    before, after = 0.9 / 0.3, even[21, 61, 0] / even[24:30, 55:58, 0].mean()
    assert 1 < after < 0.6 * before


def test_likeness_is_of_ratios() -> None:
    tone = np.float32([0.4, 0.3, 0.2])
    colors = np.stack([tone, tone * 0.8, tone * 0.2, np.float32([0.1, 0.3, 0.6])])[None]
    same, shaded, hair, wall = likeness(colors, tone)[0]
    assert same == 1
    assert shaded > 0.5
    assert max(hair, wall) < 0.05
    weight = np.array([[1, 0.2, 0, 0]], np.float32)
    np.testing.assert_allclose(skin_tone(colors, weight), tone)
