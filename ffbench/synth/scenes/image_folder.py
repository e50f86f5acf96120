"""Folders of the user's images that the engine draws from: skin textures and backgrounds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ffbench.datasets.images import image_size, read_image
from ffbench.errors import DataError
from ffbench.io.hashing import file_sha256
from ffbench.synth.heads.head import HeadModel
from ffbench.synth.motion.codes import listed

SUFFIXES = (".jpg", ".jpeg", ".png")
SMALLEST_TEXTURE, LARGEST_TEXTURE = 64, 8192
SMALLEST_BACKGROUND = 64
LARGEST_NOTE = 65_536
"""Bytes of the JSON beside a texture."""


@dataclass(frozen=True)
class ImageFolder:
    """The images of a folder, in the order of their names, and the sha256 of each.

    What is drawn follows from the names and contents alone, wherever the folder lies.
    """

    root: Path
    names: tuple[str, ...]
    hashes: tuple[str, ...]

    def sha256(self) -> str:
        """Hash the names and the contents of all files."""
        digest = hashlib.sha256()
        for name, content in zip(self.names, self.hashes, strict=True):
            digest.update(f"{name}\0{content}\0".encode())
        return digest.hexdigest()

    def pick(self, rng: np.random.Generator) -> str:
        """Draw the name of a file."""
        return self.names[int(rng.integers(len(self.names)))]

    def read(self, name: str) -> npt.NDArray[np.uint8]:
        """Read a file, (H, W, 3) uint8 RGB.

        Raises:
            DataError: it is gone, damaged, or another one than when the folder was listed.
        """
        path = self.root / name
        image = read_image(path)
        if file_sha256(path) != self.hashes[self.names.index(name)]:
            raise DataError(f"{path}: has changed since the folder was listed; start again")
        return image


def list_textures(root: Path, head: HeadModel, layout: str | None = None) -> ImageFolder:
    """List the skin textures of a folder, at any depth: square images in the layout of the head.

    Args:
        root: the folder.
        head: whose skin they are to be.
        layout: of those without a note (the JSON that `ffbench texture` writes beside each); None refuses them, for
            a picture does not show its layout, and in a wrong one a face comes out scrambled.

    Raises:
        DataError: no images, or some that are not square, of another size or layout; all of them in one message.
    """

    def fault(path: Path, width: int, height: int) -> str | None:
        if width != height or not SMALLEST_TEXTURE <= width <= LARGEST_TEXTURE:
            return (
                f"expected a square of {SMALLEST_TEXTURE} to {LARGEST_TEXTURE} px a side, found {width} x {height} px"
            )
        found = _noted_layout(path) or layout
        if found is None:
            return "no JSON beside it says which layout it is in; name it with --texture-layout"
        if found != head.uv_layout:
            return f"expected the layout {head.uv_layout} of the {head.name} head, found {found}"
        return None

    return _list_images(root, "skin textures", fault)


def list_backgrounds(root: Path) -> ImageFolder:
    """List the photographs of a folder, at any depth, that backgrounds are cut from.

    Raises:
        DataError: no images, or some that are smaller than `SMALLEST_BACKGROUND` or damaged; all in one message.
    """

    def fault(path: Path, width: int, height: int) -> str | None:
        if min(width, height) < SMALLEST_BACKGROUND:
            return f"expected at least {SMALLEST_BACKGROUND} px a side, found {width} x {height} px"
        return None

    return _list_images(root, "backgrounds", fault)


def _list_images(root: Path, what: str, fault: Callable[[Path, int, int], str | None]) -> ImageFolder:
    if not root.is_dir():
        raise DataError(f"{root}: not found; expected a folder of {what}")
    names = sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.suffix.lower() in SUFFIXES)
    if not names:
        raise DataError(f"{root}: expected {what} ({', '.join(SUFFIXES)}), found none")
    hashes, problems = [], []
    for name in names:
        path = root / name
        try:
            problem = fault(path, *image_size(path))
            hashes.append(file_sha256(path))
        except DataError as error:
            problem = str(error).removeprefix(f"{path}: ")
        except OSError as error:
            problem = f"cannot be read ({error.strerror or error})"
        if problem is not None:
            problems.append(f"{name}: {problem}")
    if problems:
        raise DataError(f"{root}: {listed(problems)}; mend or remove these")
    return ImageFolder(root, tuple(names), tuple(hashes))


def read_note(note: Path) -> dict[str, object]:
    """Read the JSON beside a texture; empty where it is JSON of another kind, or too large to be one.

    Raises:
        DataError: it is damaged or cannot be read.
    """
    try:
        content = json.loads(note.read_bytes()) if note.stat().st_size <= LARGEST_NOTE else None
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{note.name} beside it cannot be read ({error})") from error
    return content if isinstance(content, dict) else {}


def _noted_layout(path: Path) -> str | None:
    """Return the layout that the JSON beside a texture names; None where there is no JSON.

    Raises:
        DataError: the JSON is damaged or names none.
    """
    note = path.with_suffix(".json")
    if not note.is_file():
        return None
    layout = read_note(note).get("layout")
    if not isinstance(layout, str):
        raise DataError(f"{note.name} beside it names no layout; write the texture again or remove the note")
    return layout
