"""`ffbench features`: what recognisers are fed with, of every clip of a dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ffbench.cli.eval_ import INTERRUPTED
from ffbench.cli.shared import options
from ffbench.cli.shared.console import say
from ffbench.cli.shared.run_options import takes_run_config
from ffbench.errors import DataError, UsageError
from ffbench.run_config import RunConfig

_KINDS = ("facial", "head", "expression")
_DERIVE = ("none", "rigid", "homography")


@takes_run_config
def write_dataset_features(
    dataset: Annotated[str, typer.Argument(help="A dataset of micro-expressions, as `ffbench data list` names it.")],
    config: RunConfig,
    out: Annotated[Path, typer.Option("--out", help="New folder for the files and their manifest, features.json.")],
    data: options.Data = None,
    flow: Annotated[str, typer.Option("--flow", help="facial, head or expression.")] = "facial",
    derive_head: Annotated[
        str, typer.Option("--derive-head", help="Head flow of a method with one flow: none, rigid or homography.")
    ] = "none",
) -> None:
    """Write u, v, magnitude, optical strain and the registered onset face of every clip, as recognisers see them.

    KEY.npz for each clip whose apex follows its onset, float32. The manifest says which method, weights (SHA-256) and
    alignment made them, and defines every array; `ffbench.microexpressions.feature_files` reads them.
    """
    for given, choices, name in ((flow, _KINDS, "--flow"), (derive_head, _DERIVE, "--derive-head")):
        if given not in choices:
            raise UsageError(f"{name} is '{given}', expected {' or '.join(choices)}")
    from typing import cast

    from ffbench.cli.shared.console import note, note_each, progress_bar, stderr
    from ffbench.datasets.registry import find_data, load_dataset
    from ffbench.io.archives.member_path import open_tree
    from ffbench.metrics.head_motion import Derive
    from ffbench.microexpressions.extract import FlowChoice, write_features
    from ffbench.microexpressions.flow_choice import Kind
    from ffbench.registry import require_method

    require_method(config.method)
    known = load_dataset(dataset)
    found = known.load_clips(open_tree(data or find_data(dataset)))
    method = config.load()
    choice = FlowChoice(cast("Kind", flow), cast("Derive", derive_head))
    try:
        with progress_bar(f"{method.card.id} on {known.title}", "clips") as progress:
            manifest = write_features(out, method, known.title, found, choice, progress)
    except KeyboardInterrupt:
        stderr().print("interrupted: the folder has no manifest; the same command writes it anew")
        raise typer.Exit(INTERRUPTED) from None
    kind = " synthetic" if found.synthetic else ""
    say(f"{out}: {len(manifest.clips)}{kind} clips, {', '.join(manifest.arrays)}")
    note_each("left out", manifest.left_out)
    lost = sum(not clip.found for clip in manifest.clips)
    if lost:
        note(f"in {lost} clips the method {options.NOTHING_FOUND}")
    note_each("problem", manifest.problems)
    if manifest.problems:
        raise DataError(known.title, f"{len(manifest.problems)} problems; the manifest names them, clips are missing")
