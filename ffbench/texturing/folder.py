"""Textures of many portraits, written as a folder that `ffbench generate --textures` reads."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ffbench import assets
from ffbench.datasets.images import IMAGE_SUFFIXES, encode_png, read_image
from ffbench.errors import DataError, UsageError, reading
from ffbench.io.atomic import write_bytes, write_text
from ffbench.io.hashing import data_sha256
from ffbench.synth.heads.makehuman import MakeHumanHead
from ffbench.synth.scenes.image_folder import read_note
from ffbench.texturing.extract import extract

VERSION = 1
"""Of the way from photograph to texture: rises when a texture could change."""


@dataclass(frozen=True)
class Portrait:
    """A photograph, and the name of its texture, without suffix."""

    path: Path
    name: str


def find_portraits(paths: Sequence[Path]) -> list[Portrait]:
    """List photographs: files, and the images of folders at any depth.

    Raises:
        DataError: a folder has no images.
        UsageError: two photographs would make textures of one name.
    """
    found: list[Portrait] = []
    for path in paths:
        if not path.is_dir():
            found.append(Portrait(path, path.stem))
            continue
        inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES)
        if not inside:
            raise DataError(path, f"no images; expected portraits ({', '.join(sorted(IMAGE_SUFFIXES))})")
        found += [Portrait(p, p.relative_to(path).with_suffix("").as_posix()) for p in inside]
    first: dict[str, Path] = {}
    for portrait in found:
        if portrait.name in first:
            raise UsageError(
                f"{first[portrait.name]} and {portrait.path} would both make {portrait.name}.png; rename one of them"
            )
        first[portrait.name] = portrait.path
    return found


@dataclass
class Written:
    """What became of the photographs: names of textures, old and new, and lines about the others."""

    made: list[str]
    kept: list[str]
    notes: list[str]
    problems: list[str]


def write_textures(
    head: MakeHumanHead,
    portraits: Sequence[Portrait],
    out: Path,
    size: int = 1024,
    force: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Written:
    """Write NAME.png and the note NAME.json of each portrait into `out`; what is there of it already is kept.

    A photograph that cannot be used is a problem in the answer and stops none of the others.

    Raises:
        DataError: an asset cannot be had.
        UsageError: a texture would be written over its photograph.
    """
    for portrait in portraits:
        picture = out / f"{portrait.name}.png"
        if picture.resolve() == portrait.path.resolve():
            raise UsageError(f"{picture}: is the photograph itself; name another folder with --out")
    # Before the first photograph: without it every one of them would have the same problem.
    assets.asset_path("face_mesh")
    result = Written([], [], [], [])
    for done, portrait in enumerate(portraits):
        progress(done, len(portraits))
        try:
            if not force and _is_made(portrait, out, size):
                result.kept.append(portrait.name)
            else:
                note = _write(head, portrait, out, size)
                result.made.append(portrait.name)
                if note is not None:
                    result.notes.append(note)
        except DataError as error:
            of_this = error.path == str(portrait.path) or (error.path and Path(error.path).is_relative_to(out))
            result.problems.append(str(error) if of_this else f"{portrait.path}: {error}")
    progress(len(portraits), len(portraits))
    return result


def _is_made(portrait: Portrait, out: Path, size: int) -> bool:
    """Whether the texture of a portrait is there.

    Raises:
        DataError: one of the same name is there, but of another photograph, size or version, or without a note.
    """
    picture, note = out / f"{portrait.name}.png", out / f"{portrait.name}.json"
    if not picture.exists():
        return False
    # The note is written last, so that a picture without one is either not whole or somebody's own.
    if not note.is_file():
        raise DataError(picture, f"is there, but not {note.name}, which ffbench writes; --force writes both anew")
    expected = {"photo_sha256": data_sha256(portrait.path), "size": size, "version": VERSION}
    found: dict[str, object] = {}
    with contextlib.suppress(DataError):  # a damaged note is that of no photograph
        found = read_note(note)
    for key, what in (("photo_sha256", "photograph"), ("size", "size"), ("version", "version of ffbench")):
        if found.get(key) != expected[key]:
            raise DataError(picture, f"is there from another {what} than {portrait.path}; --force writes it anew")
    return True


def _write(head: MakeHumanHead, portrait: Portrait, out: Path, size: int) -> str | None:
    """Write a texture and its note; give a line where there were several faces."""
    digest = data_sha256(portrait.path)
    found = extract(head, read_image(portrait.path), size)
    picture, note = out / f"{portrait.name}.png", out / f"{portrait.name}.json"
    # A note of another picture must not stand beside this one, not for a moment.
    if note.is_file():
        with reading(note, cannot="be replaced"):
            note.unlink()
    write_bytes(picture, encode_png(found.texture))
    content = {
        "layout": head.uv_layout,
        "version": VERSION,
        "size": size,
        "photo_sha256": digest,
        "network_sha256": assets.find("face_mesh").sha256,
        "fit_residual_px": round(found.residual, 3),
        "face_width_px": round(found.face_width, 1),
        "coverage": round(found.coverage, 4),
        "faces": found.faces,
    }
    write_text(note, json.dumps(content, indent=1) + "\n")
    if found.faces == 1:
        return None
    x, y = (round(float(value)) for value in found.center)
    return f"{portrait.path}: {found.faces} faces; the largest, about ({x}, {y}) px, is taken"
