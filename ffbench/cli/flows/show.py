"""`ffbench show`: methods side by side on image pairs, as one picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from ffbench.cli.flows.flow import read_pair, say_if_not_found
from ffbench.cli.shared.console import say
from ffbench.cli.shared.run_options import takes_run_config
from ffbench.errors import UsageError
from ffbench.run_config import RunConfig


@takes_run_config
def show(
    images: Annotated[
        list[str],
        typer.Argument(help="Two images for each pair, one after the other. CLIP:NUMBER names a frame of a video."),
    ],
    configs: list[RunConfig],
    out: Annotated[Path, typer.Option("--out", help="PNG file to write.")],
    truth: Annotated[
        list[Path], typer.Option("--truth", help="Reference flow (.flo, .flo5, KITTI .png) of each pair, in order.")
    ] = [],  # noqa: B006
    scale: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option("--scale", min=1e-6, help="Flow in px that pictures show fully saturated; default: by pair."),
    ] = None,
    flows_only: Annotated[
        bool, typer.Option("--flows-only", help="Leave out the images and the error: for faces not to be published.")
    ] = False,
) -> None:
    """Draw facial, head and expression flow and the error of methods on image pairs as one PNG.

    The error is the endpoint error against --truth; without it, the photometric error after warping.
    """
    if len(images) % 2:
        raise UsageError(f"{len(images)} images: expected two for each pair")
    pairs = list(zip(images[::2], images[1::2], strict=True))
    if truth and len(truth) != len(pairs):
        raise UsageError(f"--truth is given {len(truth)} times, expected once for each of the {len(pairs)} pairs")
    if len(configs) > 1 and configs[0].weights is not None:
        raise UsageError("--weights is of one method, expected a single --method beside it")
    if out.suffix.lower() != ".png":
        raise UsageError(f"--out {out}: expected a name that ends in .png")

    from ffbench.cli.shared.console import progress_bar
    from ffbench.flow.files import read_flow_valid
    from ffbench.visual.panel import PanelRow, draw_panel
    from ffbench.visual.picture import write_picture
    from ffbench.wrappers.names import wrapped_name

    loaded = [read_pair(*pair) for pair in pairs]
    references = [read_flow_valid(path, image1.shape[:2])[0] for path, (image1, _) in zip(truth, loaded, strict=False)]
    rows: dict[tuple[int, int], PanelRow] = {}
    with progress_bar("show", "flows") as progress:
        for column, config in enumerate(configs):
            chosen = config.load()
            for number, (image1, image2) in enumerate(loaded):
                progress(len(rows), len(configs) * len(pairs))
                title = " - ".join(Path(image).name for image in pairs[number])
                reference = references[number] if references else None
                flows = chosen.estimate(image1, image2)
                say_if_not_found(f"{chosen.card.id}, {title}", flows)
                label = wrapped_name(config.method, config.refine, config.face_size)
                rows[number, column] = PanelRow(label, title, image1, image2, flows, reference)
    # Pair by pair, so that methods stand below one another.
    write_picture(out, draw_panel([rows[place] for place in sorted(rows)], scale, flows_only=flows_only))
    say(out)
