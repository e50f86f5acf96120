"""The Middlebury color code of flow: hue is direction, saturation is length.

Source: Baker et al., A Database and Evaluation Methodology for Optical Flow, IJCV 2011, and their color wheel.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ffbench.flow.checks import is_known
from ffbench.typing import FlowField

# Hues between neighbouring pure colors; finer where the eye tells hues apart better.
# Each goes from one color (RGB) to the next: red, yellow, green, cyan, blue, magenta and back.
_ARCS = (
    (15, (255, 0, 0), (255, 255, 0)),
    (6, (255, 255, 0), (0, 255, 0)),
    (4, (0, 255, 0), (0, 255, 255)),
    (11, (0, 255, 255), (0, 0, 255)),
    (13, (0, 0, 255), (255, 0, 255)),
    (6, (255, 0, 255), (255, 0, 0)),
)


def flow_to_color(flow: FlowField, max_magnitude: float | None = None) -> npt.NDArray[np.uint8]:
    """Show a flow in colors: right is red, down yellow, left cyan-blue, up violet; no motion is white.

    Args:
        flow: (H, W, 2), in pixels.
        max_magnitude: length of flow, in pixels, that is shown fully saturated; longer flow is shown
            darker. None: the longest known flow of this field.

    Returns:
        (H, W, 3) uint8 RGB; pixels whose flow is not known are black.

    Raises:
        ValueError: not a flow, or a magnitude that is not positive.
    """
    flow = np.asarray(flow)
    if flow.ndim != 3 or flow.shape[2] != 2:
        raise ValueError(f"expected a flow (H, W, 2), got {flow.shape}")
    if max_magnitude is not None and not (0 < max_magnitude < np.inf):
        raise ValueError(f"max_magnitude must be positive, got {max_magnitude}")
    known = is_known(flow)
    u, v = (np.where(known, flow[:, :, axis], 0).astype(np.float64) for axis in (0, 1))
    length = np.hypot(u, v)
    if max_magnitude is None:
        max_magnitude = float(length.max(initial=0)) or 1.0
    length /= max_magnitude

    wheel = _color_wheel()
    # The wheel starts at flow to the right and goes clockwise on the screen (y points down).
    hue = (np.arctan2(-v, -u) / np.pi + 1) / 2 * (len(wheel) - 1)
    first = hue.astype(np.intp)
    blend = (hue - first)[:, :, None]
    color = (1 - blend) * wheel[first] + blend * wheel[(first + 1) % len(wheel)]
    within = length <= 1
    color = np.where(within[:, :, None], 1 - length[:, :, None] * (1 - color), 0.75 * color)
    # A hair is added so that 255 * (1 - 0.2) becomes 204 whatever the last bit says.
    picture = np.floor(255 * color + 1e-9).astype(np.uint8)
    picture[~known] = 0
    return picture


def color_wheel_legend(size: int) -> npt.NDArray[np.uint8]:
    """Draw the key to `flow_to_color`: a disc whose centre is no motion and whose rim is `max_magnitude`.

    Args:
        size: width and height in pixels.

    Returns:
        (size, size, 3) uint8 RGB, white around the disc.
    """
    offsets = (np.arange(size) + 0.5) / size * 2 - 1
    flow = np.dstack(np.meshgrid(offsets, offsets))
    picture = flow_to_color(flow.astype(np.float32), 1.0)
    picture[np.hypot(flow[:, :, 0], flow[:, :, 1]) > 1] = 255
    return picture


def _color_wheel() -> npt.NDArray[np.float64]:
    """Return the 55 hues (55, 3) as RGB in [0, 1], in steps of 1/255 as the original tables hold them."""
    arcs = []
    for count, start, end in _ARCS:
        step = np.floor(255 * np.arange(count) / count)[:, None]
        arcs.append(np.array(start) + step * np.sign(np.array(end) - np.array(start)))
    wheel: npt.NDArray[np.float64] = np.concatenate(arcs) / 255
    return wheel
