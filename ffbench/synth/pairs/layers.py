"""Pairs of layered, moving photographs: exact flow of anything, for training before and beside faces.

Each layer is a cut-out of a photograph (or of noise) that moves by an affine map and a smooth warp of its own. What a
network learns from them is what faces do not teach: edges of every kind, occlusion, large motion, plain surfaces.
The idea is that of FlyingChairs (Dosovitskiy et al., 2015); the flow is exact here because image 1 is sampled from
the layers of image 2 at x + F(x), for the F of each layer.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ffbench.assets import asset_path
from ffbench.datasets.images import IMAGE_SUFFIXES, read_image
from ffbench.errors import DataError
from ffbench.synth.render.sensor import sample_sensor
from ffbench.synth.scenes.background import FloatImage, wall
from ffbench.typing import FlowField

Photo = npt.NDArray[np.uint8]

LONGEST_SIDE = 640
"""Larger photographs are made smaller, so that a crop shows things and not only texture."""
MOST_LAYERS = 6
_MARGIN = 0.35
_KEPT_FOR_TESTS = frozenset({"astronaut.png"})
"""Photographs of the asset whose faces `reanimated_faces` tests on."""


@dataclass(frozen=True)
class LayeredPair:
    """Two images (H, W, 3) uint8 RGB and the flow (H, W, 2) float32 from the first to the second, in px."""

    image1: Photo
    image2: Photo
    flow: FlowField


def load_photos(folder: Path | None = None) -> list[Photo]:
    """Read the photographs to cut layers from: those of a folder, or of the asset `photos` without the tests' own.

    Raises:
        DataError: the folder has no images, one cannot be read, or the asset cannot be fetched.
    """
    if folder is None:
        import cv2

        with zipfile.ZipFile(asset_path("photos")) as packed:
            codes = [np.frombuffer(packed.read(name), np.uint8) for name in _trained_on(packed)]
        decoded = [np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR), np.uint8) for code in codes]
        return [_smaller(np.ascontiguousarray(photo[..., ::-1])) for photo in decoded]
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; expected photographs")
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES)
    if not files:
        raise DataError(f"{folder}: no images; expected photographs ({', '.join(sorted(IMAGE_SUFFIXES))})")
    return [_smaller(read_image(path)) for path in files]


def layered_pair(
    rng: np.random.Generator, height: int, width: int, photos: Sequence[Photo], largest: float = 0.2
) -> LayeredPair:
    """Draw a pair.

    Args:
        rng: source of chance.
        height, width: size of the images.
        photos: what layers are cut from; with none they are noise.
        largest: the largest translations, as a share of the longer side.
    """
    reach = float(np.exp(rng.uniform(np.log(0.002), np.log(largest)))) * max(height, width)
    # The background of most films stands still or hardly moves.
    still = rng.random() < 0.35
    flow = np.zeros((height, width, 2), np.float32) if still else _motion(rng, height, width, 0.6 * reach)
    image1, image2 = _moved(_texture(rng, height, width, photos), flow)
    shown = flow
    for _ in range(int(rng.integers(0, MOST_LAYERS + 1))):
        own = _motion(rng, height, width, reach) if rng.random() < 0.9 else flow
        layer1, layer2 = _moved(_texture(rng, height, width, photos), own)
        mask1, mask2 = _moved(_shape(rng, height, width), own)
        image1 = image1 + mask1[..., None] * (layer1 - image1)
        image2 = image2 + mask2[..., None] * (layer2 - image2)
        shown = np.where(mask1[..., None] > 0.5, own, shown)
    sensor = sample_sensor(rng)
    return LayeredPair(sensor.record(image1, rng), sensor.record(image2, rng), np.ascontiguousarray(shown, np.float32))


def collage(rng: np.random.Generator, height: int, width: int, photos: Sequence[Photo]) -> FloatImage:
    """Draw a cluttered background (height, width, 3) in linear RGB: cut-outs of photographs before another."""
    border = _padded(height, width)[0]
    shown = (slice(border, border + height), slice(border, border + width))
    image = _texture(rng, height, width, photos)[shown]
    for _ in range(int(rng.integers(0, MOST_LAYERS + 1))):
        mask = _shape(rng, height, width)[shown][..., None]
        image = image + mask * (_texture(rng, height, width, photos)[shown] - image)
    return np.ascontiguousarray(image, np.float32)


def _trained_on(packed: zipfile.ZipFile) -> list[str]:
    return [name for name in sorted(packed.namelist()) if name not in _KEPT_FOR_TESTS]


def _smaller(photo: Photo) -> Photo:
    import cv2

    factor = LONGEST_SIDE / max(photo.shape[:2])
    if factor >= 1:
        return photo
    return np.asarray(cv2.resize(photo, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)


def _padded(height: int, width: int) -> tuple[int, int, int]:
    """Return the border of a layer's sheet, so that what comes into view is there too, and the sheet's sides."""
    border = round(_MARGIN * max(height, width))
    return border, height + 2 * border, width + 2 * border


def _moved(sheet: npt.NDArray[np.float32], flow: FlowField) -> tuple[FloatImage, FloatImage]:
    """Return a layer's sheet as it is seen in image 1 and in image 2."""
    import cv2

    height, width = flow.shape[:2]
    border = (sheet.shape[0] - height) // 2
    y, x = np.mgrid[:height, :width].astype(np.float32)
    first = cv2.remap(
        sheet, x + flow[..., 0] + border, y + flow[..., 1] + border, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
    )
    return np.asarray(first, np.float32), np.ascontiguousarray(sheet[border : border + height, border : border + width])


def _motion(rng: np.random.Generator, height: int, width: int, reach: float) -> FlowField:
    """Draw the flow of a layer: translation, turn, zoom and shear about a point, and a smooth warp."""
    longest = max(height, width)
    turn, zoom = rng.normal(0, [0.5, 0.35]) * reach / longest
    shear = rng.normal(0, 0.15, 2) * reach / longest
    matrix = np.array([[np.exp(zoom) * np.cos(turn) - 1, -np.sin(turn) + shear[0]], [np.sin(turn) + shear[1], 0]])
    matrix[1, 1] = matrix[0, 0]
    center = rng.uniform(0.1, 0.9, 2) * [width, height]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    away = np.stack([x - center[0], y - center[1]], axis=-1)
    flow = away @ matrix.T.astype(np.float32) + rng.normal(0, 0.5 * reach, 2).astype(np.float32)
    if rng.random() < 0.6:
        cells = int(rng.integers(2, 7))
        # A warp that is steeper than this folds over itself.
        height_of_waves = min(0.3 * reach, 0.12 * longest / cells) * rng.random()
        flow += np.float32(height_of_waves) * _waves(rng, height, width, cells, 2)
    return np.asarray(flow, np.float32)


def _waves(rng: np.random.Generator, height: int, width: int, cells: int, channels: int) -> npt.NDArray[np.float32]:
    """Smooth noise (H, W, channels) of unit variance at `cells` nodes across."""
    import cv2

    nodes = rng.standard_normal((cells + 2, cells + 2, channels), dtype=np.float32)
    return np.asarray(cv2.resize(nodes, (width, height), interpolation=cv2.INTER_CUBIC), np.float32).reshape(
        height, width, channels
    )


def _texture(rng: np.random.Generator, height: int, width: int, photos: Sequence[Photo]) -> FloatImage:
    """Draw a sheet in linear RGB, larger than the image by its border: a photograph, noise, or a plain wall."""
    import cv2

    _, tall, wide = _padded(height, width)
    kind = rng.random()
    if kind < 0.12:
        return wall(rng, tall, wide)
    if kind < 0.25 or not photos:
        sheet = np.full((tall, wide, 3), 0.5, np.float32)
        for cells in rng.choice([3, 8, 24, 60], 3, replace=False):
            sheet += np.float32(rng.uniform(0.05, 0.25)) * _waves(rng, tall, wide, int(cells), 3)
    else:
        photo = photos[int(rng.integers(len(photos)))]
        share = rng.uniform(0.35, 1.0)
        rows, columns = (max(int(share * side), 16) for side in photo.shape[:2])
        top, left = int(rng.integers(photo.shape[0] - rows + 1)), int(rng.integers(photo.shape[1] - columns + 1))
        cut = photo[top : top + rows, left : left + columns]
        smaller = rows > tall and columns > wide
        sheet = cv2.resize(
            cut, (wide, tall), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
        ) / np.float32(255)
        if rng.random() < 0.5:
            sheet = sheet[:, ::-1]
        if rng.random() < 0.3:
            sheet = sheet[..., rng.permutation(3)]
    gain, lift = rng.uniform(0.6, 1.3), rng.uniform(-0.12, 0.12)
    tint = rng.uniform(0.8, 1.2, 3) if rng.random() < 0.5 else np.ones(3)
    # Photographs are in sRGB; the sensor takes light.
    light = np.clip(sheet * np.float32(gain) * tint.astype(np.float32) + np.float32(lift), 0.01, 1.2) ** np.float32(2.2)
    return np.ascontiguousarray(light, np.float32)


def _shape(rng: np.random.Generator, height: int, width: int) -> FloatImage:
    """Draw the outline of a layer on its sheet: (h, w) float32, 1 inside, anti-aliased at the edge."""
    import cv2

    border, tall, wide = _padded(height, width)
    center = rng.uniform(0, 1, 2) * [width, height] + border
    size = float(np.exp(rng.uniform(np.log(0.06), np.log(0.45)))) * max(height, width)
    corners = 40 if rng.random() < 0.6 else int(rng.integers(3, 9))
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False) + rng.uniform(0, 2 * np.pi)
    radius = np.ones(corners)
    if corners < 40:
        radius *= rng.uniform(0.5, 1.2, corners)
    else:
        for order in range(2, 6):
            radius += rng.normal(0, 0.35 / order) * np.cos(order * angle + rng.uniform(0, 2 * np.pi))
    stretch = np.exp(rng.normal(0, 0.45))
    tilt = rng.uniform(0, np.pi)
    points = np.stack([stretch * np.cos(angle), np.sin(angle) / stretch], axis=1) * size * np.abs(radius)[:, None]
    points = points @ np.array([[np.cos(tilt), np.sin(tilt)], [-np.sin(tilt), np.cos(tilt)]]) + center
    mask = np.zeros((tall, wide), np.uint8)
    # Sixteenths of a pixel, so that slow edges do not jump.
    cv2.fillPoly(mask, [np.round(points * 16).astype(np.int32)], 255, cv2.LINE_AA, shift=4)
    return np.asarray(mask / 255, np.float32)
