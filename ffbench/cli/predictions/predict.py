"""`ffbench predict`: a method's flows as files that can be submitted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ffbench.cli.eval_ import INTERRUPTED
from ffbench.cli.shared import options
from ffbench.cli.shared.console import say
from ffbench.cli.shared.run_options import takes_run_config
from ffbench.run_config import RunConfig


@takes_run_config
def predict_flows(
    config: RunConfig,
    protocol: options.ProtocolOrImages,
    out: Annotated[Path, typer.Option("--out", help="Folder for the flow files, new or of an interrupted run.")],
    data: options.Data = None,
    variant: options.Variant = None,
    option: options.ProtocolOptions = [],  # noqa: B006
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, help="Pairs through the method at once.")] = 1,
    save_confidence: options.SaveConfidence = False,
    file_format: Annotated[str, typer.Option("--format", help="flo, or flo5 (smaller).")] = "flo",
) -> None:
    """Write a method's flows for all pairs of a protocol, in the layout that `ffbench submit` takes.

    An interrupted run goes on where it stopped when the same command is given again.
    """
    assignments = options.parse_assignments(option)
    from ffbench.cli.shared.console import note, note_each, progress_bar, stderr
    from ffbench.errors import DataError
    from ffbench.registry import require_method
    from ffbench.submissions.export.predict import predict

    require_method(config.method)
    loaded = options.protocol_or_images(protocol, data, variant, assignments)
    chosen = config.load()
    not_found: list[str] = []
    try:
        with progress_bar(f"{chosen.card.id} on {loaded.card.id}", "pairs") as progress:
            problems = predict(
                chosen,
                loaded,
                out,
                file_format=file_format,
                batch_size=batch_size,
                progress=progress,
                not_found=not_found,
                save_confidence=save_confidence,
            )
    except KeyboardInterrupt:
        stderr().print("interrupted: what was written is kept; the same command goes on from there")
        raise typer.Exit(INTERRUPTED) from None
    say(out)
    if not_found:
        note(f"in {len(not_found)} pairs the method {options.NOTHING_FOUND}")
    note_each("problem", problems)
    if problems:
        raise DataError(loaded.dataset.name, f"{len(problems)} pairs could not be read; they have no flows in {out}")
