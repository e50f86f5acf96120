"""Pictures of single flows and of errors, and writing them."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from ffbench.flow.checks import is_known
from ffbench.flow.color import color_wheel_legend, flow_to_color
from ffbench.io.atomic import write_bytes
from ffbench.typing import FlowField, Mask

Picture = npt.NDArray[np.uint8]
"""(H, W, 3) RGB."""

WHITE = (255, 255, 255)
BLACK = (0, 0, 0)
NOT_MEASURED = (128, 128, 128)
TEXT_SIZE = 15
_QUANTILE = 0.99
_WHEEL = 48
_MARGIN = 6


def flow_scale(*flows: FlowField) -> float:
    """Choose the length of flow, in pixels, that pictures of some flows show fully saturated.

    It is the 99 % quantile of the lengths that are known: a few outliers must not bleach all the rest.
    """
    return scale([np.hypot(flow[..., 0], flow[..., 1])[is_known(flow)] for flow in flows])


def scale(values: list[npt.NDArray[Any]]) -> float:
    """Return the 99 % quantile of some non-negative values, or 1 when all are zero or there are none."""
    joined = np.concatenate([part.ravel() for part in values])
    return (float(np.quantile(joined, _QUANTILE)) or float(joined.max()) or 1.0) if joined.size else 1.0


def flow_picture(flow: FlowField, max_magnitude: float | None = None) -> Picture:
    """Show a flow in Middlebury colors, and below it the color wheel and the scale in pixels.

    Args:
        flow: (H, W, 2), in pixels.
        max_magnitude: length of flow, in pixels, that is shown fully saturated; None: `flow_scale`.

    Returns:
        RGB, as wide as the flow (or as the key, if that is wider) and 60 pixels higher.
    """
    full = flow_scale(flow) if max_magnitude is None else max_magnitude
    text = f"rim: {full:.3g} px"
    width = max(flow.shape[1], _WHEEL + 3 * _MARGIN + round(font().getlength(text)))
    page = Image.new("RGB", (width, flow.shape[0] + _WHEEL + 2 * _MARGIN), WHITE)
    page.paste(Image.fromarray(flow_to_color(flow, full)), ((width - flow.shape[1]) // 2, 0))
    page.paste(Image.fromarray(color_wheel(_WHEEL)), (_MARGIN, flow.shape[0] + _MARGIN))
    middle = (_WHEEL + 2 * _MARGIN, flow.shape[0] + _MARGIN + _WHEEL // 2)
    ImageDraw.Draw(page).text(middle, text, BLACK, font(), anchor="lm")
    return np.asarray(page)


def error_picture(error: npt.NDArray[np.float32], valid: Mask, full: float) -> Picture:
    """Show an error (H, W) from black (0) over red to bright yellow (`full` and more); grey is not measured."""
    import cv2

    steps = np.where(valid, error, 0) / full * 255
    bgr = cv2.applyColorMap(np.clip(steps, 0, 255).astype(np.uint8), cv2.COLORMAP_INFERNO)
    picture: Picture = np.ascontiguousarray(bgr[:, :, ::-1])
    picture[~valid] = NOT_MEASURED
    return picture


def flow_colors(flow: FlowField, full: float) -> Picture:
    """Show a flow (H, W, 2) in Middlebury colors, saturated at `full` px; grey is not measured."""
    picture = flow_to_color(flow, full)
    picture[~is_known(flow)] = NOT_MEASURED
    return picture


def encode_png(picture: npt.NDArray[np.uint8]) -> bytes:
    """Return a picture, RGB or RGBA, as PNG."""
    content = io.BytesIO()
    Image.fromarray(picture).save(content, format="PNG")
    return content.getvalue()


def write_picture(path: Path | str, picture: Picture) -> None:
    """Write an RGB picture as PNG, atomically.

    Raises:
        DataError: the file cannot be written.
    """
    write_bytes(path, encode_png(picture))


@cache
def color_wheel(size: int) -> Picture:
    """Return the color wheel, `size` pixels wide; not to be written to, all callers share it."""
    return color_wheel_legend(size)


@cache
def font(size: int = TEXT_SIZE) -> ImageFont.FreeTypeFont:
    """Return the font of all pictures, which comes with Pillow."""
    loaded = ImageFont.load_default(size)
    if not isinstance(loaded, ImageFont.FreeTypeFont):
        raise RuntimeError("Pillow was built without FreeType and cannot draw text of a chosen size")
    return loaded
