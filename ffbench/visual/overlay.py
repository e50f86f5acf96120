"""Pictures with something drawn over them: regions, arrows of flow, points and where they go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from ffbench.flow.checks import is_known
from ffbench.typing import FlowField, Points
from ffbench.visual.colors import BLUE, GREEN, ORANGE, PURPLE, SKY_BLUE, VERMILION, YELLOW, Color
from ffbench.visual.picture import Picture, flow_scale

PALETTE: tuple[Color, ...] = (
    ORANGE,
    SKY_BLUE,
    GREEN,
    YELLOW,
    BLUE,
    VERMILION,
    PURPLE,
    (170, 170, 170),
    (148, 103, 189),
    (140, 86, 75),
    (227, 66, 52),
)
"""Colors of regions; the first seven are left apart by most kinds of color blindness."""
POINT: Color = (255, 255, 255)
TRUE_END: Color = SKY_BLUE
FLOW_END: Color = ORANGE
_DARK: Color = (0, 0, 0)
_OPACITY = 0.5
_SHORTEST = 1.0  # px; shorter arrows would be dots all over what does not move
_SUBPIXEL_BITS = 4
_HEAD, _SMALLEST_HEAD = 1 / 65, 6  # of the picture's longer side; px; and no more than 0.4 of the arrow
_WIDE = 700  # px; in pictures as large as this, which pages show smaller, lines are 2 px wide


def region_colors(names: Mapping[int, str]) -> dict[int, Color]:
    """Return the color of each region number, in the order of the numbers."""
    return {number: PALETTE[place % len(PALETTE)] for place, number in enumerate(sorted(names))}


def draw_regions(image: Picture, regions: npt.NDArray[np.uint8], colors: Mapping[int, Color]) -> Picture:
    """Tint each region of an image; numbers without a color stay as they are.

    Raises:
        ValueError: image and regions are not of one size.
    """
    if regions.shape != image.shape[:2]:
        raise ValueError(f"expected regions {image.shape[:2]}, got {regions.shape}")
    table = np.zeros((256, 3), np.float32)
    tinted = np.zeros(256, np.float32)
    for number, color in colors.items():
        table[number], tinted[number] = color, _OPACITY
    opacity = tinted[regions][:, :, None]
    return np.rint(image * (1 - opacity) + table[regions] * opacity).astype(np.uint8)


def draw_arrows(image: Picture, flow: FlowField, *, step: int, stretch: float = 1.0, zoom: int = 2) -> Picture:
    """Draw a flow as arrows on a grid.

    Args:
        image: (H, W, 3) RGB.
        flow: (H, W, 2) in pixels.
        step: pixels between arrows.
        stretch: how many times longer than the flow the arrows are.
        zoom: how many times larger than the image the picture is, so that arrows are sharp.

    Returns:
        RGB, (zoom H, zoom W, 3). Unknown flow and flow too short to see has no arrow.

    Raises:
        ValueError: image and flow are not of one size.
    """
    if flow.shape != (*image.shape[:2], 2):
        raise ValueError(f"expected a flow {(*image.shape[:2], 2)}, got {flow.shape}")
    picture = _enlarged(image, zoom)
    for y in range(step // 2, flow.shape[0], step):
        for x in range(step // 2, flow.shape[1], step):
            u, v = (stretch * float(value) for value in flow[y, x])
            if is_known(flow[y, x]) and np.hypot(u, v) >= _SHORTEST:
                _arrow(picture, (x, y), (x + u, y + v), zoom)
    return picture


def draw_points(image: Picture, points: Points, ends: Sequence[tuple[Points, Color]] = (), *, zoom: int = 2) -> Picture:
    """Draw points over an enlarged image, and lines in a color of their own to each of their ends.

    Args:
        image: (H, W, 3) RGB, shown in grey, so that the colors stand out.
        points: (N, 2) x and y in px; NaN is nowhere.
        ends: where the points go to, (N, 2), and the color that says so.
        zoom: how many times larger than the image the picture is.

    Returns:
        RGB, (zoom H, zoom W, 3).
    """
    import cv2

    grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    picture = _enlarged(grey.astype(np.uint8), zoom)
    radius = max(2, round(min(picture.shape[:2]) / 250))
    for targets, color in ends:
        for start, end in zip(points, targets, strict=True):
            if np.isfinite(start).all() and np.isfinite(end).all():
                places = _pixel(start, zoom), _pixel(end, zoom)
                for of, width in ((_DARK, 2 * radius), (color, radius)):
                    cv2.line(picture, *places, of, width, cv2.LINE_AA, _SUBPIXEL_BITS)
    for start in points:
        if np.isfinite(start).all():
            for of, size in ((_DARK, radius + 1), (POINT, radius)):
                cv2.circle(picture, _pixel(start, zoom), size << _SUBPIXEL_BITS, of, -1, cv2.LINE_AA, _SUBPIXEL_BITS)
    return picture


def _enlarged(image: Picture, zoom: int) -> Picture:
    import cv2

    size = image.shape[1] * zoom, image.shape[0] * zoom
    return np.ascontiguousarray(cv2.resize(image, size, interpolation=cv2.INTER_CUBIC))


def _pixel(point: npt.ArrayLike, zoom: int) -> tuple[int, int]:
    """Return a point of the image in the enlarged picture, in OpenCV's fixed point; pixel centres are whole numbers."""
    x, y = ((float(value) + 0.5) * zoom - 0.5 for value in np.asarray(point, np.float64))
    limit = 2.0**24  # far outside any picture, far inside what OpenCV's integers hold
    x, y = (round(float(np.clip(value, -limit, limit)) * 2**_SUBPIXEL_BITS) for value in (x, y))
    return int(x), int(y)


def _arrow(picture: Picture, start: tuple[float, float], end: tuple[float, float], zoom: int) -> None:
    import cv2

    first, last = _pixel(start, zoom), _pixel(end, zoom)
    side = max(picture.shape[:2])
    size, thin = max(_SMALLEST_HEAD, _HEAD * side), 1 if side < _WIDE else 2
    head = min(0.4, size / (zoom * float(np.hypot(end[0] - start[0], end[1] - start[1]))))
    # An edge, so that arrows show on any skin and hair.
    for color, width in ((_DARK, thin + 2), ((255, 255, 255), thin)):
        cv2.arrowedLine(picture, first, last, color, width, cv2.LINE_AA, _SUBPIXEL_BITS, head)


def arrow_stretch(flow: FlowField, step: int) -> float:
    """Choose how many times longer than a flow its arrows are: the longest of them reach the next but one.

    The factor is 1, 2 or 5 times a power of ten, which a caption can state, and never below 1.
    """
    fits = 2 * step / flow_scale(flow)
    return float(
        max([1.0, *(base * 10.0**power for base in (1, 2, 5) for power in range(4) if base * 10**power <= fits)])
    )
