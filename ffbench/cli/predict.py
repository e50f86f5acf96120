"""`ffbench predict`: a method's flows as files that can be submitted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ffbench.cli import options
from ffbench.cli.console import say
from ffbench.cli.eval_ import INTERRUPTED


def predict_flows(
    method: options.Method,
    protocol: options.ProtocolOrImages,
    out: Annotated[Path, typer.Option("--out", help="Folder for the flow files, new or of an interrupted run.")],
    data: options.Data = None,
    variant: options.Variant = None,
    option: options.ProtocolOptions = [],  # noqa: B006
    weights: options.Weights = None,
    device: options.Device = "auto",
    iterations: options.Iterations = None,
    precision: options.PrecisionOption = options.PrecisionName.fp32,
    compile: options.Compile = False,
    refine: options.Refine = None,
    face_size: options.FaceSize = None,
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, help="Pairs through the method at once.")] = 1,
    save_confidence: options.SaveConfidence = False,
    file_format: Annotated[str, typer.Option("--format", help="flo, or flo5 (smaller).")] = "flo",
) -> None:
    """Write a method's flows for all pairs of a protocol, in the layout that `ffbench submit` takes.

    An interrupted run goes on where it stopped when the same command is given again.
    """
    assignments = options.parse_assignments(option)
    from ffbench.cli.console import note, progress_bar, stderr
    from ffbench.errors import DataError
    from ffbench.registry import load_method, require_method
    from ffbench.submissions.predict import predict

    require_method(method)
    loaded = options.protocol_or_images(protocol, data, variant, assignments)
    chosen = load_method(
        method,
        weights=weights,
        device=device,
        iterations=iterations,
        precision=precision.value,
        compile=compile,
        refine=refine,
        face_size=face_size,
    )
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
    for problem in problems:
        note(f"problem: {problem}")
    if problems:
        raise DataError(loaded.dataset.name, f"{len(problems)} pairs could not be read; they have no flows in {out}")
