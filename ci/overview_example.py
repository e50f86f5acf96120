"""Render the animation of the Overview page: `python ci/overview_example.py leaderboard/example.webp`.

A face of the engine goes from neutral to surprise and back. Beside it are the exact flows from the first frame to the
one that is shown. The same engine gives the same file.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from ffbench.flow.color import flow_to_color
from ffbench.synth.heads.makehuman import load_makehuman
from ffbench.synth.motion.expressions import Frame
from ffbench.synth.pairs.recipe import DatasetRecipe, plan_sequence, stage
from ffbench.synth.scenes.scene import Scene, render_pair
from ffbench.visual.picture import Picture, flow_scale, font

SEED, IDENTITY, SIZE = 3, 3, 240
SHARES = np.sin(np.linspace(0, np.pi / 2, 9)) ** 2
"""How far the face is on its way to the last frame: slow at both ends."""
MILLISECONDS, HOLD = 90, 900
GAP = 4


def main(out: Path) -> None:
    """Write the animation, a WebP that repeats."""
    recipe = DatasetRecipe(seed=SEED, size=SIZE)
    head = load_makehuman()
    plan = plan_sequence(recipe, head, IDENTITY)
    scene, frames = stage(recipe, head, plan)
    first, last = frames[0], frames[-1]
    pictures = [Image.fromarray(picture) for picture in _pictures(scene, first, last)]
    # The last frame, which has most motion, comes first: it is what is seen before anything moves.
    there_and_back = [*pictures[::-1], *pictures[1:-1]]
    times = [MILLISECONDS] * len(there_and_back)
    times[0] = times[len(pictures) - 1] = HOLD
    there_and_back[0].save(
        out, save_all=True, append_images=there_and_back[1:], duration=times, loop=0, quality=70, method=6
    )


def _pictures(scene: Scene, first: Frame, last: Frame) -> list[Picture]:
    pairs = [render_pair(scene, first, first.towards(last, float(share))) for share in SHARES]
    end = pairs[-1].labels
    full, own = flow_scale(end.facial[end.mask]), flow_scale(end.expression[end.mask])
    return [
        _sheet(
            {
                "the face": pair.frame2.image,
                "facial flow": flow_to_color(pair.labels.facial, full),
                "head flow": flow_to_color(pair.labels.head, full),
                "expression flow": flow_to_color(pair.labels.expression, own),
            }
        )
        for pair in pairs
    ]


def _sheet(tiles: dict[str, Picture]) -> Picture:
    side = 2 * SIZE + GAP
    page = Image.new("RGB", (side, side), (127, 127, 127))
    draw = ImageDraw.Draw(page)
    for number, (title, tile) in enumerate(tiles.items()):
        x, y = (number % 2) * (SIZE + GAP), (number // 2) * (SIZE + GAP)
        page.paste(Image.fromarray(tile), (x, y))
        width = font(15).getlength(title)
        draw.rectangle((x, y, x + width + 16, y + 24), (31, 36, 48))
        draw.text((x + 8, y + 12), title, (255, 255, 255), font(15), anchor="lm")
    return np.asarray(page)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
