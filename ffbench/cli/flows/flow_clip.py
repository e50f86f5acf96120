"""The part of `ffbench flow` that takes a clip: flow files and pictures, one `.npz`, a video."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ffbench.cli.shared import options
from ffbench.cli.shared.console import note, progress_bar, say
from ffbench.errors import UsageError

if TYPE_CHECKING:
    from ffbench.animation.rehearsal import Rehearsal
    from ffbench.cli.flows.flow_features import FeatureWriter
    from ffbench.method import Method
    from ffbench.protocol import Image, NumpyFlows


@dataclass(frozen=True)
class ClipRequest:
    """What is wanted of a clip: where to write (`out` a folder, `npz` and `video` files), and of which frames."""

    name: str
    out: Path | None
    npz: Path | None
    video: Path | None
    start: int
    end: int | None
    step: int
    stride: int
    scale: float | None


def flow_of_clip(
    request: ClipRequest,
    load: Callable[[], Method],
    write_pair: Callable[[Path, str, NumpyFlows, float], list[Path]],
    write_confidence: Callable[[Path, str, Method, tuple[Image, Image], NumpyFlows], list[Path]] | None,
    features: FeatureWriter | None = None,
) -> None:
    """Estimate the flows of a clip's pairs and write them in each way that is asked for.

    Args:
        request: what is wanted.
        load: loads the method, once the clip is known to be sound.
        write_pair: writes the flows of a pair into the folder.
        write_confidence: does that with the confidence; None: it is not wanted.
        features: writes features; None: they are not wanted.
    """
    from ffbench.animation.flow_archive import flow_archive
    from ffbench.animation.picture import clip_picture
    from ffbench.animation.rehearsal import SAMPLE, rehearse
    from ffbench.animation.selection import frame_pairs
    from ffbench.animation.video import frame_times, require_video, video_writer
    from ffbench.datasets.clips import open_clip

    if request.video is not None:
        require_video(request.video)
    if request.npz is not None and request.npz.suffix.lower() != ".npz":
        raise UsageError(f"--npz {request.npz}: expected a name that ends in .npz")
    clip = open_clip(request.name)
    pairs = frame_pairs(
        request.name, len(clip), start=request.start, end=request.end, step=request.step, stride=request.stride
    )
    method, stem = load(), Path(request.name).resolve().stem
    rehearsal = rehearse(clip, pairs, method.estimate, SAMPLE if request.scale is None else 2)
    scale = rehearsal.scale if request.scale is None else request.scale
    _announce(request, len(pairs), clip.size, rehearsal, features=features is not None)
    times = [frame_times(clip)[first] for first, _ in pairs] if request.video is not None else []
    lost = 0
    with contextlib.ExitStack() as stack:
        add_flows = None if request.npz is None else stack.enter_context(flow_archive(request.npz, pairs))
        add_picture = None if request.video is None else stack.enter_context(video_writer(request.video, times))
        progress = stack.enter_context(progress_bar(f"{method.card.id} on {clip.name}", "pairs"))
        for number, (first, second) in enumerate(pairs):
            progress(number, len(pairs))
            images = clip.frame(first), clip.frame(second)
            flows = method.estimate(*images)
            lost += flows.found is not None and not flows.found.all()
            name = f"{stem}_{first:05d}_{second:05d}"
            if request.out is not None:
                write_pair(request.out, name, flows, scale)
                if write_confidence is not None:
                    write_confidence(request.out, name, method, images, flows)
            if features is not None:
                features.add(name, f"frame {first}", f"frame {second}", flows)
            if add_flows is not None:
                add_flows(number, flows)
            if add_picture is not None:
                add_picture(clip_picture(images[0], flows, scale, f"frame {first}"), times[number])
        progress(len(pairs), len(pairs))
    if lost:
        note(f"in {lost} of {len(pairs)} pairs the method {options.NOTHING_FOUND}")
    if request.out is not None:
        say(f"{request.out}: flows of {len(pairs)} pairs, as .flo and .png")
    if features is not None:
        say(f"{features.finish(method.card)}: features of {len(pairs)} pairs")
    if request.npz is not None:
        say(f"{request.npz}: flows of {len(pairs)} pairs")
    if request.video is not None:
        say(f"{request.video}: {len(pairs)} pictures, rim of the color wheel {scale:.3g} px")


def _announce(request: ClipRequest, pairs: int, size: tuple[int, int], rehearsal: Rehearsal, *, features: bool) -> None:
    """Say what will be taken, and refuse what the disk has no room for."""
    from ffbench.animation.cost import require_disk, said_bytes, said_seconds
    from ffbench.animation.flow_archive import archive_bytes
    from ffbench.datasets.images import encode_png
    from ffbench.flow.color import flow_to_color
    from ffbench.microexpressions.feature_files import clip_bytes
    from ffbench.submissions.manifest import flo_bytes

    flows = rehearsal.flows
    fields = [field for field in (flows.facial, flows.head, flows.expression) if field is not None]
    height, width = size[1], size[0]
    needed = 0
    if request.out is not None:
        pictures = sum(len(encode_png(flow_to_color(field, rehearsal.scale))) for field in fields)
        folder = pairs * (len(fields) * flo_bytes((height, width)) + pictures)
        folder += pairs * len(fields) * clip_bytes((height, width)) if features else 0
        require_disk(request.out, folder)
        needed += folder
    if request.npz is not None:
        archive = archive_bytes(pairs, (height, width), 1 if flows.head is None else 2)
        require_disk(request.npz.parent, archive + needed)
        needed += archive
    disk = f", {said_bytes(needed)} on the disk" if needed else ""
    note(
        f"{pairs} pairs of {width} x {height} px: about {said_seconds(pairs * rehearsal.seconds)} "
        f"({rehearsal.seconds:.2g} s a pair){disk}"
    )
