"""Corrupted frames of tracked clips, made once and kept in the cache."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

import ffbench.corruptions
from ffbench.corruptions.catalog import CorruptedFrame, corrupted_frames
from ffbench.corruptions.face_clip import FaceClip
from ffbench.errors import DataError
from ffbench.io.atomic import atomic_path
from ffbench.paths import cache_dir
from ffbench.typing import Image

from ..landmarks.clip_tracks import TrackedClip

Cell = tuple[str, int]
"""Name of a corruption and its severity."""


@dataclass(frozen=True)
class CorruptedClip:
    """Some frames of a clip under some corruptions. What was made before is taken from the cache."""

    tracked: TrackedClip
    wanted: tuple[int, ...]

    @property
    def face_clip(self) -> FaceClip:
        """The clip as corruptions take it."""
        clip = self.tracked.clip
        return FaceClip(
            # By number: an open video keeps the frames that it has decoded.
            lambda: (clip.frame(number) for number in range(len(clip))),
            self.tracked.points,
            int(clip.sha256()[:8], 16),
        )

    def make(self, cells: Sequence[Cell]) -> str:
        """Make what is missing of the corruptions; give a hash of all their pixels.

        Raises:
            UsageError: a corruption needs a package that is not installed.
            DataError: the clip cannot be read, or the disk is full.
        """
        digest = hashlib.sha256()
        said = False
        for name, severity in cells:
            file = self._file(name, severity)
            found = _read_hash(file)
            if found is None:
                if not said:
                    print(f"ffbench: making the corruptions of {self.tracked.clip.path}", file=sys.stderr)
                    said = True
                frames = corrupted_frames(self.face_clip, name, severity, self.wanted)
                found = _hash(frames)
                _write(file, frames, found)
            digest.update(f"{name} {severity} {found}\n".encode())
        return digest.hexdigest()

    def frame(self, name: str, severity: int, number: int) -> CorruptedFrame:
        """Return one of the frames that `make` made.

        Raises:
            DataError: its file in the cache is gone or damaged.
        """
        file = self._file(name, severity)
        with _reading(file), np.load(file, allow_pickle=False) as found:
            return CorruptedFrame(
                _unpacked(found[f"image_{number}"]), _unpacked(found[f"covered_{number}"])[..., 0] > 0
            )

    def _file(self, name: str, severity: int) -> Path:
        return self._folder / f"{name}-{severity}.npz"

    @functools.cached_property
    def _folder(self) -> Path:
        """Where the frames are, named by all that they depend on as it is when they are first asked for."""
        digest = hashlib.sha256(f"{self.tracked.clip.sha256()} {self.wanted} {_versions()}".encode())
        digest.update(np.ascontiguousarray(self.tracked.points).tobytes())
        return cache_dir() / "corruptions" / digest.hexdigest()[:24]


def _versions() -> str:
    """Name what else the pixels depend on: the code, and the libraries that encode."""
    import cv2

    digest = hashlib.sha256()
    for file in sorted(Path(ffbench.corruptions.__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    try:
        import av

        codec = str(av.__version__)
    except ImportError:
        codec = "none"
    return f"{digest.hexdigest()} opencv {cv2.__version__} av {codec}"


def _hash(frames: dict[int, CorruptedFrame]) -> str:
    digest = hashlib.sha256()
    for number in sorted(frames):
        frame = frames[number]
        digest.update(f"{number} {frame.image.shape}\n".encode())
        digest.update(np.ascontiguousarray(frame.image).tobytes())
        digest.update(np.packbits(frame.covered).tobytes())
    return digest.hexdigest()


def _write(file: Path, frames: dict[int, CorruptedFrame], digest: str) -> None:
    arrays: dict[str, npt.NDArray[np.generic]] = {"sha256": np.array(digest)}
    for number, frame in frames.items():
        arrays[f"image_{number}"] = _packed(frame.image)
        arrays[f"covered_{number}"] = _packed(np.repeat(frame.covered[..., None].astype(np.uint8) * 255, 3, axis=2))
    with atomic_path(file) as temporary, temporary.open("wb") as opened:
        np.savez(opened, **arrays)  # type: ignore[arg-type]


def _packed(image: Image) -> npt.NDArray[np.uint8]:
    """Return an image as PNG, quickly made."""
    import cv2

    content = cv2.imencode(".png", np.ascontiguousarray(image[..., ::-1]), [cv2.IMWRITE_PNG_COMPRESSION, 1])[1]
    return np.asarray(content, np.uint8)


def _unpacked(content: npt.NDArray[np.uint8]) -> Image:
    import cv2

    image = cv2.imdecode(content, cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError("not an image")
    return np.ascontiguousarray(image[..., ::-1])


def _read_hash(file: Path) -> str | None:
    """Return the hash in a file of the cache; None where there is no such file, or a damaged one."""
    with contextlib.suppress(DataError), _reading(file), np.load(file, allow_pickle=False) as found:
        return str(found["sha256"])
    return None


@contextlib.contextmanager
def _reading(file: Path) -> Iterator[None]:
    import cv2

    try:
        yield
    # numpy raises any of these for a file that is cut short or of another kind.
    except (OSError, ValueError, EOFError, KeyError, BadZipFile, cv2.error) as error:
        raise DataError(f"{file}: cannot be read ({error}); delete it and run again") from error
