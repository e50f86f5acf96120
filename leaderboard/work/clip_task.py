"""What the bounded process does with a clip: read some of its frames, and run a method from each to the next."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np

FRAMES = "frames.npz"


def answer(folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Read frames of the clip at `request["clip"]`, bring them to `side` px, and estimate the flows between them.

    Frames are decoded one at a time, no more than are needed. Writes `FRAMES`: `frames` (N, H, W, 3) uint8 and the
    flows of frame to next frame, `facial` (N - 1, H, W, 2) float32 in px of these frames, and `head` where the method
    decomposes.

    Returns:
        `seconds` that the method took, and `size`, width and height of the clip itself.

    Raises:
        DataError: the clip cannot be decoded, or has fewer than two of the frames that are asked for.
        FfbenchError: the method cannot be loaded, or failed.
        MemoryError: it needs more than this process may have.
    """
    from ffbench.datasets.clips import open_clip
    from ffbench.errors import DataError
    from ffbench.protocol import Pair

    from .estimate_task import run_method

    clip = open_clip(str(folder / request["clip"]), cache_bytes=0)
    every, most = int(request["every"]), int(request["frames"])
    wanted = itertools.islice(clip.frames(), 0, 1 + every * (most - 1), every)
    frames = [_smaller(frame, int(request["side"])) for frame in wanted]
    if len(frames) < 2:
        raise DataError(request["clip"], f"has no two frames that are {every} apart")
    pairs = [Pair(str(number), *two, None) for number, two in enumerate(itertools.pairwise(frames))]
    flows, _, seconds = run_method(request, pairs, backward=False)
    arrays: dict[str, Any] = {"frames": np.stack(frames), "facial": np.stack([flow.facial for flow in flows])}
    heads = [flow.head for flow in flows if flow.head is not None]
    if len(heads) == len(flows):
        arrays["head"] = np.stack(heads)
    np.savez(folder / FRAMES, **arrays)
    return {"seconds": seconds, "size": clip.size}


def _smaller(frame: Any, side: int) -> Any:
    import cv2

    height, width = frame.shape[:2]
    factor = side / max(height, width)
    if factor >= 1:
        return frame
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
