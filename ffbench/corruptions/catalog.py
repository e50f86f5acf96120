"""The corruptions by name, their strengths by severity, and the frames of a clip with one of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np

from ffbench.corruptions import codecs, images, occluders
from ffbench.corruptions.face_clip import FaceClip
from ffbench.errors import DataError
from ffbench.typing import Image, Mask

SEVERITIES = (1, 2, 3, 4, 5)


@dataclass(frozen=True)
class Corruption:
    """A corruption: what is done, by how much at each severity, and what the strengths are."""

    strengths: tuple[float, float, float, float, float]
    unit: str
    needs_face: bool = False


CORRUPTIONS: Mapping[str, Corruption] = {
    "noise": Corruption((800, 400, 200, 100, 50), "photons at full brightness"),
    "low_light": Corruption((1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32), "share of the light"),
    "exposure": Corruption((0.25, 0.5, 0.75, 1.0, 1.5), "stops"),
    "color_shift": Corruption((0.1, 0.2, 0.35, 0.5, 0.8), "stops"),
    "blur": Corruption((0.007, 0.011, 0.016, 0.023, 0.032), "widths of the face"),
    "motion_blur": Corruption((0.02, 0.04, 0.06, 0.09, 0.13), "widths of the face"),
    "downscale": Corruption((1.25, 1.5, 2.0, 3.0, 4.0), "times smaller"),
    "jpeg": Corruption((50, 30, 20, 12, 7), "quality"),
    "h264": Corruption((28, 33, 38, 43, 48), "constant rate factor"),
    "bit_errors": Corruption((0.05, 0.1, 0.2, 0.35, 0.5), "share of frames damaged"),
    "hand": Corruption((0.35, 0.45, 0.55, 0.7, 0.85), "widths of the face", needs_face=True),
    "glasses": Corruption((0.0, 0.25, 0.5, 0.75, 1.0), "tint", needs_face=True),
}
"""All of them; the order is that of pictures, and a part of the random numbers."""
_NUMBERS = {name: number for number, name in enumerate(CORRUPTIONS)}


@dataclass(frozen=True)
class CorruptedFrame:
    """A frame, (H, W, 3) uint8, and which of its pixels, (H, W), something stands in front of."""

    image: Image
    covered: Mask


def corrupted_frames(clip: FaceClip, name: str, severity: int, wanted: Collection[int]) -> dict[int, CorruptedFrame]:
    """Return some frames of a clip with a corruption.

    What is the same over the clip (a blur, a hand) goes on smoothly from frame to frame, and what is not (noise) is
    drawn for each frame anew. All random numbers follow from the clip's seed, the corruption and the frame.

    Args:
        clip: whose face was tracked.
        name: one of `CORRUPTIONS`.
        severity: 1 to 5.
        wanted: numbers of the frames.

    Raises:
        UsageError: the corruption needs a package that is not installed.
        DataError: it needs the face, and a frame that is wanted shows none; or the clip has no such frame.
        KeyError: an unknown corruption.
    """
    corruption = CORRUPTIONS[name]
    strength = corruption.strengths[severity - 1]
    if corruption.needs_face and not np.isfinite(clip.points[sorted(wanted)]).all():
        raise DataError(f"'{name}' needs the face in every frame")
    frames = clip.frames()
    if name == "h264":
        frames = codecs.h264(frames, int(strength))
    elif name == "bit_errors":
        frames = codecs.bit_errors(frames, clip.rng(_NUMBERS[name], 0), strength)
    change = _per_frame(clip, name, strength)
    left, found = set(wanted), {}
    for number, frame in enumerate(frames):
        if number in left:
            found[number] = change(frame, number)
            left.remove(number)
        if not left:
            return found
    raise DataError(f"frame {max(left)} is wanted, and the clip has fewer")


def _per_frame(clip: FaceClip, name: str, strength: float) -> Callable[[Image, int], CorruptedFrame]:
    """Return what turns a frame and its number into the corrupted frame."""
    width, points = clip.face_width, clip.points
    if name in ("hand", "glasses"):
        middle = np.nanmean(points, axis=(0, 1))

        def draw(image: Image, frame: int) -> CorruptedFrame:
            if name == "hand":
                return CorruptedFrame(*occluders.hand(image, points[frame], frame, width, middle, strength))
            return CorruptedFrame(*occluders.glasses(image, points[frame], strength))

        return draw
    changes: dict[str, Callable[[Image, int], Image]] = {
        "noise": lambda image, frame: images.noise(image, clip.rng(_NUMBERS[name], frame), strength),
        "low_light": lambda image, frame: images.low_light(image, clip.rng(_NUMBERS[name], frame), strength),
        "exposure": lambda image, frame: images.exposure(image, frame, strength),
        "color_shift": lambda image, frame: images.color_shift(image, frame, strength),
        "blur": lambda image, frame: images.blur(image, strength * width),
        "motion_blur": lambda image, frame: images.motion_blur(image, frame, strength * width),
        "downscale": lambda image, frame: images.downscale(image, strength),
        "jpeg": lambda image, frame: images.jpeg(image, int(strength)),
        # The whole clip has been through the codec already.
        "h264": lambda image, frame: image,
        "bit_errors": lambda image, frame: image,
    }
    change = changes[name]
    return lambda image, frame: CorruptedFrame(change(image, frame), np.zeros(image.shape[:2], np.bool_))
