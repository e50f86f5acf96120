"""Whether ffbench's face engine made a dataset: told by what the files hold, and not only by a file beside them.

Three signs, the first that is found counts: the mark in a folder above (`synthetic_mark`); a comment in images and
videos, which no pixel shows; and what all flows of the engine are, and no measured flow is: whole 16384ths of a pixel
(`FLOW_STEPS`). Copying, renaming and taking out some files leaves them; encoding images anew takes out the comment and
not the flows. Who encodes all images anew, and has no flows or adds noise to them, is not found out: so "real" says
that nothing of the engine was found, and in how many files, and never that the files are the authors'.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from ffbench.datasets.mark import synthetic_mark
from ffbench.errors import DataError
from ffbench.flow.formats.flo import read_flo
from ffbench.io.archives.member_path import DatasetPath

FLOW_STEPS = 16384
"""The engine's flows are whole multiples of 1 / FLOW_STEPS px."""
COMMENT = b"synthetic: made by the face engine of ffbench"
IMAGES = (".png", ".jpg", ".jpeg")
VIDEOS = (".mp4",)
_PNG_HEAD = 33
"""Bytes of a PNG file up to the end of its first chunk, which is always of one length."""
_HEAD, _TAIL = 1024, 128
_MOST_IMAGES, _MOST_FLOWS = 256, 8
"""Files that are looked at, spread evenly over all."""
_LARGEST_FLOW = 2**26
_LEAST_VALUES = 200
_COARSE = 64
"""Flows of other origin may be whole multiples of 1/64 px, as in KITTI's PNG."""
_SMALL = 64.0
"""Up to here float32 has steps so much finer than 1 / FLOW_STEPS that no other flow keeps to those by chance."""


def mark_png(content: bytes) -> bytes:
    """Add the comment to a PNG file; its pixels stay as they are."""
    chunk = b"tEXtComment\0" + COMMENT
    return (
        content[:_PNG_HEAD]
        + struct.pack(">I", len(chunk) - 4)
        + chunk
        + struct.pack(">I", zlib.crc32(chunk))
        + content[_PNG_HEAD:]
    )


def mark_jpeg(content: bytes) -> bytes:
    """Add the comment to a JPEG file; its pixels stay as they are."""
    return content[:2] + b"\xff\xfe" + struct.pack(">H", len(COMMENT) + 2) + COMMENT + content[2:]


def mark_mp4(path: Path) -> None:
    """Add the comment to the end of an MP4 file, as a box that players pass over."""
    with path.open("ab") as file:
        file.write(struct.pack(">I", len(COMMENT) + 8) + b"free" + COMMENT)


def engine_sign(*paths: DatasetPath) -> str | None:
    """Say in words by what files or folders of a dataset are known to be the face engine's; None: nothing was found.

    Args:
        paths: files that are used, or folders; of a folder the images that lie in it are looked at.
    """
    mark = synthetic_mark(*paths)
    if mark is not None:
        return f"the mark {mark}"
    files = list(_files(paths))
    for file in _spread([file for file in files if file.suffix.lower() in (*IMAGES, *VIDEOS)], _MOST_IMAGES):
        if _has_comment(file):
            return f"the comment in {file}"
    for file in _spread([file for file in files if file.suffix.lower() == ".flo"], _MOST_FLOWS):
        if _has_steps(file):
            return f"the flow in {file}, all of it whole {FLOW_STEPS}ths of a pixel"
    return None


def rests_on(paths: Sequence[DatasetPath]) -> str:
    """Say what it rests on that a dataset counts as real, for its card."""
    files = list(_files(paths))
    images = min(_MOST_IMAGES, sum(file.suffix.lower() in (*IMAGES, *VIDEOS) for file in files))
    flows = min(_MOST_FLOWS, sum(file.suffix.lower() == ".flo" for file in files))
    return (
        f"nothing of ffbench's face engine was found in {images} images and {flows} flows; that the files are those "
        "that the dataset's authors distribute is the word of whoever ran this"
    )


def _files(paths: Iterable[DatasetPath]) -> Iterable[DatasetPath]:
    for path in paths:
        if path.is_dir():
            yield from sorted(item for item in path.iterdir() if item.suffix.lower() in IMAGES)
        else:
            yield path


def _spread(files: Sequence[DatasetPath], most: int) -> Iterable[DatasetPath]:
    step = max(1, -(-len(files) // most))
    return files[::step]


def _has_comment(path: DatasetPath) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
            if path.suffix.lower() not in VIDEOS:
                return COMMENT in head
            file.seek(max(0, path.stat().st_size - _TAIL))
            return COMMENT in file.read(_TAIL)
    except (OSError, DataError):
        return False  # whoever reads the file says what is wrong with it


def _has_steps(path: DatasetPath) -> bool:
    try:
        if path.stat().st_size > _LARGEST_FLOW:
            return False
        flow = read_flo(path)
    except (OSError, DataError):
        return False
    values = flow[(flow != 0) & (np.abs(flow) < _SMALL)].astype(np.float64)
    if len(values) < _LEAST_VALUES or (values * FLOW_STEPS % 1).any():
        return False
    return bool((values * _COARSE % 1 != 0).mean() > 0.5)
