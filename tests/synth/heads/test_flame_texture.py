"""A skin texture in FLAME's own layout, worn by a head in FLAME's format."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from ffbench.errors import DataError
from ffbench.synth.appearance.look import sample_appearance
from ffbench.synth.heads.flame import FlameHead, load_flame
from ffbench.synth.heads.head import Part, Pose
from ffbench.synth.motion.expressions import sample_style
from ffbench.synth.render.camera import Camera
from ffbench.synth.render.raster import rasterize_supersampled
from ffbench.synth.scenes.image_folder import list_textures
from ffbench.synth.scenes.scene import RASTER, Person, PosedMesh, make_person, sample_scene
from tests.synth.flame_folder import write_flame

SIZE = 768
GREY, RED = (150, 130, 120), (230, 20, 20)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> FlameHead:
    """The head without a layout beside its model: its skin is wrapped on a cylinder."""
    return load_flame(write_flame(tmp_path_factory.mktemp("bare")))


@pytest.fixture(scope="module")
def head(bare: FlameHead, tmp_path_factory: pytest.TempPathFactory) -> FlameHead:
    """Its layout is the cylinder's in half the width and four fifths of the height, with v from the bottom."""
    folder = write_flame(tmp_path_factory.mktemp("flame"))
    uv = bare.topology.uv.reshape(-1, 2).astype(np.float64)
    points = np.stack([0.25 + 0.5 * uv[:, 0], 0.9 - 0.8 * uv[:, 1]], axis=1)
    np.savez(folder / "FLAME_texture.npz", vt=points, ft=np.arange(len(points)).reshape(-1, 3))
    return load_flame(folder)


def texture(folder: Path, red: npt.NDArray[np.floating] | None = None) -> Path:
    """A grey texture with, in red, the inner part of a triangle (3, 2) of v from the top; and the note beside it."""
    import cv2

    folder.mkdir()
    image = np.full((SIZE, SIZE, 3), GREY, np.uint8)
    if red is not None:
        inner = red.mean(axis=0) + 0.5 * (red - red.mean(axis=0))
        cv2.fillConvexPoly(image, np.rint(inner * SIZE).astype(np.int32), RED)
    Image.fromarray(image).save(folder / "skin.png")
    (folder / "skin.json").write_text('{"layout": "flame"}')
    return folder


def wear(head: FlameHead, folder: Path) -> Person:
    rng = np.random.default_rng(1)
    look = dataclasses.replace(sample_appearance(rng), hair_style="bald", hair_volume=0.0, collar=0.0)
    return make_person(head, np.zeros(300), look, sample_style(rng), SIZE, list_textures(folder, head))


def test_each_triangle_shows_its_own_part_of_the_texture(bare: FlameHead, head: FlameHead, tmp_path: Path) -> None:
    assert head.uv_layout == "flame"
    expected = bare.topology.uv * [0.5, 0.8] + [0.25, 0.1]
    plain = wear(head, texture(tmp_path / "grey"))
    camera = Camera(256, 256, focal=850.0, distance=10.0, target=(0.0, 0.3, 0.0), tilt=(0.0, 0.0, 0.0))
    scene = dataclasses.replace(sample_scene(plain, 3, 256, 256), camera=camera)
    vertices = head.pose(plain.shape, np.zeros(len(head.expression_names)), Pose())
    projected = camera.project(vertices)
    seen = rasterize_supersampled(projected.xy, projected.depth, head.topology.triangles, 256, 256)
    posed = PosedMesh(vertices, projected, seen)
    before = RASTER.draw(scene, posed, 0)
    ids = seen.ids[1::2, 1::2]
    # Hair and cloth stay the engine's: take triangles of skin that are large in the picture and wear the photograph.
    middle = (expected.mean(axis=1) * SIZE).astype(int)
    worn = np.abs(plain.skin[0][middle[:, 1], middle[:, 0], :3] - np.sqrt(_linear(GREY)) * 255).max(axis=1) < 1.5
    area = np.bincount(ids[ids >= 0], minlength=len(worn))
    chosen = np.flatnonzero(worn & (head.topology.part == Part.SKIN) & (area > 40))
    assert len(chosen) >= 3
    for triangle in chosen:
        person = wear(head, texture(tmp_path / f"red{triangle}", expected[triangle]))
        after = RASTER.draw(dataclasses.replace(scene, person=person), posed, 0)
        changed = np.abs(after - before).max(axis=2) > 0.01
        # A pixel is drawn from the grid of half pixels around it.
        own = np.lib.stride_tricks.sliding_window_view(seen.ids == triangle, (3, 3))[::2, ::2].any(axis=(2, 3))
        # The texture is read at about a texel a pixel, which may reach over the triangle's edge.
        assert (changed & ~own).sum() <= 0.02 * changed.sum()
        assert changed[ids == triangle].mean() > 0.15
        red, green, _ = after[(ids == triangle) & changed].T
        assert np.median(red / green) > 2  # 1.4 without the paint


def _linear(srgb: tuple[int, int, int]) -> npt.NDArray[np.float64]:
    return ((np.array(srgb) / 255 + 0.055) / 1.055) ** 2.4


def test_without_the_layout_beside_the_model_it_is_refused(bare: FlameHead, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"skin.png: expected the layout ffbench-flame of the flame head, found flame"):
        list_textures(texture(tmp_path / "grey"), bare)
