"""A toy package with the assets that are made of it."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

from ffbench.assets import Asset, Wheel

CLIP = bytes(range(256)) * 40
MEMBERS = {
    "toy/clip.mp4": CLIP,
    "toy/data/a.target": b"a" * 50,
    "toy/data/b.target": b"b" * 70,
    "toy/data/deeper/c.target": b"c",
    "toy/data/readme.txt": b"not wanted",
}


def write_wheel(
    path: Path, members: dict[str, bytes] = MEMBERS, version: str = "1.0", method: int = zipfile.ZIP_DEFLATED
) -> Path:
    information = f"toy-{version}.dist-info"
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        archive.writestr(
            f"{information}/METADATA",
            f"Metadata-Version: 2.1\nName: toy\nVersion: {version}\nRequires-Python: >=3.11\n",
        )
        archive.writestr(f"{information}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{information}/RECORD", "")
    return path


def toy_asset(wheel: Wheel, **changes: object) -> Asset:
    values = {
        "name": "clip",
        "summary": "a clip",
        "licence": "CC0-1.0",
        "file": "clip.mp4",
        "bytes": len(CLIP),
        "sha256": hashlib.sha256(CLIP).hexdigest(),
        "members": ("toy/clip.mp4",),
        "wheel": wheel,
    }
    return Asset.model_validate({**values, **changes})
