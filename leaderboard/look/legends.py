"""Keys to pictures, as pieces of HTML: numbers and names of ours only, and the names escaped all the same."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
from PIL import Image

from ffbench.flow.color import color_wheel_legend
from ffbench.io.escape import html
from ffbench.visual.colors import Color
from ffbench.visual.picture import NOT_MEASURED, encode_png, error_picture

_WHEEL = 112
_FRAME = 190  # grey
_ROW = "display:flex;flex-wrap:wrap;align-items:center;gap:0.4rem 1rem;font-size:0.85rem;line-height:1.35"


def data_uri(picture: npt.NDArray[np.uint8]) -> str:
    """Return a picture, RGB or RGBA, as an address that holds it."""
    return "data:image/png;base64," + base64.b64encode(encode_png(picture)).decode()


def compact_uri(picture: npt.NDArray[np.uint8]) -> str:
    """Return a picture, RGB, as an address that holds it in few bytes: not exact, for looking at."""
    content = io.BytesIO()
    Image.fromarray(picture).save(content, format="WEBP", quality=90, method=2)
    return "data:image/webp;base64," + base64.b64encode(content.getvalue()).decode()


def framed(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Draw a grey border into a picture and return it: no motion is white, and so is the page."""
    picture[[0, -1], :] = picture[:, [0, -1]] = _FRAME
    return picture


def flow_legend() -> str:
    """Return the color wheel, and what it says."""
    return (
        f'<div style="{_ROW}"><img src="{_wheel()}" width="{_WHEEL // 2}" height="{_WHEEL // 2}" '
        'alt="color wheel of flow directions"/><span>The hue is where to a point moves, white is no motion, full '
        "color the length at the <b>rim</b>, darker is longer, grey is not known.</span></div>"
    )


def error_legend(full: float, unit: str, mean: float | None) -> str:
    """Return the color bar of errors, from 0 to `full`."""
    ramp = np.tile(np.arange(256, dtype=np.float32), (2, 1))
    bar = data_uri(error_picture(ramp, ramp >= 0, 255))
    said = "nothing is measured" if mean is None else f"mean {mean:.3g} {unit}"
    return (
        f'<div style="font-size:0.85rem"><img src="{bar}" alt="color bar from 0 to {full:.3g} {html(unit)}" '
        'style="width:100%;height:12px;display:block;border-radius:3px"/>'
        f'<div style="display:flex;justify-content:space-between"><span>0</span><span>{html(said)}</span>'
        f"<span>{full:.3g} {html(unit)} and more</span></div>{_chips([('not measured', NOT_MEASURED)])}</div>"
    )


def color_legend(colors: Mapping[str, Color]) -> str:
    """Return names and their colors."""
    return _chips(list(colors.items()))


def _chips(entries: Sequence[tuple[str, Color]]) -> str:
    chips = "".join(
        f'<span><span style="display:inline-block;width:0.8em;height:0.8em;border-radius:2px;border:1px solid #888;'
        f'background:rgb{color}"></span> {html(name)}</span>'
        for name, color in entries
    )
    return f'<div style="{_ROW}">{chips}</div>'


@cache
def _wheel() -> str:
    return data_uri(wheel())


@cache
def wheel() -> npt.NDArray[np.uint8]:
    """Return the color wheel, RGBA, with nothing around it, so that it stands on dark ground too."""
    offsets = (np.arange(_WHEEL) + 0.5) / _WHEEL * 2 - 1
    inside = np.hypot(*np.meshgrid(offsets, offsets)) <= 1
    return np.dstack([color_wheel_legend(_WHEEL), np.where(inside, 255, 0).astype(np.uint8)])
