"""Colors that most kinds of color blindness leave apart: Okabe and Ito, Color Universal Design (2008)."""

from __future__ import annotations

Color = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""

ORANGE: Color = (230, 159, 0)
SKY_BLUE: Color = (86, 180, 233)
GREEN: Color = (0, 158, 115)
YELLOW: Color = (240, 228, 66)
BLUE: Color = (0, 114, 178)
VERMILION: Color = (213, 94, 0)
PURPLE: Color = (204, 121, 167)


def hex_color(color: Color) -> str:
    """Return a color as plotting libraries and style sheets take it, such as `#0072B2`."""
    return "#{:02X}{:02X}{:02X}".format(*color)
