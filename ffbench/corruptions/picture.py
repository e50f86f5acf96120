"""A picture of all corruptions of one frame: a row a corruption, a column a severity."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image as PillowImage
from PIL import ImageDraw

from ffbench.corruptions.catalog import CORRUPTIONS, SEVERITIES, corrupted_frames
from ffbench.corruptions.face_clip import FaceClip
from ffbench.visual.picture import font

_MARGIN, _TITLE = 4, 16
_AROUND = 0.35
"""Added to the box of the face on each side, in widths of the face."""


def corruptions_picture(clip: FaceClip, frame: int, tile: int = 160) -> npt.NDArray[np.uint8]:
    """Return an RGB picture of the face in one frame under all corruptions, tiles `tile` px wide.

    Raises:
        UsageError: a corruption needs a package that is not installed.
        DataError: the clip has no such frame, or it shows no face.
    """
    points = clip.points[frame]
    margin = _AROUND * clip.face_width
    rows = []
    for name, corruption in CORRUPTIONS.items():
        tiles = []
        for severity in SEVERITIES:
            image = corrupted_frames(clip, name, severity, [frame])[frame].image
            low = np.clip(np.floor(points.min(axis=0) - margin), 0, None).astype(int)
            high = np.ceil(points.max(axis=0) + margin).astype(int)
            face = PillowImage.fromarray(np.ascontiguousarray(image[low[1] : high[1], low[0] : high[0]]))
            size = (tile, round(tile * face.height / face.width))
            page = PillowImage.new("RGB", (tile + _MARGIN, size[1] + _TITLE + _MARGIN), "white")
            page.paste(face.resize(size, PillowImage.Resampling.BICUBIC), (0, _TITLE))
            words = f"{name} {severity}: {corruption.strengths[severity - 1]:.3g}"
            ImageDraw.Draw(page).text((0, 1), words, "black", font(11))
            tiles.append(np.asarray(page))
        rows.append(np.concatenate(tiles, axis=1))
    # Two rows of corruptions beside each other, so that the picture is not twice as high as wide.
    half = -(-len(rows) // 2)
    left, right = np.concatenate(rows[:half]), np.concatenate(rows[half:])
    return np.concatenate([left, right], axis=1)
