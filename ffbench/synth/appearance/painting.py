"""The skin texture of a look: what is drawn on it, and in which order."""

from __future__ import annotations

import numpy as np

from ffbench.synth.appearance.look import Appearance
from ffbench.synth.appearance.paint_cloth import paint_cloth
from ffbench.synth.appearance.paint_hair import paint_beard, paint_brows, paint_hair
from ffbench.synth.appearance.paint_sheet import Sheet, pack
from ffbench.synth.appearance.paint_skin import paint_lips, paint_skin_tone, paint_spots
from ffbench.synth.heads.head import HeadModel
from ffbench.synth.render.bake import FloatImage
from ffbench.synth.render.shading import Texture


def paint_skin(head: HeadModel, look: Appearance, size: int = 768, photo: FloatImage | None = None) -> Texture:
    """Draw the skin texture (size, size, 4) of a look.

    Args:
        head: whose skin it is.
        look: its numbers.
        size: height and width.
        photo: (size, size, 3), color of the skin (`photo.skin_color`). It brings its own spots, lips, beard and
            brows; gloss, hair and cloth are those of the look.
    """
    sheet = Sheet(head, look, size)
    paint_skin_tone(sheet)
    if photo is None:
        paint_spots(sheet)
    paint_lips(sheet)
    if photo is None:
        paint_beard(sheet)
        paint_brows(sheet)
    else:
        sheet.color[:] = photo
    paint_hair(sheet)
    paint_cloth(sheet)
    return pack(sheet.color, sheet.gloss)


def paint_bare_skin(head: HeadModel, look: Appearance, size: int) -> FloatImage:
    """Draw skin and lips alone, without spots, brows, beard, hair and cloth: (size, size, 3) in the engine's paint."""
    sheet = Sheet(head, look, size)
    paint_skin_tone(sheet)
    paint_lips(sheet)
    return sheet.color


def pyramid(texture: Texture, levels: int = 4) -> tuple[Texture, ...]:
    """Return a texture at full size, at half of it, and so on."""
    import cv2

    result = [texture]
    while len(result) < levels and len(result[-1]) % 2 == 0 and len(result[-1]) >= 64:
        half = len(result[-1]) // 2
        result.append(np.asarray(cv2.resize(result[-1], (half, half), interpolation=cv2.INTER_AREA), np.uint8))
    return tuple(result)
