"""Which files of a FacialFlowNet sequence belong together, by their names alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from ffbench.datasets.images import natural_key
from ffbench.errors import DataError
from ffbench.io.archives.member_path import DatasetPath

_NAMED_AT_ONCE = 4


def ordered(files: Sequence[DatasetPath], kind: str) -> list[DatasetPath]:
    """Sort files by their names, numbers by value.

    Raises:
        DataError: two files of one stem, such as `0001.jpg` and `0001.png`.
    """
    repeated = [stem for stem, count in Counter(file.stem.casefold() for file in files).items() if count > 1]
    if repeated:
        twins = [file.name for file in files if file.stem.casefold() in repeated]
        raise DataError(files[0].parent, f"{kind} of the same stem: {_some(sorted(twins))}; expected one each")
    return sorted(files, key=lambda file: (natural_key(file.stem), file.stem))


def require_gapless(frames: Sequence[DatasetPath]) -> None:
    """Check that frames whose stems hold numbers are numbered without a gap.

    Raises:
        DataError: numbers are missing between the first and the last.
    """
    numbers = _numbers(frames)
    if numbers is not None and (missing := sorted(set(range(numbers[0], numbers[-1] + 1)) - set(numbers))):
        raise DataError(
            frames[0].parent,
            f"frames are numbered {numbers[0]} to {numbers[-1]}, "
            f"but missing {_some([str(number) for number in missing])}",
        )


def match(
    frames: Sequence[DatasetPath], files: Sequence[DatasetPath], kind: str, *, last_too: bool
) -> list[DatasetPath]:
    """Find the file of each frame of a sequence but the last.

    A file belongs to the frame of the same stem. Where files are named in another way (`flow_0000.flo` to
    `frame_0001.jpg`, or a flow by its second frame), the i-th file belongs to the i-th frame, if both are numbered
    without gaps and there are as many files as there can be: then nothing can have slipped.

    Args:
        frames: in order.
        files: in order.
        kind: what the files are, for messages.
        last_too: whether the last frame may have a file.

    Returns:
        One file for each frame but the last.

    Raises:
        DataError: files are missing or left over; the message names them.
    """
    needed = frames[:-1]
    by_stem = {file.stem: file for file in files}
    allowed = {frame.stem for frame in (frames if last_too else needed)}
    if all(frame.stem in by_stem for frame in needed) and set(by_stem) <= allowed:
        return [by_stem[frame.stem] for frame in needed]
    numbered = _is_gapless(files) and _is_gapless(frames)
    if numbered and (len(files) == len(allowed) or _numbers(files) == _numbers(needed)):
        return list(files[: len(needed)])
    folder, suffix = files[0].parent, files[0].suffix
    stems = {frame.stem for frame in frames}
    if not stems & set(by_stem):
        raise DataError(
            folder,
            f"{len(files)} {kind} ({_some([file.name for file in files])}) for {len(frames)} frames "
            f"({_some([frame.name for frame in frames])}); expected {len(needed)}, named like the frames or numbered",
        )
    missing = [frame.stem + suffix for frame in needed if frame.stem not in by_stem]
    extra = [file.name for file in files if file.stem not in allowed]
    faults = [f"{word} {_some(names)}" for word, names in (("missing", missing), ("left over", extra)) if names]
    raise DataError(folder, f"{kind} do not fit the {len(frames)} frames: {'; '.join(faults)}")


def _is_gapless(files: Sequence[DatasetPath]) -> bool:
    numbers = _numbers(files)
    return numbers is not None and numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def _numbers(files: Sequence[DatasetPath]) -> list[int] | None:
    """Return the last number in each stem; None if one has none."""
    found = [re.findall(r"\d+", file.stem) for file in files]
    return [int(numbers[-1]) for numbers in found] if all(found) else None


def _some(names: Sequence[str]) -> str:
    rest = len(names) - _NAMED_AT_ONCE
    return ", ".join(names[:_NAMED_AT_ONCE]) + (f" and {rest} more" if rest > 0 else "")
