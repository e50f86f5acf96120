"""A contact sheet of a dataset before it is made: one row an identity, with its images and all its labels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from ffbench.flow.color import flow_to_color
from ffbench.synth.heads.head import HeadModel, Region
from ffbench.synth.pairs.recipe import DatasetRecipe, Plan, plan_sequence, stage
from ffbench.synth.render.labels import Labels
from ffbench.synth.scenes.scene import RASTER, RenderedPair, Renderer, render_pair
from ffbench.visual.colors import BLUE, GREEN, ORANGE, PURPLE, SKY_BLUE, VERMILION, YELLOW
from ffbench.visual.picture import BLACK, WHITE, Picture, color_wheel, flow_scale, font

CELL = 224
COLUMNS = ("I1", "I2", "facial flow", "head flow", "expression flow", "depth", "mask and occlusion", "regions")
REGION_COLORS = {
    Region.BACKGROUND: (0, 0, 0), Region.FOREHEAD: ORANGE, Region.EYES: SKY_BLUE,
    Region.NOSE: GREEN, Region.CHEEKS: YELLOW, Region.LIPS: VERMILION,
    Region.CHIN: PURPLE, Region.EARS: BLUE, Region.SCALP: (120, 90, 60),
    Region.NECK: (150, 200, 150), Region.TORSO: (130, 130, 130), Region.MOUTH: (255, 255, 255),
}  # fmt: skip
OCCLUDED, COVERED = (220, 50, 32), (90, 140, 255)

_GAP = 6
_LINE = 22
_TITLE = 34
_WHEEL = 64


def contact_sheet(
    recipe: DatasetRecipe,
    head: HeadModel,
    identities: int,
    progress: Callable[[int, int], None] | None = None,
    renderer: Renderer = RASTER,
) -> Picture:
    """Draw the last pair of each identity's sequence, where expression and pose are strongest.

    The pairs are the very ones that `write_dataset` makes. Each row names its sequence and states its scales: the
    length of flow that is the rim of the color wheel, and the planar depths that are white and black.

    Expression flow, which is much smaller, has a scale of its own.

    Args:
        recipe: of the dataset.
        head: the head model.
        identities: how many rows.
        progress: told how many rows are done, and how many there are.
        renderer: what draws the images.

    Returns:
        The sheet, (H, W, 3) RGB.
    """
    width = _GAP + len(COLUMNS) * (CELL + _GAP)
    row_height = _LINE + CELL + _GAP
    page = Image.new("RGB", (width, _TITLE + _LINE + identities * row_height + _WHEEL + 2 * _GAP), WHITE)
    draw = ImageDraw.Draw(page)
    title = f"Synthetic facial flow: {identities} identities, {head.name} head, seed {recipe.seed}, {recipe.size} px"
    title += f", {renderer.name}"
    draw.text((_GAP, _TITLE // 2), title, BLACK, font(20), anchor="lm")
    for number, column in enumerate(COLUMNS):
        middle = _GAP + number * (CELL + _GAP) + CELL // 2
        draw.text((middle, _TITLE + _LINE // 2), column, BLACK, font(), anchor="mm")
    for identity in range(identities):
        plan = plan_sequence(recipe, head, identity)
        scene, frames = stage(recipe, head, plan)
        pair = render_pair(scene, frames[-2], frames[-1], plan.frames - 2, renderer=renderer, jaw=recipe.jaw)
        _draw_row(page, draw, _TITLE + _LINE + identity * row_height, plan, pair)
        if progress is not None:
            progress(identity + 1, identities)
    _draw_legend(page, draw, page.height - _WHEEL - _GAP)
    return np.asarray(page)


def _draw_row(page: Image.Image, draw: ImageDraw.ImageDraw, top: int, plan: Plan, pair: RenderedPair) -> None:
    labels = pair.labels
    facial, head, expression = labels.facial, labels.head, labels.expression
    full, own = flow_scale(facial[labels.mask], head[labels.mask]), flow_scale(expression[labels.mask])
    depths = labels.depth[labels.mask]
    near, far = (float(depths.min()), float(depths.max())) if depths.size else (0.0, 1.0)
    parts = [f"{plan.folder}: frames {plan.frames - 1} and {plan.frames} of {plan.frames}"]
    parts += [f"rim of the wheel {full:.3g} px", f"rim {own:.3g} px"]
    parts += [f"{near * 10:.0f} cm (white) to {far * 10:.0f} cm"]
    for number, text in zip((0, 2, 4, 5), parts, strict=True):
        draw.text((_GAP + number * (CELL + _GAP), top + _LINE // 2), text, BLACK, font(), anchor="lm")
    cells = [pair.frame1.image, pair.frame2.image, flow_to_color(facial, full), flow_to_color(head, full)]
    cells += [flow_to_color(expression, own), _depth(labels, near, far), _mask(labels), _regions(labels)]
    for number, cell in enumerate(cells):
        # Labels are not blended, so that no color shows that stands for nothing.
        how = Image.Resampling.BOX if number < 5 and cell.shape[0] > CELL else Image.Resampling.NEAREST
        picture = Image.fromarray(np.ascontiguousarray(cell)).resize((CELL, CELL), how)
        page.paste(picture, (_GAP + number * (CELL + _GAP), top + _LINE))


def _depth(labels: Labels, near: float, far: float) -> Picture:
    share = (far - labels.depth) / max(far - near, 1e-9)
    grey = np.where(labels.mask, 40 + 215 * np.clip(share, 0, 1), 0).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def _mask(labels: Labels) -> Picture:
    picture = np.zeros((*labels.mask.shape, 3), np.uint8)
    picture[labels.mask] = 255
    picture[labels.occlusion & labels.mask] = OCCLUDED
    picture[labels.occlusion & ~labels.mask] = COVERED
    return picture


def _regions(labels: Labels) -> Picture:
    colors: npt.NDArray[np.uint8] = np.zeros((256, 3), np.uint8)
    for region, color in REGION_COLORS.items():
        colors[region] = color
    return colors[labels.region]


def _draw_legend(page: Image.Image, draw: ImageDraw.ImageDraw, top: int) -> None:
    page.paste(Image.fromarray(color_wheel(_WHEEL)), (_GAP, top))
    x = _GAP + _WHEEL + 2 * _GAP
    lines = (
        "flow: the hue tells where to a point of I1 moves until I2, the saturation how far; white is no motion, "
        "the rim of the wheel the length that a row states (expression flow has its own), darker is longer",
        "mask: the head and bust in I1",
    )
    for number, line in enumerate(lines):
        draw.text((x, top + 10 + number * _LINE), line, BLACK, font(), anchor="lm")
    x += round(font().getlength(lines[1])) + 3 * _GAP
    entries = [(OCCLUDED, "of it not seen in I2"), (COVERED, "background covered in I2")]
    for color, text in entries:
        x = _entry(draw, x, top + 10 + _LINE, color, text)
    x = _GAP + _WHEEL + 2 * _GAP
    for region, color in REGION_COLORS.items():
        if region != Region.BACKGROUND:
            x = _entry(draw, x, top + 10 + 2 * _LINE, color, region.name.lower())


def _entry(draw: ImageDraw.ImageDraw, x: int, y: int, color: tuple[int, int, int], text: str) -> int:
    draw.rectangle((x, y - 6, x + 20, y + 6), fill=color, outline=BLACK)
    draw.text((x + 26, y), text, BLACK, font(), anchor="lm")
    return x + 26 + round(font().getlength(text)) + 3 * _GAP
