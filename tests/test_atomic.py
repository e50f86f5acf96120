"""Atomic writing: all or nothing."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from ffbench.errors import DataError
from ffbench.io.atomic import atomic_path, write_bytes, write_text


def test_content_arrives_and_replaces(tmp_path: Path) -> None:
    target = tmp_path / "new" / "a.txt"
    write_text(target, "één")
    write_bytes(target, b"two")
    assert target.read_bytes() == b"two"
    assert [path.name for path in target.parent.iterdir()] == ["a.txt"]


def test_failure_leaves_the_old_content_and_no_litter(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")

    def fail_half_way() -> None:
        with atomic_path(target) as temporary:
            temporary.write_text("half")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail_half_way()
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_files_get_the_users_permissions(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    mask = os.umask(0o027)
    try:
        write_text(target, "x")
    finally:
        os.umask(mask)
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(DataError, match=r"file.a\.txt: cannot be written"):
        write_text(tmp_path / "file" / "a.txt", "x")
