"""A visitor's clip: bounded before it is read, decoded and estimated in a process of its own, never kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ffbench.errors import DataError, MethodError
from ffbench.method import Flows
from ffbench.protocol import NumpyFlows
from ffbench.typing import Image

from . import bounded, estimates
from .bounded import Limits
from .clip_task import FRAMES
from .private import private_folder

SUFFIXES = (".mp4", ".mov", ".avi", ".webm", ".mkv")
MAX_MEGABYTES = 20
MAX_FRAMES = 24
"""Frames that are used; of longer clips the first ones."""
MAX_SIDE = 320
"""Longer side, in px, of what methods are given."""


@dataclass(frozen=True)
class ClipFlows:
    """Frames (H, W, 3) uint8 of a clip, and the flows from each to the next, in px of these frames.

    `size` is the width and height of the clip itself, `seconds` what the method took for all pairs.
    """

    frames: tuple[Image, ...]
    flows: tuple[NumpyFlows, ...]
    size: tuple[int, int]
    seconds: float


def clip_flows(
    name: str,
    content: bytes | Sequence[Image],
    method: str,
    every: int,
    tell: Callable[[int], None],
    limits: Limits = estimates.LIMITS,
) -> ClipFlows:
    """Run a method on a clip.

    Args:
        name: of the upload, whose suffix must be one of `SUFFIXES`.
        content: its bytes; or frames of ours, all of one size.
        method: as `estimates.estimate` takes it.
        every: frames from one that is used to the next, at least 1.
        tell: as `estimates.estimate` calls it.
        limits: of the process.

    Raises:
        Busy: too many others are waiting.
        DataError: the clip is too large, of no known kind, damaged, or has too few frames.
        MethodError: the method cannot be loaded, failed, or asked for more than `limits`.
    """
    file = _file(name, content)
    with estimates.PLACE.take(tell), private_folder("clip") as folder:
        if isinstance(content, bytes):
            (folder / file).write_bytes(content)
        else:
            _write_frames(folder / file, content)
        request = {"method": method, "clip": file, "every": every, "frames": MAX_FRAMES, "side": MAX_SIDE}
        try:
            result = bounded.run(folder, "clip", request, limits, lambda _: tell(0), estimates.FALLBACK_HINT)
        except DataError as error:
            raise MethodError(f"{method}: {error}") from error
        if "error" in result:
            raise DataError(str(result["error"]).replace(str(folder / file), name))
        with np.load(folder / FRAMES, allow_pickle=False) as found:
            arrays: dict[str, npt.NDArray[np.float32]] = {key: found[key] for key in found.files}
    heads = arrays.get("head")
    flows = tuple(
        Flows(facial, None if heads is None else heads[number]) for number, facial in enumerate(arrays["facial"])
    )
    width, height = result["size"]
    frames = tuple(np.asarray(frame, np.uint8) for frame in arrays["frames"])
    return ClipFlows(frames, flows, (int(width), int(height)), float(result["seconds"]))


def _file(name: str, content: bytes | Sequence[Image]) -> str:
    """Return the name that an upload gets in its folder, of which nothing but the suffix is the visitor's."""
    if not isinstance(content, bytes):
        return "frames"
    suffix = next((suffix for suffix in SUFFIXES if name.lower().endswith(suffix)), None)
    if suffix is None:
        raise DataError(f"{name}: expected a video, {', '.join(SUFFIXES)}")
    if len(content) > MAX_MEGABYTES * 2**20:
        raise DataError(f"{name}: is {len(content)} bytes, at most {MAX_MEGABYTES} MB are read")
    return f"clip{suffix}"


def _write_frames(folder: Path, frames: Sequence[Image]) -> None:
    from PIL import Image as PILImage

    folder.mkdir()
    for number, frame in enumerate(frames):
        PILImage.fromarray(frame).save(folder / f"{number:04d}.png", compress_level=1)
