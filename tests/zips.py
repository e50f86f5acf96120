"""Zip archives as no tool packs them."""

from __future__ import annotations

import zipfile
from pathlib import Path


def write_zip(path: Path, members: dict[str, bytes] | list[tuple[str, bytes]], **info: int) -> Path:
    """Pack members, also several of one name, of which the library warns; `info` sets fields of each one's entry."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items() if isinstance(members, dict) else members:
            member = zipfile.ZipInfo(name)
            member.compress_type = zipfile.ZIP_DEFLATED
            for key, value in info.items():
                setattr(member, key, value)
            archive.writestr(member, content)
    return path
