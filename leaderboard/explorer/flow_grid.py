"""Flows beside each other as a page of its own: one cursor over all of them says their values."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ffbench.flow.checks import is_known
from ffbench.io.escape import html
from ffbench.protocol import FlowPart
from ffbench.typing import FlowField
from ffbench.visual.picture import flow_colors

from ..look.legends import compact_uri, framed

MAX_SIDE = 256
"""Values along the longer side; of larger flows every second, third, ... pixel is told."""
UNIT = 0.01
"""Px; what values are rounded to."""
_UNKNOWN = -(2**15)


@dataclass(frozen=True)
class Tile:
    """A flow (H, W, 2) in px; `full` is the length that is fully saturated. `row` and `note` are words for readers."""

    row: str
    part: FlowPart
    field: FlowField
    full: float
    note: str = ""


def packed(field: FlowField) -> tuple[str, int, int, int]:
    """Pack a flow for the page: values in steps of `UNIT`, each pixel less the one to its left, deflated, as base64.

    Returns:
        The text, the width and height of what it holds, and how many pixels of the flow lie between two of its values.
    """
    step = max(1, -(-max(field.shape[:2]) // MAX_SIDE))
    kept = field[::step, ::step]
    known = is_known(kept)[..., None]
    whole = np.clip(np.rint(np.where(known, kept, 0) / UNIT), _UNKNOWN + 1, -_UNKNOWN - 1)
    whole = np.where(known, whole, _UNKNOWN).astype("<i2")
    steps = np.diff(whole, axis=1, prepend=np.zeros_like(whole[:, :1]))  # wraps around, and back in the page
    return base64.b64encode(zlib.compress(steps.tobytes(), 6)).decode(), kept.shape[1], kept.shape[0], step


def flow_grid(tiles: Sequence[Tile], *, dark: bool, reference: str | None = None) -> str:
    """Return the page.

    Args:
        tiles: row by row; those of one row stand beside each other where there is room.
        dark: whether the page is dark.
        reference: the row that errors are measured against; None: there is none.
    """
    rows = list(dict.fromkeys(tile.row for tile in tiles))
    data, body = [], []
    for row in rows:
        own = [(number, tile) for number, tile in enumerate(tiles) if tile.row == row]
        body.append(f'<h2>{html(row)}</h2><div class="row">{"".join(_figure(*one) for one in own)}</div>')
    for tile in tiles:
        text, width, height, step = packed(tile.field)
        data.append({"row": rows.index(tile.row), "part": tile.part, "data": text, "w": width, "h": height, "s": step})
    against = rows.index(reference) if reference in rows else -1
    # "<" would end the script early.
    content = json.dumps({"tiles": data, "against": against, "unit": UNIT}).replace("<", "\\u003c")
    return (
        _PAGE.replace("@COLOR@", "#e6e9ef" if dark else "#1f2430")
        .replace("@SOFT@", "#b9c0cc" if dark else "#4a5160")
        .replace("@BODY@", "".join(body))
        .replace("@DATA@", content)
    )


def _figure(number: int, tile: Tile) -> str:
    picture = compact_uri(framed(flow_colors(tile.field, tile.full)))
    words = f"{tile.part} flow" + (f", {tile.note}" if tile.note else "")
    return (
        f'<figure><div class="stage" id="t{number}" tabindex="0" role="group" '
        f'aria-label="{html(f"{tile.row}: {words}; arrow keys move the cursor")}">'
        f'<img src="{picture}" alt="{html(f"{words} in Middlebury colors")}"><i></i></div>'
        f"<figcaption><b>{html(tile.part)}</b> · rim {tile.full:.3g} px"
        f"{f'<small>{html(tile.note)}</small>' if tile.note else ''}"
        f'<output id="v{number}">&nbsp;</output></figcaption></figure>'
    )


_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Flows</title>
<style>
  body { margin: 0; font: 14px/1.35 "Source Sans Pro", "Source Sans 3", sans-serif; color: @COLOR@;
         background: transparent; }
  h2 { font-size: 15px; margin: 14px 0 6px; }
  h2:first-child { margin-top: 0; }
  .row { display: grid; grid-template-columns: repeat(auto-fill, minmax(max(150px, 31%), 1fr)); gap: 12px; }
  figure { margin: 0; min-width: 0; }
  .stage { position: relative; cursor: crosshair; touch-action: pan-y; line-height: 0; }
  .stage:focus-visible { outline: 3px solid #0072b2; }
  .stage img { width: 100%; border-radius: 4px; user-select: none; }
  .stage i { position: absolute; width: 15px; height: 15px; margin: -8px 0 0 -8px; border-radius: 50%; display: none;
             border: 2px solid #000; box-shadow: 0 0 0 1px #fff, inset 0 0 0 1px #fff; pointer-events: none; }
  figcaption { padding: 4px 0 0; }
  small, output { display: block; font-size: 13px; color: @SOFT@; }
  output { min-height: 36px; font-variant-numeric: tabular-nums; color: @COLOR@; }
</style>
<body>@BODY@
<script>
  const {tiles, against, unit} = @DATA@;
  const UNKNOWN = -32768, $ = id => document.getElementById(id);
  async function unpack(tile) {
    const bytes = Uint8Array.from(atob(tile.data), mark => mark.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    const values = new Int16Array(await new Response(stream).arrayBuffer());
    for (let y = 0; y < tile.h; y++)
      for (let i = 2 * y * tile.w + 2; i < 2 * (y + 1) * tile.w; i++) values[i] += values[i - 2];
    return values;
  }
  const wait = Promise.all(tiles.map(unpack));
  const at = {x: 0, y: 0};
  function value(tile, values, x, y) {
    const i = 2 * (y * tile.w + x);
    return values[i] == UNKNOWN ? null : [values[i] * unit, values[i + 1] * unit];
  }
  const signed = number => (number < 0 ? "\\u2212" : "+") + Math.abs(number).toFixed(2);
  async function show() {
    const all = await wait;
    tiles.forEach((tile, n) => {
      const x = Math.min(tile.w - 1, Math.max(0, Math.round(at.x * tile.w - 0.5)));
      const y = Math.min(tile.h - 1, Math.max(0, Math.round(at.y * tile.h - 0.5)));
      const mark = $("t" + n).querySelector("i");
      mark.style.display = "block";
      mark.style.left = 100 * (x + 0.5) / tile.w + "%"; mark.style.top = 100 * (y + 0.5) / tile.h + "%";
      const here = value(tile, all[n], x, y);
      let words = `x ${x * tile.s}, y ${y * tile.s}: `;
      words += here ? `(${here.map(signed).join(", ")}) px, length ${Math.hypot(...here).toFixed(2)}` : "unknown";
      const other = tiles.findIndex(o => o.row == against && o.part == tile.part);
      if (here && other >= 0 && other != n && tiles[other].w == tile.w) {
        const truth = value(tiles[other], all[other], x, y);
        if (truth) words += `; off by ${Math.hypot(here[0] - truth[0], here[1] - truth[1]).toFixed(2)} px`;
      }
      $("v" + n).textContent = words;
    });
  }
  tiles.forEach((tile, n) => {
    const stage = $("t" + n);
    const point = event => {
      const box = stage.getBoundingClientRect();
      at.x = (event.clientX - box.left) / box.width; at.y = (event.clientY - box.top) / box.height;
      show();
    };
    stage.onpointermove = point; stage.onpointerdown = point;
    stage.onfocus = () => { if (stage.matches(":focus-visible")) { at.x ||= 0.5; at.y ||= 0.5; show(); } };
    stage.onkeydown = event => {
      const way = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[event.key];
      if (!way) return;
      const [dx, dy] = way;
      event.preventDefault();
      at.x = Math.min(1, Math.max(0, at.x + dx / tile.w)); at.y = Math.min(1, Math.max(0, at.y + dy / tile.h));
      show();
    };
  });
</script></body></html>
"""
