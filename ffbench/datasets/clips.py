"""Clips: a video file or a folder of frames, read frame by frame."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ffbench.datasets.folders import visible
from ffbench.datasets.images import IMAGE_SUFFIXES, image_size, read_image
from ffbench.errors import DataError
from ffbench.io.archives.local import LocalFile
from ffbench.io.archives.member_path import DatasetPath, as_dataset_path, open_tree
from ffbench.io.hashing import data_sha256

VIDEO_SUFFIXES = frozenset({".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm", ".wmv"})
MAX_PIXELS = 2**24
"""Of a frame of a video (4096 x 4096): its decoder keeps several."""
CACHE_BYTES = 256 * 2**20
"""Decoded frames that an open video keeps, so that the pairs (t, t + k) of one clip decode it once."""

Frame = npt.NDArray[np.uint8]


class Clip(ABC):
    """Frames of one size, numbered from 0. Safe to use from several threads at once."""

    path: DatasetPath
    name: str
    """File or folder name."""
    size: tuple[int, int]
    """(width, height) of every frame."""

    @abstractmethod
    def __len__(self) -> int:
        """Number of frames that can be decoded, whatever a header says."""

    @abstractmethod
    def frame(self, index: int) -> Frame:
        """Return frame `index` as an (H, W, 3) uint8 RGB array.

        Raises:
            DataError: the frame cannot be decoded, or its size differs from that of frame 0.
            IndexError: no such frame.
        """

    @abstractmethod
    def frames(self) -> Iterator[Frame]:
        """Return all frames in order, holding one at a time."""

    @abstractmethod
    def sha256(self) -> str:
        """Hash of the content, as hexadecimal digits."""


def open_clip(path: DatasetPath | str, cache_bytes: int = CACHE_BYTES) -> Clip:
    """Open a video file, or a folder whose image files are the frames in natural order of their names.

    Raises:
        DataError: nothing is there, the video has no frame that can be decoded, the folder has no
            images, or images of differing sizes.
    """
    path = as_dataset_path(path)
    if path.is_dir():
        return _FrameFolder(path)
    if not path.is_file():
        raise DataError(path, "no such clip; expected a video file or a folder of frames")
    return _Video(path, cache_bytes)


def find_clips(path: DatasetPath | str) -> list[DatasetPath]:
    """List the clips at `path`: itself, when it is a file or holds frames, or else what lies in that folder.

    Raises:
        DataError: nothing is there, or the folder has neither frames, videos nor folders of frames.
    """
    path = open_tree(path)
    if path.is_file() or _frame_files(path):
        return [path]
    if not path.is_dir():
        raise DataError(path, "no such clip; expected a video, a folder of frames or a folder of clips")
    clips = [
        item
        for item in visible(path)
        if (item.is_file() and item.suffix.lower() in VIDEO_SUFFIXES) or _frame_files(item)
    ]
    if not clips:
        raise DataError(path, f"no clips; expected videos ({', '.join(sorted(VIDEO_SUFFIXES))}) or folders of images")
    return clips


class _FrameFolder(Clip):
    def __init__(self, path: DatasetPath) -> None:
        self.path = path
        self.name = path.resolve().name
        self._files = _frame_files(path)
        if not self._files:
            raise DataError(path, f"no frames; expected images ({', '.join(sorted(IMAGE_SUFFIXES))}) in the folder")
        self.size = image_size(self._files[0])
        for file in self._files:
            self._require_size(file, image_size(file))

    def __len__(self) -> int:
        return len(self._files)

    def frame(self, index: int) -> Frame:
        _require_index(self, index)
        image = read_image(self._files[index])
        self._require_size(self._files[index], (image.shape[1], image.shape[0]))
        return image

    def frames(self) -> Iterator[Frame]:
        return (self.frame(index) for index in range(len(self)))

    def sha256(self) -> str:
        digest = hashlib.sha256()
        for file in self._files:
            digest.update(f"{file.name}\0{data_sha256(file)}\n".encode())
        return digest.hexdigest()

    def _require_size(self, file: DatasetPath, size: tuple[int, int]) -> None:
        if size != self.size:
            raise DataError(
                file,
                f"{size[0]} x {size[1]}, but the first frame {self._files[0].name} "
                f"is {self.size[0]} x {self.size[1]}; all frames of a clip must be of one size",
            )


class _Video(Clip):
    """Decodes from the start, in order: in many real files, .mov above all, seeking lands elsewhere."""

    def __init__(self, path: DatasetPath, cache_bytes: int) -> None:
        self.path = path
        self.name = path.name
        self._local = LocalFile(path)
        self._lock = threading.Lock()
        self._length: int | None = None
        first = next(_decode(path, self._local.path), None)
        if first is None:
            raise DataError(path, "no frame of the video can be decoded")
        self.size = (first.shape[1], first.shape[0])
        self._capacity = max(2, cache_bytes // first.nbytes)
        self._cache: OrderedDict[int, Frame] = OrderedDict()
        self._decoder: Iterator[Frame] = iter(())
        self._next = 0

    def __len__(self) -> int:
        with self._lock:
            if self._length is None:
                self._length = _count_frames(self.path, self._local.path)
            return self._length

    def frame(self, index: int) -> Frame:
        _require_index(self, index)
        with self._lock:
            if index in self._cache:
                self._cache.move_to_end(index)
            else:
                self._decode_to(index)
            return np.array(self._cache[index])

    def frames(self) -> Iterator[Frame]:
        count = 0
        for frame in _decode(self.path, self._local.path):
            yield frame
            count += 1
        self._length = count

    def sha256(self) -> str:
        return data_sha256(self.path)

    def _decode_to(self, index: int) -> None:
        if self._next == 0 or index < self._next:
            self._decoder, self._next = _decode(self.path, self._local.path), 0
        while self._next <= index:
            frame = next(self._decoder, None)
            if frame is None:
                raise DataError(self.path, f"frame {self._next} could be decoded before and now cannot be")
            self._cache[self._next] = frame
            self._cache.move_to_end(self._next)
            self._next += 1
            while len(self._cache) > self._capacity:
                self._cache.popitem(last=False)


def _decode(path: DatasetPath, file: Path) -> Iterator[Frame]:
    import cv2

    shape: tuple[int, ...] | None = None
    with _capture(path, file) as capture:
        while True:
            decoded, bgr = capture.read()
            if not decoded:
                return
            if shape is not None and bgr.shape != shape:
                raise DataError(path, f"a frame is {bgr.shape[1]} x {bgr.shape[0]}, frame 0 is {shape[1]} x {shape[0]}")
            shape = bgr.shape
            yield cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


def _count_frames(path: DatasetPath, file: Path) -> int:
    # The header's count is a guess in many containers, and too high in a file that was cut short.
    count = 0
    with _capture(path, file) as capture:
        while capture.grab():
            count += 1
    return count


@contextlib.contextmanager
def _capture(path: DatasetPath, file: Path) -> Iterator[Any]:
    import cv2

    # FFmpeg and OpenCV would print lines of their own beside our one.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    logging = cv2.utils.logging
    log_level = logging.setLogLevel(logging.LOG_LEVEL_SILENT)
    try:
        # FFmpeg by name: left to choose, OpenCV takes `frame01.png` for a pattern of file names.
        capture = cv2.VideoCapture(str(file), cv2.CAP_FFMPEG)
    finally:
        logging.setLogLevel(log_level)
    try:
        if not capture.isOpened():
            raise DataError(path, "not a video that can be decoded (damaged, cut short or of another format)")
        width, height = capture.get(cv2.CAP_PROP_FRAME_WIDTH), capture.get(cv2.CAP_PROP_FRAME_HEIGHT)
        if not 0 < width * height <= MAX_PIXELS:
            raise DataError(path, f"the header says {width:.0f} x {height:.0f}; at most {MAX_PIXELS} pixels are read")
        yield capture
    finally:
        capture.release()


def _frame_files(folder: DatasetPath) -> list[DatasetPath]:
    if not folder.is_dir():
        return []
    return [item for item in visible(folder) if item.is_file() and item.suffix.lower() in IMAGE_SUFFIXES]


def _require_index(clip: Clip, index: int) -> None:
    if not 0 <= index < len(clip):
        raise IndexError(f"{clip.path}: no frame {index}; the clip has frames 0 to {len(clip) - 1}")
