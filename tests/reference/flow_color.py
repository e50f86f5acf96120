"""The Middlebury color of one flow vector, after its published description: a wheel of 55 hues, then the length."""

from __future__ import annotations

import math


def wheel() -> list[tuple[int, int, int]]:
    """Return the 55 hues from red through yellow, green, cyan, blue and magenta towards red."""
    hues = [(255, 255 * i // 15, 0) for i in range(15)]
    hues += [(255 - 255 * i // 6, 255, 0) for i in range(6)]
    hues += [(0, 255, 255 * i // 4) for i in range(4)]
    hues += [(0, 255 - 255 * i // 11, 255) for i in range(11)]
    hues += [(255 * i // 13, 0, 255) for i in range(13)]
    hues += [(255, 0, 255 - 255 * i // 6) for i in range(6)]
    return hues


def color_slowly(u: float, v: float, max_magnitude: float) -> tuple[int, int, int]:
    """Return the RGB color of a flow (u, v)."""
    hues = wheel()
    length = math.hypot(u, v) / max_magnitude
    position = (math.atan2(-v, -u) / math.pi + 1) / 2 * 54
    first = math.floor(position)
    color = []
    for start, end in zip(hues[first], hues[(first + 1) % 55], strict=True):
        value = (start + (position - first) * (end - start)) / 255
        value = 1 - length * (1 - value) if length <= 1 else 0.75 * value
        color.append(math.floor(255 * value + 1e-9))
    return color[0], color[1], color[2]
