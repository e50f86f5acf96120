"""Annotation noise: onset and apex of each clip moved by a few frames, as other coders might have set them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ffbench.datasets.microexpressions.frames import numbered_frames
from ffbench.datasets.onset_apex import OnsetApexClip, clips_sha256
from ffbench.errors import DataError
from ffbench.io.archives.member_path import DatasetPath

MOST_SHIFT = 100
"""The most frames by which onset and apex may be moved."""
_DRAWS = 1000
_HASH_DIGITS = 16


@dataclass(frozen=True)
class ShiftedClips:
    """Clips with moved onset and apex.

    Attributes:
        clips: in their order, with the class of each.
        sha256: the first 16 digits of the hash of the frames that are used now.
        note: how far they were moved, for the card of the dataset.
    """

    clips: tuple[tuple[OnsetApexClip, str], ...]
    sha256: str
    note: str


def shift_clips(clips: Sequence[tuple[OnsetApexClip, str]], most: int) -> ShiftedClips:
    """Move onset and apex of every clip, each by a number of frames drawn evenly from -`most` to `most`.

    A frame that the clip's folder does not have is replaced by the nearest that it has. What would put the apex at or
    before the onset is drawn again. The draw depends on the
    clip's key and on `most` alone: the same for every method, and for a clip whatever other clips there are. The
    registered face stays the one at the coded onset.

    Raises:
        DataError: the frames of a clip cannot be listed.
    """
    moved, distances, cut = [], [], 0
    for clip, of in clips:
        frames = _frames(clip.onset)
        coded = tuple(_number(frames, path) for path in (clip.onset, clip.apex))
        wanted, taken = _draw(clip.key, frames, coded[0], coded[1], most)
        cut += sum(one != other for one, other in zip(wanted, taken, strict=True))
        distances.append([abs(now - before) for now, before in zip(taken, coded, strict=True)])
        moved.append((replace(clip, onset=frames[taken[0]], apex=frames[taken[1]]), of))
    mean = np.mean(distances, axis=0)
    unit = "frame" if most == 1 else "frames"
    note = (
        f"; onset and apex moved by up to {most} {unit}, drawn for each clip: by {mean[0]:.2f} and {mean[1]:.2f} on "
        f"average; {cut} of {2 * len(moved)} draws beyond the frames that there are took the nearest"
    )
    sha256 = clips_sha256([clip for clip, _ in moved])[:_HASH_DIGITS]
    return ShiftedClips(tuple(moved), sha256, note)


def _draw(
    key: str, frames: Mapping[int, DatasetPath], onset: int, apex: int, most: int
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the numbers that were drawn, and those of the frames that are taken for them."""
    rng = np.random.default_rng([most, int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")])
    numbers = np.array(sorted(frames))
    for _ in range(_DRAWS):
        steps = rng.integers(-most, most, size=2, endpoint=True)
        wanted = (onset + int(steps[0]), apex + int(steps[1]))
        first, second = (int(numbers[np.abs(numbers - number).argmin()]) for number in wanted)
        if first < second:
            return wanted, (first, second)
    return (onset, apex), (onset, apex)


def _frames(image: DatasetPath) -> dict[int, DatasetPath]:
    return numbered_frames(image.parent)


def _number(frames: Mapping[int, DatasetPath], image: DatasetPath) -> int:
    """Return the number of a frame.

    Raises:
        DataError: its folder does not list it.
    """
    for number, path in frames.items():
        if path.name == image.name:
            return number
    raise DataError(image, "is not among the numbered frames of its folder")
