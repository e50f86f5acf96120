"""Corruptions of a whole clip: H.264 by its constant rate factor, and errors in the bits of such a stream.

They need PyAV, the extra `video`. The encoder runs in one thread and without the parts of it that differ between
processors, so that the same version makes the same bits everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from ffbench.errors import UsageError
from ffbench.typing import Image

CLEAN_CRF = 23
"""Rate factor of the stream that gets bit errors."""
# x264's mbtree weighs macroblocks in floating point, with other instructions on each processor; and on one processor a
# few encodings in a hundred came out different.
_SAME_EVERYWHERE = "cpu-independent=1:mbtree=0"
_OPTIONS = {"preset": "medium", "threads": "1", "x264-params": _SAME_EVERYWHERE}
# Frames come out in order and one by one, and errors stay in one of eight slices and in what is predicted from it.
_STREAMED = {**_OPTIONS, "tune": "zerolatency", "x264-params": f"{_SAME_EVERYWHERE}:slices=8:keyint=30:scenecut=0"}
_RATE = 30  # frames a second
_STRETCH = 200  # bytes that share one wrong bit


def h264(frames: Iterable[Image], crf: int) -> Iterator[Image]:
    """Return the frames as a stream of H.264 with a constant rate factor (0 to 51, 51 the worst) shows them.

    Raises:
        UsageError: PyAV is not installed.
    """
    size, packets = _encoded(frames, {**_OPTIONS, "crf": str(crf)})
    return _decoded(packets, size)


def bit_errors(frames: Iterable[Image], rng: np.random.Generator, share: float) -> Iterator[Image]:
    """Return the frames as a stream of H.264 shows them some of whose packets were damaged on their way.

    A packet holds a frame. Each but the first is damaged with the chance `share`: one bit in each stretch of 200 bytes
    is turned over, at a place drawn at random. The decoder hides errors in its own way; where it gives no frame the
    one before is shown again.

    Raises:
        UsageError: PyAV is not installed.
    """
    size, packets = _encoded(frames, {**_STREAMED, "crf": str(CLEAN_CRF)})
    damaged = []
    for number, (time, content) in enumerate(packets):
        hurt = np.frombuffer(content, np.uint8).copy()
        starts = np.arange(0, len(hurt), _STRETCH)
        places, bits = starts + rng.integers(0, _STRETCH, len(starts)), rng.integers(0, 8, len(starts))
        if rng.random() < share and number:
            inside = places < len(hurt)
            hurt[places[inside]] ^= np.left_shift(1, bits[inside]).astype(np.uint8)
        damaged.append((time, hurt.tobytes()))
    return _decoded(damaged, size)


def _encoded(frames: Iterable[Image], options: dict[str, str]) -> tuple[tuple[int, int], list[tuple[int, bytes]]]:
    """Return (height, width), and time stamp and content of every packet, in the order of decoding."""
    av = _av()
    stream: Any = None
    size = (0, 0)
    packets: list[Any] = []
    for number, image in enumerate(frames):
        if stream is None:
            size = (image.shape[0], image.shape[1])
            stream = av.CodecContext.create("libx264", "w")
            stream.height, stream.width = (side + side % 2 for side in size)
            stream.pix_fmt, stream.options = "yuv420p", options
            stream.time_base, stream.framerate = Fraction(1, _RATE), Fraction(_RATE, 1)
        padded = np.pad(image, ((0, size[0] % 2), (0, size[1] % 2), (0, 0)), mode="edge")
        frame = av.VideoFrame.from_ndarray(padded, format="rgb24")
        frame.pts, frame.time_base = number, stream.time_base
        packets += stream.encode(frame)
    if stream is None:
        raise ValueError("no frames")
    packets += stream.encode(None)
    return size, [(int(packet.pts), bytes(packet)) for packet in packets]


def _decoded(packets: list[tuple[int, bytes]], size: tuple[int, int]) -> Iterator[Image]:
    """Return one frame for each packet, in the order of their time stamps."""
    av = _av()
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    found: dict[int, Image] = {}
    for time, content in packets:
        packet = av.Packet(content)
        packet.pts, packet.time_base = time, Fraction(1, _RATE)
        found |= _frames(decoder, packet, size)
    found |= _frames(decoder, None, size)
    shown = found[min(found)]
    for time in range(len(packets)):
        shown = found.get(time, shown)
        yield shown


def _frames(decoder: Any, packet: Any, size: tuple[int, int]) -> dict[int, Image]:
    from av.error import FFmpegError

    try:
        frames = decoder.decode(packet)
    except FFmpegError:  # nothing in the packet can be decoded
        return {}
    return {
        int(frame.pts): frame.to_ndarray(format="rgb24")[: size[0], : size[1]]
        for frame in frames
        if frame.pts is not None
    }


def _av() -> Any:
    try:
        import av
    except ImportError as error:
        raise UsageError(
            "the corruptions h264 and bit_errors need PyAV: pip install 'ffbench[video]', or name others"
        ) from error
    av.logging.set_level(None)  # a decoder would complain of every damaged packet
    return av
