"""Videos without loss, in MP4 files."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from ffbench.datasets.provenance import mark_mp4
from ffbench.errors import DataError
from ffbench.typing import Image

CODEC = "FFV1"
"""Lossless, in RGB, and part of FFmpeg itself, so that every opencv-python has it, which cannot be said of H.264.
Decoded frames are those that were written, to the last bit. VLC, mpv and FFmpeg play it, browsers do not."""


@contextlib.contextmanager
def lossless_video(path: Path, width: int, height: int, rate: float) -> Iterator[Callable[[Image], None]]:
    """Open an MP4 file, and give a function that adds a frame (height, width, 3) uint8 RGB to it.

    Raises:
        DataError: OpenCV cannot write such a video, or not there.
    """
    import cv2

    logging = cv2.utils.logging
    log_level = logging.setLogLevel(logging.LOG_LEVEL_SILENT)
    try:
        code = cv2.VideoWriter.fourcc(*CODEC)
        writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, code, rate, (width, height))
    finally:
        logging.setLogLevel(log_level)
    try:
        if not writer.isOpened():
            raise DataError(f"{path}: OpenCV cannot write a video ({CODEC}) here; it needs the FFmpeg of opencv-python")
        yield lambda image: writer.write(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    finally:
        writer.release()
    mark_mp4(path)
