"""The panel of the paper's Fig. 9: methods x pairs, with facial, head and expression flow side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from ffbench.flow.checks import is_known
from ffbench.flow.color import flow_to_color
from ffbench.typing import FlowField
from ffbench.visual.errors import FlowError, flow_error
from ffbench.visual.picture import (
    BLACK,
    NOT_MEASURED,
    WHITE,
    Picture,
    color_wheel,
    error_picture,
    flow_scale,
    font,
    scale,
)

if TYPE_CHECKING:
    from ffbench.protocol import NumpyFlows

NOT_DECOMPOSED = "not decomposed"
CELL = (320, 256)
"""Width and height, in pixels, that an image of the panel is scaled to fit."""

_GAP = 8
_LINE = 24
_WHEEL = 72
_EMPTY = (240, 240, 240)
_FRAME = (190, 190, 190)
_Caption = tuple[int, int, str]
"""First column, number of columns, text."""
_STILL, _LEAST_SCALE = 0.1, 0.25  # px, of expression flow: what does not count, and the least that a picture is for
_MIN_WIDTH = 310  # room for the captions of error maps when all images are narrow


@dataclass(frozen=True)
class PanelRow:
    """What one method made of one pair.

    `image1` and `image2` are (H, W, 3) uint8 RGB, `truth` is the reference flow (H, W, 2) in pixels.
    """

    method: str
    pair: str
    image1: Picture
    image2: Picture
    flows: NumpyFlows
    truth: FlowField | None = None


def draw_panel(rows: Sequence[PanelRow], max_magnitude: float | None = None, *, flows_only: bool = False) -> Picture:
    """Draw a row for each method and pair: I1, I2, facial, head and expression flow, error of the facial flow.

    The error is the endpoint error where a row has a reference flow, and else the photometric error: the mean
    absolute RGB difference, in grey levels, between I1 and I2 brought back by the flow. Rows of one pair share
    their scales, so that their colors can be compared; each row states them. Expression flow is a small part of most
    motion, so it has a scale of its own.

    Args:
        rows: what to show, from top to bottom.
        max_magnitude: length of flow, in pixels, that is shown fully saturated, in every part; None: `flow_scale` of
            each pair.
        flows_only: leave out the images, and the error, which would show them: for faces that must not be published.

    Returns:
        The panel, RGB.

    Raises:
        ValueError: no rows, or images, flows and reference that are not of one size.
    """
    if not rows:
        raise ValueError("a panel needs at least one row")
    for row in rows:
        _require_one_size(row)
    flow_scales = _flow_scales(rows, max_magnitude)
    columns = ["facial flow", "head flow", "expression flow"]
    cells: list[list[Picture | None]] = []
    captions: list[list[_Caption]] = []
    for row in rows:
        scales = flow_scales[row.pair]
        parts = zip(_flows(row), (scales.whole, scales.whole, scales.expression), strict=True)
        cells.append([None if flow is None else flow_to_color(flow, full) for flow, full in parts])
        scale_caption = f"rim of the wheel: {scales.whole:.3g} px"
        if row.flows.expression is not None and scales.expression != scales.whole:
            scale_caption += f", expression: {scales.expression:.3g} px"
        captions.append([(0, 2, f"{row.method}   {row.pair}"), (2, 1 if flows_only else 3, scale_caption)])
    if flows_only:
        return _compose(columns, cells, captions)
    errors = [flow_error(row.flows.facial, row.image1, row.image2, row.truth) for row in rows]
    error_scales = _error_scales(rows, errors)
    for row, error, line, above in zip(rows, errors, cells, captions, strict=True):
        full_error = error_scales[row.pair, error.is_endpoint]
        line[:] = [row.image1, row.image2, *line, error_picture(error.values, error.valid, full_error)]
        above.append((5, 1, _error_caption(error, full_error)))
    titles = {"endpoint error" if error.is_endpoint else "photometric error" for error in errors}
    return _compose(["I1", "I2", *columns, titles.pop() if len(titles) == 1 else "error"], cells, captions)


def _flows(row: PanelRow) -> list[FlowField | None]:
    return [row.flows.facial, row.flows.head, row.flows.expression]


def _require_one_size(row: PanelRow) -> None:
    facial = row.flows.facial
    fields = [field for field in (facial, row.flows.head, row.truth) if field is not None]
    size = facial.shape[:2]
    if any(field.shape != (*size, 2) for field in fields) or not (row.image1.shape == row.image2.shape == (*size, 3)):
        raise ValueError(f"{row.method}, {row.pair}: images and flows must all be of one size")


@dataclass(frozen=True)
class _FlowScales:
    """Lengths of flow, px, that are shown fully saturated: of facial and head flow, and of expression flow."""

    whole: float
    expression: float


def _flow_scales(rows: Sequence[PanelRow], max_magnitude: float | None) -> dict[str, _FlowScales]:
    """Choose the flow scales of each pair."""
    if max_magnitude is not None:
        return {row.pair: _FlowScales(max_magnitude, max_magnitude) for row in rows}
    found: dict[str, _FlowScales] = {}
    for pair in dict.fromkeys(row.pair for row in rows):
        flows = [row.flows for row in rows if row.pair == pair]
        whole = flow_scale(*(flow for some in flows for flow in (some.facial, some.head) if flow is not None))
        parts = [some.expression for some in flows if some.expression is not None]
        found[pair] = _FlowScales(whole, _expression_scale(parts) if parts else whole)
    return found


def _expression_scale(flows: Sequence[FlowField]) -> float:
    """Choose the scale of expression flow by where there is any: most of an image has none, and would hide that."""
    lengths = [np.hypot(flow[..., 0], flow[..., 1])[is_known(flow)] for flow in flows]
    moving = [part[part > _STILL] for part in lengths]
    return max(scale(moving), _LEAST_SCALE) if any(part.size for part in moving) else _LEAST_SCALE


def _error_scales(rows: Sequence[PanelRow], errors: Sequence[FlowError]) -> dict[tuple[str, bool], float]:
    """Choose the scale of each pair's endpoint errors, and that of its photometric errors."""
    values: dict[tuple[str, bool], list[npt.NDArray[np.float32]]] = {}
    for row, error in zip(rows, errors, strict=True):
        values.setdefault((row.pair, error.is_endpoint), []).append(error.values[error.valid])
    return {key: scale(parts) for key, parts in values.items()}


def _error_caption(error: FlowError, full: float) -> str:
    kind, unit = ("endpoint", "px") if error.is_endpoint else ("photometric", "of 255")
    mean = "-" if error.mean is None else f"{error.mean:.3g}"
    return f"{kind}: mean {mean}, bright {full:.3g} {unit}"


def _compose(
    columns: Sequence[str], cells: Sequence[Sequence[Picture | None]], captions: Sequence[Sequence[_Caption]]
) -> Picture:
    """Lay out the cells of each row under its captions."""
    images = [[None if cell is None else _fitted(cell) for cell in row] for row in cells]
    heights = [max(image.height for image in row if image is not None) for row in images]
    width = max(_MIN_WIDTH, *(image.width for row in images for image in row if image is not None))
    page_width = _GAP + len(columns) * (width + _GAP)
    page = Image.new("RGB", (page_width, _LINE + sum(heights) + len(heights) * (_LINE + _GAP) + _WHEEL + _GAP), WHITE)
    draw = ImageDraw.Draw(page)
    left = [_GAP + number * (width + _GAP) for number in range(len(columns))]
    for x, column in zip(left, columns, strict=True):
        draw.text((x + width // 2, _LINE // 2), column, BLACK, font(17), anchor="mm")

    y = _LINE
    with_errors = len(columns) > 3
    for row, height, above in zip(images, heights, captions, strict=True):
        for first, count, caption in above:
            space = count * (width + _GAP) - _GAP
            draw.text((left[first], y + _LINE // 2), _shortened(caption, space), BLACK, font(), anchor="lm")
        y += _LINE
        for x, image in zip(left, row, strict=True):
            if image is not None:
                corner = x + (width - image.width) // 2, y + (height - image.height) // 2
                page.paste(image, corner)
                # Without a frame a flow of zero, which is white, would not show on the white page.
                edge = corner[0] + image.width, corner[1] + image.height
                draw.rectangle((corner[0] - 1, corner[1] - 1, *edge), outline=_FRAME)
            else:
                draw.rectangle((x, y, x + width - 1, y + height - 1), fill=_EMPTY)
                draw.text((x + width // 2, y + height // 2), NOT_DECOMPOSED, BLACK, font(), anchor="mm")
        y += height + _GAP
    _draw_legend(page, draw, y, with_errors)
    return np.asarray(page)


def _draw_legend(page: Image.Image, draw: ImageDraw.ImageDraw, y: int, with_errors: bool) -> None:
    page.paste(Image.fromarray(color_wheel(_WHEEL)), (_GAP, y))
    x = _WHEEL + 3 * _GAP
    lines = (
        "flow: the hue tells where to a point moves, the saturation how far; white is no motion, the rim of the wheel",
        "the length that the row states, darker colors are longer, black is not known",
    )
    for number, line in enumerate(lines):
        draw.text((x, y + 4 + 20 * number), line, BLACK, font(), anchor="lt")
    if not with_errors:
        return
    bar = np.tile(np.arange(256, dtype=np.float32), (12, 1))
    page.paste(Image.fromarray(error_picture(bar, bar >= 0, 255)), (x, y + 52))
    draw.text(
        (x + 256 + _GAP, y + 58), "error: from 0 to the value that the row calls bright;", BLACK, font(), anchor="lm"
    )
    after = x + 256 + 2 * _GAP + round(font().getlength("error: from 0 to the value that the row calls bright;"))
    draw.rectangle((after, y + 52, after + 24, y + 63), fill=NOT_MEASURED)
    draw.text((after + 24 + _GAP, y + 58), "not measured", BLACK, font(), anchor="lm")


def _fitted(picture: Picture) -> Image.Image:
    """Scale a picture to fit a cell, keeping its shape."""
    height, width = picture.shape[:2]
    factor = min(CELL[0] / width, CELL[1] / height)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return Image.fromarray(picture).resize(size, Image.Resampling.BOX if factor < 1 else Image.Resampling.BILINEAR)


def _shortened(text: str, space: float) -> str:
    """Cut a text so that it is at most `space` pixels wide."""
    if font().getlength(text) <= space:
        return text
    while text and font().getlength(text + "...") > space:
        text = text[:-1]
    return text + "..."
