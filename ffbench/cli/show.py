"""`ffbench show`: methods side by side on image pairs, as one picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from ffbench.cli import options
from ffbench.cli.console import say
from ffbench.cli.flow import read_pair, say_if_not_found
from ffbench.errors import UsageError


def show(
    images: Annotated[
        list[str],
        typer.Argument(help="Two images for each pair, one after the other. CLIP:NUMBER names a frame of a video."),
    ],
    method: Annotated[
        list[str], typer.Option("--method", "-m", help="Method, as `ffbench eval` takes it; repeat it to compare.")
    ],
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
    weights: options.Weights = None,
    device: options.Device = "auto",
    iterations: options.Iterations = None,
    precision: options.PrecisionOption = options.PrecisionName.fp32,
    compile: options.Compile = False,
    refine: options.Refine = None,
    face_size: options.FaceSize = None,
) -> None:
    """Draw facial, head and expression flow and the error of methods on image pairs as one PNG.

    The error is the endpoint error against --truth; without it, the photometric error after warping.
    """
    if len(images) % 2:
        raise UsageError(f"{len(images)} images: expected two for each pair")
    pairs = list(zip(images[::2], images[1::2], strict=True))
    if truth and len(truth) != len(pairs):
        raise UsageError(f"--truth is given {len(truth)} times, expected once for each of the {len(pairs)} pairs")
    if weights is not None and len(method) > 1:
        raise UsageError("--weights is of one method, expected a single --method beside it")
    if out.suffix.lower() != ".png":
        raise UsageError(f"--out {out}: expected a name that ends in .png")

    from ffbench.cli.console import progress_bar
    from ffbench.flow.files import read_flow_valid
    from ffbench.registry import load_method
    from ffbench.visual.panel import PanelRow, draw_panel
    from ffbench.visual.picture import write_picture
    from ffbench.wrappers.names import wrapped_name

    loaded = [read_pair(*pair) for pair in pairs]
    references = [read_flow_valid(path, image1.shape[:2])[0] for path, (image1, _) in zip(truth, loaded, strict=False)]
    rows: dict[tuple[int, int], PanelRow] = {}
    with progress_bar("show", "flows") as progress:
        for column, name in enumerate(method):
            chosen = load_method(
                name,
                weights=weights,
                device=device,
                iterations=iterations,
                precision=precision.value,
                compile=compile,
                refine=refine,
                face_size=face_size,
            )
            for number, (image1, image2) in enumerate(loaded):
                progress(len(rows), len(method) * len(pairs))
                title = " - ".join(Path(image).name for image in pairs[number])
                reference = references[number] if references else None
                flows = chosen.estimate(image1, image2)
                say_if_not_found(f"{chosen.card.id}, {title}", flows)
                label = wrapped_name(name, refine, face_size)
                rows[number, column] = PanelRow(label, title, image1, image2, flows, reference)
    # Pair by pair, so that methods stand below one another.
    write_picture(out, draw_panel([rows[place] for place in sorted(rows)], scale, flows_only=flows_only))
    say(out)
