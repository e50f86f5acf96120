"""Makes small folders in the layout of CK+: noise for images, and faces of 68 points that were never a face."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

SIZE = (64, 49)
"""A tenth of CK+'s 640 x 490."""


def landmarks(seed: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    return np.random.default_rng(seed).uniform(2, np.array(size) - 3, (68, 2))


def write_landmarks(path: Path, points: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"   {x:.7e}   {y:.7e}\n" for x, y in points))


def add_sequence(
    root: Path,
    subject: str,
    take: str,
    *,
    frames: int = 4,
    emotion: int | None = None,
    size: tuple[int, int] = SIZE,
    color: bool = False,
    images: str = "cohn-kanade-images",
) -> None:
    """Add a sequence whose landmarks are `landmarks(number)` in frame `number`, from 1."""
    name = f"{subject}_{take}"
    for number in range(1, frames + 1):
        noise = np.random.default_rng(number).integers(0, 256, (size[1], size[0], 3), np.uint8)
        path = root / images / subject / take / f"{name}_{number:08d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(noise if color else noise[..., 0]).save(path)
        write_landmarks(
            root / "Landmarks" / subject / take / f"{name}_{number:08d}_landmarks.txt", landmarks(number, size)
        )
    folder = root / "Emotion" / subject / take
    folder.mkdir(parents=True)
    if emotion is not None:
        (folder / f"{name}_{frames:08d}_emotion.txt").write_text(f"   {emotion:.7e}\n")


def make_ck_plus(root: Path, images: str = "cohn-kanade-images") -> Path:
    """Three sequences of two subjects: happiness, surprise, and one without a label, in color and 2 px lower."""
    add_sequence(root, "S005", "001", emotion=5, images=images)
    add_sequence(root, "S005", "002", frames=12, emotion=7, images=images)
    add_sequence(root, "S010", "001", size=(64, 48), color=True, images=images)
    return root
