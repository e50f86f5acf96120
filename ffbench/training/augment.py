"""Augmentation of labelled pairs: zoom, stretch, flips, crop, pan, color, and an eraser (RAFT, section 4)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ffbench.training.recipe import Augmentation
from ffbench.typing import FlowField, Image


@dataclass(frozen=True)
class LabeledPair:
    """A pair and its labels; images (H, W, 3) uint8 RGB, flows (H, W, 2) float32 forward in px.

    Attributes:
        image1, image2: the pair.
        facial: flow of all that moves.
        head: flow of the head alone; None where it is not known.
        region, uv, depth: (H, W) uint8, (H, W, 2) float32 and (H, W) float32, dense labels of image 1, or None.
    """

    image1: Image
    image2: Image
    facial: FlowField
    head: FlowField | None = None
    region: npt.NDArray[np.uint8] | None = None
    uv: npt.NDArray[np.float32] | None = None
    depth: npt.NDArray[np.float32] | None = None


def augment(pair: LabeledPair, settings: Augmentation, crop: tuple[int, int], rng: np.random.Generator) -> LabeledPair:
    """Vary a pair and cut `crop` (height, width) out of it; smaller images are enlarged until the crop fits."""
    if settings.color_first:
        pair = _recolor(pair, settings, rng)
    pair = _zoom(pair, settings, crop, rng)
    pair = _flip(pair, settings, rng)
    pair = _crop(pair, settings, crop, rng)
    return pair if settings.color_first else _recolor(pair, settings, rng)


def _recolor(pair: LabeledPair, settings: Augmentation, rng: np.random.Generator) -> LabeledPair:
    image1, image2 = _color(pair.image1, pair.image2, settings, rng)
    if settings.sharpen > 0 and rng.random() < settings.sharpen_probability:
        amount = float(rng.uniform(0, settings.sharpen))
        image1, image2 = _sharpen(image1, amount), _sharpen(image2, amount)
    return replace(pair, image1=image1, image2=_erase(image2, settings, rng))


def _zoom(pair: LabeledPair, settings: Augmentation, crop: tuple[int, int], rng: np.random.Generator) -> LabeledPair:
    import cv2

    height, width = pair.image1.shape[:2]
    factors, margin = np.ones(2), 0
    if rng.random() < settings.scale_probability:
        margin = settings.margin
        factors *= 2 ** rng.uniform(*settings.scale)
        if rng.random() < settings.stretch_probability:
            factors *= 2 ** rng.uniform(-settings.stretch, settings.stretch, 2)
    smallest = np.array([(crop[1] + margin) / width, (crop[0] + margin) / height])
    factors = np.maximum(factors, smallest)
    size = (max(round(width * factors[0]), crop[1]), max(round(height * factors[1]), crop[0]))
    if size == (width, height):
        return pair
    # What the labels are scaled by is what the images really were, whole pixels as they have.
    factors = np.array(size) / [width, height]
    shrinking = factors.max() < 1

    def resized(image: npt.NDArray[Any], how: int) -> npt.NDArray[Any]:
        return np.asarray(cv2.resize(image, size, interpolation=how))

    def flow(field: FlowField) -> FlowField:
        return resized(field, cv2.INTER_LINEAR) * factors.astype(np.float32)

    images = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    return LabeledPair(
        image1=resized(pair.image1, images),
        image2=resized(pair.image2, images),
        facial=flow(pair.facial),
        head=None if pair.head is None else flow(pair.head),
        region=None if pair.region is None else resized(pair.region, cv2.INTER_NEAREST),
        uv=None if pair.uv is None else resized(pair.uv, cv2.INTER_NEAREST),
        depth=None if pair.depth is None else resized(pair.depth, cv2.INTER_NEAREST),
    )


def _flip(pair: LabeledPair, settings: Augmentation, rng: np.random.Generator) -> LabeledPair:
    if rng.random() < settings.flip_horizontal:
        pair = _mirrored(pair, 1)
    if rng.random() < settings.flip_vertical:
        pair = _mirrored(pair, 0)
    return pair


def _mirrored(pair: LabeledPair, axis: int) -> LabeledPair:
    signs = np.array([-1, 1] if axis == 1 else [1, -1], np.float32)
    return LabeledPair(
        image1=np.flip(pair.image1, axis),
        image2=np.flip(pair.image2, axis),
        facial=np.flip(pair.facial, axis) * signs,
        head=None if pair.head is None else np.flip(pair.head, axis) * signs,
        region=None if pair.region is None else np.flip(pair.region, axis),
        # A mirrored face has left and right changed: the texture is symmetric about u = 0.5.
        uv=None if pair.uv is None else _mirrored_uv(np.flip(pair.uv, axis), axis),
        depth=None if pair.depth is None else np.flip(pair.depth, axis),
    )


def _mirrored_uv(uv: npt.NDArray[np.float32], axis: int) -> npt.NDArray[np.float32]:
    if axis == 0:
        return uv
    surface = uv.any(axis=2)
    return np.stack([np.where(surface, 1 - uv[..., 0], 0), uv[..., 1]], axis=2).astype(np.float32)


def _crop(pair: LabeledPair, settings: Augmentation, crop: tuple[int, int], rng: np.random.Generator) -> LabeledPair:
    height, width = pair.image1.shape[:2]
    rows, columns = crop
    top, left = int(rng.integers(height - rows + 1)), int(rng.integers(width - columns + 1))
    down = right = 0
    if settings.pan > 0 and rng.random() < settings.pan_probability:
        # Image 2 is cut out elsewhere: by whole pixels, so that nothing is resampled.
        down = int(np.clip(round(rng.normal(0, settings.pan)), -top, height - rows - top))
        right = int(np.clip(round(rng.normal(0, settings.pan)), -left, width - columns - left))
    pan = np.array([right, down], np.float32)

    def cut(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return array[top : top + rows, left : left + columns]

    return LabeledPair(
        image1=cut(pair.image1),
        image2=pair.image2[top + down : top + down + rows, left + right : left + right + columns],
        facial=cut(pair.facial) - pan,
        head=None if pair.head is None else cut(pair.head) - pan,
        region=None if pair.region is None else cut(pair.region),
        uv=None if pair.uv is None else cut(pair.uv),
        depth=None if pair.depth is None else cut(pair.depth),
    )


def _color(image1: Image, image2: Image, settings: Augmentation, rng: np.random.Generator) -> tuple[Image, Image]:
    if rng.random() < settings.asymmetric:
        return _jitter(image1, settings, rng), _jitter(image2, settings, rng)
    both = _jitter(np.concatenate([image1, image2]), settings, rng)
    return both[: len(image1)], both[len(image1) :]


def _jitter(image: Image, settings: Augmentation, rng: np.random.Generator) -> Image:
    """Change brightness, contrast, saturation and hue, in random order."""
    import cv2

    result = image.astype(np.float32)
    for change in rng.permutation(4):
        if change == 0:
            result = result * _factor(rng, settings.brightness)
        elif change == 1:
            mean = cv2.cvtColor(result, cv2.COLOR_RGB2GRAY).mean()
            result = mean + (result - mean) * _factor(rng, settings.contrast)
        elif change == 2:
            grey = cv2.cvtColor(result, cv2.COLOR_RGB2GRAY)[..., None]
            result = grey + (result - grey) * _factor(rng, settings.saturation)
        elif settings.hue > 0:
            turned = cv2.cvtColor(np.clip(result, 0, 255) / np.float32(255), cv2.COLOR_RGB2HSV)
            turned[..., 0] = (turned[..., 0] + np.float32(360 * rng.uniform(-settings.hue, settings.hue))) % 360
            result = cv2.cvtColor(turned, cv2.COLOR_HSV2RGB) * np.float32(255)
        result = np.clip(result, 0, 255)
    return np.asarray(result + 0.5, np.float32).astype(np.uint8)


def _sharpen(image: Image, amount: float) -> Image:
    """Add `amount` times what a blur of 1 px takes away."""
    import cv2

    values = image.astype(np.float32)
    sharp = values + np.float32(amount) * (values - cv2.GaussianBlur(values, (0, 0), 1.0))
    return np.asarray(np.clip(sharp + 0.5, 0, 255), np.float32).astype(np.uint8)


def _factor(rng: np.random.Generator, most: float) -> float:
    return float(rng.uniform(1 - most, 1 + most))


def _erase(image2: Image, settings: Augmentation, rng: np.random.Generator) -> Image:
    """Paint boxes over image 2, so that what they cover must be guessed from its surroundings."""
    if rng.random() >= settings.eraser:
        return image2
    image2 = image2.copy()
    color = image2.reshape(-1, 3).mean(axis=0).astype(np.uint8)
    height, width = image2.shape[:2]
    for _ in range(int(rng.integers(1, 3))):
        x, y = int(rng.integers(width)), int(rng.integers(height))
        wide, high = rng.integers(*settings.eraser_sides, size=2, endpoint=True)
        image2[y : y + high, x : x + wide] = color
    return image2
