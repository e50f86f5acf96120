"""`ffbench stabilize`: a clip whose head is held still by the head flow."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from ffbench.cli.shared import options
from ffbench.cli.shared.console import note, say
from ffbench.cli.shared.run_options import takes_run_config
from ffbench.errors import DataError, UsageError
from ffbench.run_config import DECFLOW, RunConfig


@takes_run_config
def stabilize_clip(
    clip: Annotated[str, typer.Argument(help="A video or a folder of frames.")],
    video: Annotated[Path, typer.Option("--video", help="Video to write: .mp4, .mkv or .mov.")],
    config: RunConfig = DECFLOW,
    csv: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--csv", help="Also write the motion of the head: a 2 x 3 matrix a frame, px."),
    ] = None,
    start: options.Start = 0,
    end: options.End = None,
) -> None:
    """Hold the head of a clip still: every frame is turned, moved and scaled so that the face stays where it began.

    The method must give head flow. The expression stays, and what moves with the body moves the other way. The face is
    found in the first frame that is taken (--start).
    """
    from ffbench.animation.cost import said_seconds
    from ffbench.animation.rehearsal import rehearse
    from ffbench.animation.selection import frame_pairs
    from ffbench.animation.stabilize import face_mask, hold_head_still
    from ffbench.animation.video import frame_times, require_video, video_writer
    from ffbench.cli.shared.console import progress_bar
    from ffbench.datasets.clips import open_clip
    from ffbench.facemesh.tracker import detect_face
    from ffbench.io.atomic import write_text

    require_video(video)
    opened = open_clip(clip)
    pairs = frame_pairs(clip, len(opened), start=start, end=end)
    reference = opened.frame(start)
    box = detect_face(reference)
    if box is None:
        raise DataError(clip, f"no face is found in frame {start}; begin with one that shows a face, by --start")
    chosen = config.load()
    if not chosen.card.decomposes:
        raise UsageError(
            f"{chosen.card.id} gives no head flow, so it cannot hold a head still; use decflow or face_mesh"
        )
    rehearsal = rehearse(opened, pairs, chosen.estimate, most=2)
    numbers = [start, *(second for _, second in pairs)]
    note(f"{len(numbers)} frames: about {said_seconds(len(numbers) * rehearsal.seconds)}")
    times = [frame_times(opened)[number] for number in numbers]
    rows, lost = ["frame,a,b,x,c,d,y\n"], 0
    mask = face_mask(box, reference.shape[:2])
    held = hold_head_still(reference, (opened.frame(number) for number in numbers), chosen.estimate, mask)
    with video_writer(video, times) as add, progress_bar(f"{chosen.card.id} on {opened.name}", "frames") as progress:
        for done, (number, seconds) in enumerate(zip(numbers, times, strict=True)):
            progress(done, len(numbers))
            frame = next(held)
            lost += not frame.found
            add(frame.image, seconds)
            rows.append(f"{number}," + ",".join(f"{value:.6g}" for value in frame.matrix[:2].ravel()) + "\n")
    if lost:
        note(f"in {lost} of {len(numbers)} frames no head was found; they are held as the frame before")
    say(f"{video}: {len(numbers)} frames, the head as in frame {start}")
    if csv is not None:
        write_text(csv, "".join(rows))
        say(f"{csv}: from pixels (x, y) of frame {start} to (a x + b y + x0, c x + d y + y0) of each frame")
