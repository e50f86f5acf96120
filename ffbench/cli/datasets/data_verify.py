"""`ffbench data verify` and `ffbench data prepare`: datasets that the user has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from ffbench.cli.shared import options
from ffbench.cli.shared.console import say, say_json
from ffbench.errors import DataError, UsageError

if TYPE_CHECKING:
    from ffbench.datasets.registry import Verification


def verify_data(
    name: Annotated[str, typer.Argument(help="A dataset; `ffbench data list` names them.")],
    path: Annotated[Path, typer.Argument(help="The dataset's folder, a .zip or .tar, or a folder of these.")],
    quick: Annotated[bool, typer.Option("--quick", help="Look at names and headers alone; decode nothing.")] = False,
    json: options.Json = False,
) -> None:
    """Compare a dataset with what its authors distribute, and list everything that is wrong.

    Ends with exit code 3 if anything is.
    """
    from ffbench.cli.shared.console import progress_bar
    from ffbench.datasets.registry import verify_dataset

    with progress_bar(f"verifying {name}", "files") as progress:
        found = verify_dataset(name, path, quick=quick, progress=progress)
    if json:
        say_json(_as_json(found))
    else:
        _print(found)
    if not found.sound:
        wrong = sum(not count.fits for count in found.counts)
        raise DataError(path, f"not {name} as distributed: {wrong} counts differ, {len(found.problems)} problems")


def prepare_data(
    name: Annotated[str, typer.Argument(help="mead: extract the frames of its frontal videos.")],
    path: Annotated[Path, typer.Argument(help="The dataset's folder, a .zip or .tar, or a folder of these.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write to.")],
    listing: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--list", metavar="FILE", help="Only these videos, one a line; default: all frontal ones."),
    ] = None,
) -> None:
    """Make once what a protocol needs of a dataset. An interrupted run goes on where it stopped."""
    if name != "mead":
        raise UsageError(f"nothing has to be prepared for '{name}'; only mead has")
    from ffbench.cli.shared.console import note_each, progress_bar
    from ffbench.datasets.mead import videos as mead

    videos, problems = mead.find_videos(path)
    if listing is not None:
        videos = mead.choose_videos(videos, listing)
    with progress_bar(f"frames of {len(videos)} videos", "videos") as progress:
        manifest, undecodable = mead.prepare(videos, out, progress)
    note_each("problem", [*problems, *undecodable])
    frames = sum(video.frames for video in manifest.videos.values())
    say(f"{out}: {frames} frames of {len(manifest.videos)} videos, listed in {mead.MANIFEST}")
    if undecodable:
        raise DataError(path, f"{len(undecodable)} of {len(videos)} videos cannot be decoded; they are listed above")


def _as_json(found: Verification) -> str:
    import json

    counts = [
        {"what": count.what, "found": count.found, "expected": count.expected, "fits": count.fits}
        for count in found.counts
    ]
    return json.dumps(
        {
            "dataset": found.name,
            "path": str(found.path),
            "synthetic": found.synthetic,
            "sound": found.sound,
            "counts": counts,
            "problems": list(found.problems),
            "left_out": list(found.left_out),
        },
        indent=1,
    )


def _print(found: Verification) -> None:
    if found.synthetic:
        say(f"{found.path}: a synthetic mini dataset made by ffbench; the real one's counts do not apply")
    width = max(len(count.what) for count in found.counts)
    for count in found.counts:
        expected = "" if count.expected is None else f"  expected {count.expected:>7,}"
        verdict = "" if count.expected is None else ("  ok" if count.fits else "  DIFFERS")
        say(f"{count.what:<{width}}  {count.found:>7,}{expected}{verdict}")
    for line in found.left_out:
        say(f"left out: {line}")
    for problem in found.problems:
        say(f"problem: {problem}")
    say("nothing is wrong" if found.sound else f"{len(found.problems)} problems")
