"""`ffbench texture`: skin textures for the engine from portraits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ffbench.cli.shared.console import say
from ffbench.errors import DataError


def make_textures(
    photos: Annotated[list[Path], typer.Argument(metavar="PHOTO...", help="Portraits, or folders of them.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for NAME.png and its note NAME.json.")],
    size: Annotated[int, typer.Option("--size", min=256, max=4096, help="Height and width of a texture, px.")] = 1024,
    force: Annotated[bool, typer.Option("--force", help="Write textures anew that are there already.")] = False,
) -> None:
    """Make skin textures of portraits, for `ffbench generate --textures DIR`.

    The MakeHuman head is fitted to the largest face of each photograph. What the photograph does not show is filled
    from the other side of the face and with painted skin; its light is evened. An interrupted run goes on where it
    stopped.
    """
    from ffbench.cli.shared.console import note_each, progress_bar
    from ffbench.synth.heads.makehuman import load_makehuman
    from ffbench.texturing.folder import find_portraits, write_textures

    portraits = find_portraits(photos)
    with progress_bar("textures", "photos") as progress:
        written = write_textures(load_makehuman(), portraits, out, size, force, progress)
    note_each("note", written.notes)
    note_each("problem", written.problems)
    there = f", {len(written.kept)} were there" if written.kept else ""
    if written.problems:
        raise DataError(
            f"{len(written.problems)} of {len(portraits)} photographs have the problems above; "
            f"{len(written.made)} textures are written to {out}{there}"
        )
    say(f"{out}: {len(written.made)} textures{there}")
