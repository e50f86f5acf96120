"""`ffbench bundle`: predictions as one small file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ffbench.cli.predictions.validate import print_report
from ffbench.cli.shared import options
from ffbench.cli.shared.console import say


def bundle_predictions(
    predictions: Annotated[Path, typer.Argument(help="Folder or .zip, .tar, .tar.gz, .tgz archive of flow files.")],
    protocol: options.ProtocolOrImages,
    out: Annotated[Path, typer.Option("--out", help="The bundle, named .bundle.")],
    step: Annotated[int, typer.Option("--step", min=1, help="Keep every n-th pixel of every n-th row.")] = 4,
    challenge: Annotated[
        str,
        typer.Option("--challenge", help="Text of the scorer's that says which pixels, given when all is predicted."),
    ] = "",
    data: options.Data = None,
    variant: options.Variant = None,
    option: options.ProtocolOptions = [],  # noqa: B006
) -> None:
    """Validate predictions and pack every n-th pixel of them, in half precision, for `ffbench submit`.

    No labels are needed: --protocol may be the folder of images that `ffbench export` wrote.
    """
    assignments = options.parse_assignments(option)
    from ffbench.cli.shared.console import progress_bar
    from ffbench.submissions.submit import InvalidSubmission, bundle

    loaded = options.protocol_or_images(protocol, data, variant, assignments)
    try:
        header = bundle(predictions, loaded, out, step=step, challenge=challenge, progress_bar=progress_bar)
    except InvalidSubmission as error:
        print_report(error.report, False)
        raise
    say(
        f"{out}: {len(loaded.keys())} pairs, {' and '.join(header.kinds)} flow, one pixel of {step} x {step} in "
        f"float16, {out.stat().st_size / 1e6:.3g} MB"
    )
    say(f"sha256 of the whole predictions: {header.predictions_sha256}")
