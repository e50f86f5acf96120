"""Writing a video that plays as fast as the clip that it was made from, through PyAV (the extra `video`)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ffbench.datasets.clips import Clip
from ffbench.errors import DataError, UsageError, reason
from ffbench.io.atomic import atomic_path
from ffbench.visual.picture import Picture

FORMATS = {".mp4": "mp4", ".mkv": "matroska", ".mov": "mov"}
RATE = 25
"""Frames a second of a folder of frames, which says none."""
_TICKS = 90_000
"""A second in units of time stamps; divides by the usual rates."""
_QUALITY = "18"
"""H.264's constant rate factor: hardly to be told from the picture itself."""
_LARGEST_SIDE = 8192


def require_video(path: Path) -> None:
    """Check that a video can be written, before anything is computed.

    Raises:
        UsageError: PyAV is not installed, or the suffix is of no format that is written.
    """
    if path.suffix.lower() not in FORMATS:
        raise UsageError(f"{path}: expected a video named {', '.join(FORMATS)}")
    _av()


def frame_times(clip: Clip) -> list[float]:
    """Return when each frame of a clip is shown, in s from the first one.

    A video's own time stamps are taken, so that variable frame rates stay what they are; where they cannot be had, or
    are not as many as frames can be decoded, frames are evenly spaced.
    """
    count, rate = len(clip), float(RATE)
    path = clip.path
    if isinstance(path, Path) and path.is_file():
        stamps, average = _stamps(path)
        rate = average or rate
        if len(stamps) == count and all(later > earlier for earlier, later in pairwise(stamps)):
            return [stamp - stamps[0] for stamp in stamps]
    return [number / rate for number in range(count)]


def _stamps(path: Path) -> tuple[list[float], float | None]:
    av = _av()
    from av.error import FFmpegError

    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            average = float(stream.average_rate) if stream.average_rate else None
            stamps = [float(p.pts * p.time_base) for p in container.demux(stream) if p.pts is not None]
    # Whatever is wrong with it, OpenCV has decoded its frames.
    except (FFmpegError, IndexError, ValueError, OSError):
        return [], None
    return sorted(stamps), average


@contextlib.contextmanager
def video_writer(path: Path, times: Sequence[float]) -> Iterator[Callable[[Picture, float], None]]:
    """Write an H.264 video atomically; gives the function that adds a picture and the second at which it is shown.

    All pictures are of one size; one of an odd width or height is extended by its last column or row.

    Args:
        path: the file, with one of the suffixes of `FORMATS`.
        times: of all pictures, in s, rising; their usual distance is the rate that the file states.

    Raises:
        UsageError: as `require_video`.
        DataError: it cannot be written.
    """
    require_video(path)
    av = _av()
    from av.error import FFmpegError

    distance = float(np.median(np.diff(times))) if len(times) > 1 else 1 / RATE
    rate = Fraction(1 / max(distance, 1e-3)).limit_denominator(1001)
    stream: Any = None
    last = -1
    with atomic_path(path) as temporary:
        try:
            with av.open(str(temporary), "w", format=FORMATS[path.suffix.lower()]) as container:

                def add(picture: Picture, seconds: float) -> None:
                    nonlocal stream, last
                    height, width = picture.shape[:2]
                    if stream is None:
                        if max(height, width) > _LARGEST_SIDE:
                            raise DataError(path, f"frames of {width} x {height} px, expected at most {_LARGEST_SIDE}")
                        stream = container.add_stream("libx264", rate=rate, options={"crf": _QUALITY})
                        stream.width, stream.height, stream.pix_fmt = width + width % 2, height + height % 2, "yuv420p"
                        stream.codec_context.time_base = Fraction(1, _TICKS)
                    even = np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
                    frame = av.VideoFrame.from_ndarray(even, format="rgb24")
                    last = max(last + 1, round((seconds - times[0]) * _TICKS))
                    frame.pts, frame.time_base = last, Fraction(1, _TICKS)
                    container.mux(stream.encode(frame))

                yield add
                if stream is not None:
                    container.mux(stream.encode(None))
        except FFmpegError as error:
            raise DataError(path, f"cannot be written as a video ({reason(error)})") from error


def _av() -> Any:
    try:
        import av
    except ImportError as error:
        raise UsageError("a video is written by PyAV: pip install 'ffbench[video]'") from error
    av.logging.set_level(None)
    return av
