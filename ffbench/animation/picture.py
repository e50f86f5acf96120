"""One picture of a clip's video: the image, and its facial, head and expression flow side by side."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from ffbench.flow.color import flow_to_color
from ffbench.protocol import NumpyFlows
from ffbench.visual.picture import BLACK, WHITE, Picture, color_wheel, font

CELL = 480
"""Width or height, px, that images are made smaller to, if one is larger."""
_GAP = 4
_LINE = 26
_WHEEL = 40


def clip_picture(image: Picture, flows: NumpyFlows, full: float, title: str) -> Picture:
    """Draw an image beside its flows, all in one scale.

    Args:
        image: (H, W, 3) RGB.
        flows: of the image; head and expression flow are shown if they are there.
        full: length of flow, px, that is fully saturated.
        title: above the image.

    Returns:
        RGB; of one size for all pairs of a clip.
    """
    named = {"facial flow": flows.facial, "head flow": flows.head, "expression flow": flows.expression}
    cells = {title: image, **{name: flow_to_color(flow, full) for name, flow in named.items() if flow is not None}}
    height, width = image.shape[:2]
    factor = min(1.0, CELL / max(height, width))
    size = max(1, round(width * factor)), max(1, round(height * factor))
    page = Image.new("RGB", (len(cells) * (size[0] + _GAP) - _GAP, size[1] + _LINE + _WHEEL + 2 * _GAP), WHITE)
    draw = ImageDraw.Draw(page)
    for number, (name, cell) in enumerate(cells.items()):
        x = number * (size[0] + _GAP)
        picture = Image.fromarray(cell)
        page.paste(picture if factor == 1 else picture.resize(size, Image.Resampling.BOX), (x, _LINE))
        draw.text((x + size[0] // 2, _LINE // 2), name, BLACK, font(), anchor="mm")
    top = _LINE + size[1] + _GAP
    page.paste(Image.fromarray(color_wheel(_WHEEL)), (_GAP, top))
    draw.text((_WHEEL + 3 * _GAP, top + _WHEEL // 2), f"rim: {full:.3g} px", BLACK, font(), anchor="lm")
    return np.asarray(page)
