"""`ffbench corrupt`: a picture of all corruptions of a clip."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ffbench.cli.shared.console import say


def show_corruptions(
    clip: Annotated[Path, typer.Argument(help="Video, or folder of frames, that shows a face.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="PNG file to write.")],
    frame: Annotated[
        int, typer.Option("--frame", min=0, help="Number of the frame, from 0; exposure and color change most at 5.")
    ] = 5,
) -> None:
    """Draw a face under every corruption of clip_robustness, a row a corruption, a column a severity (1 to 5).

    A part of the twelve needs PyAV: pip install 'ffbench[video]'.
    """
    import numpy as np

    from ffbench.corruptions.face_clip import FaceClip
    from ffbench.corruptions.picture import corruptions_picture
    from ffbench.datasets.clips import open_clip
    from ffbench.datasets.tracks.plain import LANDMARKS
    from ffbench.errors import DataError
    from ffbench.facemesh.tracker import track
    from ffbench.visual.picture import write_picture

    opened = open_clip(clip)
    if frame >= len(opened):
        raise DataError(clip, f"has {len(opened)} frames, so there is no frame {frame} (they count from 0)")
    # The face of the one frame stands for that of all: the picture shows no other.
    points = next(track([opened.frame(frame)])).points
    if points is None:
        raise DataError(clip, f"no face was found in frame {frame}; name another one with --frame")
    everywhere = np.broadcast_to(points, (len(opened), LANDMARKS, 2))
    seen = FaceClip(opened.frames, everywhere, int(opened.sha256()[:8], 16))
    write_picture(out, corruptions_picture(seen, frame))
    say(out)
