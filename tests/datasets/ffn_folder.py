"""Makes small folders in the layout of FacialFlowNet: noise for images, and flows and masks that can be recomputed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from ffbench.flow.formats.flo import write_flo

SIZE = (24, 32)
"""Height and width."""


def facial_flow(number: int, size: tuple[int, int] = SIZE) -> npt.NDArray[np.float32]:
    return np.random.default_rng([1, number]).normal(0, 2, (*size, 2)).astype(np.float32)


def head_flow(number: int, size: tuple[int, int] = SIZE) -> npt.NDArray[np.float32]:
    return np.random.default_rng([2, number]).normal(0, 1, (*size, 2)).astype(np.float32)


def mask(number: int, size: tuple[int, int] = SIZE) -> npt.NDArray[np.bool_]:
    rows, columns = np.mgrid[: size[0], : size[1]]
    return (rows - 12) ** 2 + (columns - 15) ** 2 < (6 + number % 3) ** 2


def add_sequence(
    root: Path,
    sequence: str,
    frames: int,
    *,
    split: str = "test",
    image: str = "{:04d}",
    flow: str = "{:04d}",
    first_flow: int = 1,
    masks: int | None = None,
    labels: bool = False,
) -> None:
    """Add a sequence whose frame `number`, from 1, has the labels `facial_flow(number)` and so on.

    Args:
        root: of the dataset.
        sequence: `<emotion>/<subject>`.
        frames: their number.
        split: which split gets it.
        image, flow: how stems of images and masks, and of flows, are made of numbers.
        first_flow: number that the first flow's stem gets.
        masks: their number; None for one a frame.
        labels: whether there are regions and occlusions.
    """
    for number in range(1, frames + 1):
        noise = np.random.default_rng(number).integers(0, 256, (*SIZE, 3), np.uint8)
        _save_image(root / "image" / "facial" / split / sequence / f"{image.format(number)}.jpg", noise)
        if number <= (frames if masks is None else masks):
            _save(root / "mask" / split / sequence / f"{image.format(number)}.npy", mask(number))
        if number == frames:
            continue
        stem = flow.format(number + first_flow - 1)
        for part, flow_of in (("facial", facial_flow), ("head", head_flow)):
            path = root / "flow" / part / split / sequence / f"{stem}.flo"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_flo(path, flow_of(number))  # unlike write_flow, without waiting for the disk
        if labels:
            rows = np.mgrid[: SIZE[0], : SIZE[1]][0]
            _save(root / "region" / split / sequence / f"{image.format(number)}.npy", (rows // 3).astype(np.uint8))
            _save(root / "occlusion" / split / sequence / f"{image.format(number)}.npy", rows < 11)


def make_ffn(root: Path) -> Path:
    """A test split of two sequences of 5 frames and one of 10, two emotions: 17 pairs."""
    add_sequence(root, "happy/0002", 5)
    add_sequence(root, "happy/0010", 10)
    add_sequence(root, "sad/0001", 5)
    return root


def _save(path: Path, array: npt.NDArray[np.generic]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, array)


def _save_image(path: Path, image: npt.NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path)
