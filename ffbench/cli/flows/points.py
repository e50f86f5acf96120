"""`ffbench points`: points of a clip, carried along the flow, as CSV."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ffbench.cli.shared import options
from ffbench.cli.shared.console import note, say
from ffbench.cli.shared.run_options import takes_run_config
from ffbench.errors import UsageError
from ffbench.run_config import DECFLOW, RunConfig

if TYPE_CHECKING:
    from ffbench.animation.points import CarriedPoints
    from ffbench.protocol import Image


@takes_run_config
def carry(
    clip: Annotated[str, typer.Argument(help="A video or a folder of frames.")],
    out: Annotated[
        Path, typer.Option("--out", help="CSV file: point, frame, x, y, and how far there and back misses.")
    ],
    at: Annotated[
        list[str], typer.Option("--at", metavar="X,Y", help="A point of the first frame, px; may be repeated.")
    ] = [],  # noqa: B006
    grid: Annotated[
        int, typer.Option("--grid", min=0, metavar="N", help="Also a point every N px of the face, or of the image.")
    ] = 0,
    tolerance: Annotated[
        float,
        typer.Option("--tolerance", min=0, help="Px that there and back may miss by, beside a tenth of the motion."),
    ] = 1.0,
    config: RunConfig = DECFLOW,
    start: options.Start = 0,
    end: options.End = None,
) -> None:
    """Carry points along the flow of a clip, from frame to frame, and write where they are.

    A point is lost where it leaves the image, or where the flow back from the next frame does not lead to it; the file
    has no more rows of it then. x is to the right, y down, (0, 0) the centre of the first pixel.
    """
    from ffbench.animation.cost import said_seconds
    from ffbench.animation.points import carry_points
    from ffbench.animation.rehearsal import rehearse
    from ffbench.animation.selection import frame_pairs
    from ffbench.cli.shared.console import progress_bar
    from ffbench.datasets.clips import open_clip
    from ffbench.io.atomic import write_text

    given = [_point(text) for text in at]
    if not given and not grid:
        raise UsageError("expected points: --at X,Y (may be repeated) or --grid N")
    opened = open_clip(clip)
    pairs = frame_pairs(clip, len(opened), start=start, end=end)
    width, height = opened.size
    for x, y in given:
        if not (0 <= x <= width - 1 and 0 <= y <= height - 1):
            raise UsageError(
                f"--at {x:g},{y:g}: lies outside of the image, expected 0 to {width - 1}, 0 to {height - 1}"
            )
    points = given + (_grid(opened.frame(start), grid) if grid else [])
    chosen = config.load()
    rehearsal = rehearse(opened, pairs, chosen.estimate, most=2)
    note(f"{len(points)} points, {len(pairs)} steps: about {said_seconds(2 * len(pairs) * rehearsal.seconds)}")
    numbers = [start, *(second for _, second in pairs)]
    rows, carried = ["point,frame,x,y,there_and_back_px\n"], []
    frames = (opened.frame(number) for number in numbers)
    with progress_bar(f"{chosen.card.id} on {opened.name}", "frames") as progress:
        for number, step in zip(numbers, carry_points(points, frames, chosen.estimate, tolerance), strict=False):
            carried.append(step)
            rows += _rows(number, step)
            progress(len(carried), len(numbers))
    write_text(out, "".join(rows))
    kept = sum(map(math.isfinite, carried[-1].positions[:, 0])) if len(carried) == len(numbers) else 0
    say(f"{out}: {kept} of {len(points)} points are followed from frame {start} to frame {numbers[-1]}")
    left = sum(int(step.left.sum()) for step in carried)
    if kept < len(points):
        other = len(points) - kept - left
        note(f"{left} left the image, {other} were lost where the flow there and back do not agree")


def _point(text: str) -> tuple[float, float]:
    try:
        x, y = map(float, text.split(","))
    except ValueError:
        raise UsageError(f"--at {text}: expected X,Y in px, such as 120,85.5") from None
    return x, y


def _grid(image: Image, distance: int) -> list[tuple[float, float]]:
    """Return points `distance` px apart in the face, or in the whole image where no face is found."""
    from ffbench.facemesh.tracker import Box, detect_face

    box = detect_face(image) or Box(0, 0, image.shape[1], image.shape[0])
    rows = range(box.y + distance // 2, box.y + box.height, distance)
    columns = range(box.x + distance // 2, box.x + box.width, distance)
    return [(float(x), float(y)) for y in rows for x in columns]


def _rows(number: int, step: CarriedPoints) -> list[str]:
    return [
        f"{point},{number},{x:.3f},{y:.3f},{error:.3f}\n"
        for point, ((x, y), error) in enumerate(zip(step.positions.tolist(), step.errors.tolist(), strict=True))
        if math.isfinite(x)
    ]
