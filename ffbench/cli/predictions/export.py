"""`ffbench export`: a protocol's images without its labels, for those who make predictions elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ffbench.cli.shared import options
from ffbench.cli.shared.console import say


def export_protocol(
    protocol: Annotated[str, typer.Option("--protocol", "-p", help="Protocol. See `ffbench protocols list`.")],
    out: Annotated[Path, typer.Option("--out", help="New folder of images.")],
    data: options.Data = None,
    variant: options.Variant = None,
    option: options.ProtocolOptions = [],  # noqa: B006
) -> None:
    """Write a protocol's images, and nothing of its labels.

    `predict`, `validate` and `bundle` take the folder as their --protocol: predictions can be made and checked where
    the labels are not. Its README.md says how flows must be written, its pairs.csv where each belongs.
    """
    assignments = options.parse_assignments(option)
    from ffbench.cli.shared.console import progress_bar
    from ffbench.registry import load_protocol
    from ffbench.submissions.export.images import MANIFEST, export_images
    from ffbench.submissions.export.notes import PAIRS, README

    loaded = load_protocol(protocol, data=data, variant=variant, options=assignments)
    with progress_bar(f"images of {protocol}", "pairs") as progress:
        pairs = export_images(loaded, out, progress)
    say(f"{out}: images of {pairs} pairs, {PAIRS}, {README} and {MANIFEST}, no labels")
