"""`ffbench flow`: the flow of an image pair or of a whole clip, as files and pictures."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from ffbench.cli.shared import options
from ffbench.cli.shared.console import say
from ffbench.cli.shared.run_options import takes_run_config
from ffbench.errors import DataError, UsageError
from ffbench.run_config import DECFLOW, RunConfig

if TYPE_CHECKING:
    from ffbench.method import Method
    from ffbench.protocol import Image, NumpyFlows

_CLIP_FRAME = re.compile(r"(?P<clip>.+):(?P<number>[0-9]{1,9})")


@takes_run_config
def flow(
    image1: Annotated[str, typer.Argument(help="First image; or, alone, a video or a folder of frames.")],
    config: RunConfig = DECFLOW,
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--out", help="Folder for flow files and pictures."),
    ] = None,
    image2: Annotated[
        Optional[str],  # noqa: UP045
        typer.Argument(help="Second image. CLIP:NUMBER names a frame of a video, counted from 0."),
    ] = None,
    video: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--video", help="Of a clip: a video of image, facial, head and expression flow side by side."),
    ] = None,
    npz: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--npz", help="Of a clip: one .npz with all flows."),
    ] = None,
    start: options.Start = 0,
    end: options.End = None,
    step: Annotated[int, typer.Option("--step", min=1, help="Frames from image 1 to image 2, for a clip.")] = 1,
    stride: options.Stride = 1,
    scale: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(
            "--scale", min=1e-6, help="Flow in px that pictures show fully saturated; default: by pair, or by clip."
        ),
    ] = None,
    save_confidence: options.SaveConfidence = False,
    features: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--features", metavar="uvs", help="Also .npz files of u, v, magnitude and optical strain."),
    ] = None,
) -> None:
    """Estimate the flow of two images, or of all pairs of a clip, and write it as .flo and as a picture.

    Writes NAME_facial.flo and .png, and the same for head and expression flow if the method decomposes. With
    --save-confidence also NAME_confidence.npy, and as .png from black (0) to white (1). Of a clip also one video
    (--video) or one .npz (--npz); all its pictures have one color scale. What it will take is said before it starts.
    --features uvs adds NAME_facial.npz, ... and a manifest NAME_features.json, which defines the arrays and names the
    method and its weights.
    """
    from ffbench.cli.flows.flow_features import FeatureWriter, require_features

    wants_features = require_features(features, out)
    if image2 is not None:
        if step != 1:
            raise UsageError("--step is for a clip: two images are one pair")
        if video is not None or npz is not None or start or end is not None or stride != 1:
            raise UsageError("--video, --npz, --start, --end and --stride are for a clip: two images are one pair")
        if out is None:
            raise UsageError("expected --out, a folder for the flow")
        images = read_pair(image1, image2)
        chosen, name = config.load(), f"{_stem(image1)}_{_stem(image2)}"
        flows = chosen.estimate(*images)
        say_if_not_found(name, flows)
        paths = _write(out, name, flows, scale)
        if save_confidence:
            paths += _write_confidence(out, name, chosen, images, flows)
        if wants_features:
            writer = FeatureWriter(out, name)
            paths += writer.add(name, image1, image2, flows)
            paths.append(writer.finish(chosen.card))
        for path in paths:
            say(path)
        return

    from ffbench.cli.flows.flow_clip import ClipRequest, flow_of_clip
    from ffbench.datasets.images import IMAGE_SUFFIXES

    if Path(image1).suffix.lower() in IMAGE_SUFFIXES and Path(image1).is_file():
        raise UsageError(f"{image1}: one image has no flow; give a second one, a video or a folder of frames")
    if out is None and video is None and npz is None:
        raise UsageError("expected what to write: --out FOLDER, --video FILE or --npz FILE")
    if save_confidence and out is None:
        raise UsageError("--save-confidence writes into --out; give that too")
    request = ClipRequest(image1, out, npz, video, start, end, step, stride, scale)
    of_clip = FeatureWriter(out, Path(image1).resolve().stem) if wants_features and out is not None else None
    flow_of_clip(request, config.load, _write, _write_confidence if save_confidence else None, of_clip)


def read_pair(name1: str, name2: str) -> tuple[Image, Image]:
    """Read two images, or frames of clips (`CLIP:NUMBER`), that must be of one size.

    Raises:
        DataError: one cannot be read, or their sizes differ.
    """
    first, second = _read(name1), _read(name2)
    if first.shape != second.shape:
        sizes = [f"{image.shape[1]} x {image.shape[0]}" for image in (first, second)]
        raise DataError(name2, f"is {sizes[1]} pixels, expected {sizes[0]} as {name1}")
    return first, second


def say_if_not_found(name: str, flows: NumpyFlows) -> None:
    """Say so on stderr where a method found nothing to go by in a pair, such as a face."""
    from ffbench.cli.shared.console import stderr

    if flows.found is not None and not flows.found.all():
        stderr().print(f"{name}: the method {options.NOTHING_FOUND}", markup=False, highlight=False, soft_wrap=True)


def _read(name: str) -> Image:
    from ffbench.datasets.clips import open_clip
    from ffbench.datasets.images import read_image

    match = _CLIP_FRAME.fullmatch(name)
    if match is None or Path(name).exists():
        return read_image(name)
    clip, number = open_clip(match["clip"]), int(match["number"])
    if number >= len(clip):
        raise DataError(match["clip"], f"has {len(clip)} frames, so there is no frame {number} (they count from 0)")
    return clip.frame(number)


def _stem(name: str) -> str:
    """Return the part of an image's or frame's name that files made from it carry."""
    match = _CLIP_FRAME.fullmatch(name)
    if match is None or Path(name).exists():
        return Path(name).resolve().stem
    return f"{Path(match['clip']).resolve().stem}_{int(match['number']):05d}"


def _write(folder: Path, name: str, flows: NumpyFlows, scale: float | None) -> list[Path]:
    """Write each flow of a pair and its picture, all pictures on one scale; give the paths."""
    from ffbench.flow.files import write_flow
    from ffbench.visual.picture import flow_picture, flow_scale, write_picture

    named = {"facial": flows.facial, "head": flows.head, "expression": flows.expression}
    present = {kind: field for kind, field in named.items() if field is not None}
    full = flow_scale(*present.values()) if scale is None else scale
    paths = []
    for kind, field in present.items():
        base = folder / f"{name}_{kind}"
        write_flow(base.with_name(f"{base.name}.flo"), field)
        write_picture(base.with_name(f"{base.name}.png"), flow_picture(field, full))
        paths += [base.with_name(f"{base.name}.flo"), base.with_name(f"{base.name}.png")]
    return paths


def _write_confidence(
    folder: Path, name: str, method: Method, images: tuple[Image, Image], flows: NumpyFlows
) -> list[Path]:
    """Write the confidence of a pair's facial flow as .npy and as a picture; give the paths."""
    import numpy as np

    from ffbench.evaluation.confidence import confidence_of_pair, write_confidence
    from ffbench.visual.picture import write_picture

    confidence = confidence_of_pair(method, *images, flows)
    file, picture = (folder / f"{name}_confidence{suffix}" for suffix in (".npy", ".png"))
    write_confidence(file, confidence)
    grey = np.rint(255 * confidence).astype(np.uint8)
    write_picture(picture, np.repeat(grey[:, :, None], 3, axis=2))
    return [file, picture]
