"""`ffbench track`: face mesh tracks that stand in for a tracker's output."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ffbench.cli.shared.console import say
from ffbench.errors import DataError


def track_faces(
    clips: Annotated[Path, typer.Argument(help="Video, folder of frames or of clips, CK+, or prepared MEAD frames.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write to, a subfolder for each clip.")],
) -> None:
    """Find the face mesh in the frames of clips, for mead_vertices and ck_vertices without the metrical tracker.

    Of CK+ sequences the first and the last frame are tracked. An interrupted run goes on where it stopped. Records made
    on such tracks say `pseudo`: the points are a network's, and never those of the paper.
    """
    from ffbench.cli.shared.console import note_each, progress_bar
    from ffbench.facemesh.tracking import find_sources, track_source

    sources, problems = find_sources(clips)
    with progress_bar("tracking", "clips") as progress:
        for done, source in enumerate(sources):
            progress(done, len(sources))
            try:
                track_source(source, out)
            except DataError as error:
                problems.append(f"{error}; the clip is left out")
    note_each("problem", problems)
    if problems:
        raise DataError(clips, f"{len(problems)} problems are listed above; the other tracks are in {out}")
    say(f"{out}: tracks of {len(sources)} clips")
