"""Datasets that were edited, with all done to let it go unseen."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from ffbench.datasets import manifest
from ffbench.datasets.manifest import manifest_sha256, rehashing

FILE = Path("labels.txt")
HOUR = 3600 * 10**9


def settle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the clock say that an hour has gone by, so that hashes are remembered."""
    now = time.time_ns()
    monkeypatch.setattr("ffbench.datasets.manifest.time.time_ns", lambda: now + HOUR)


def edit(text: str) -> None:
    """Change the content of the file in place; keep size and time of change."""
    status = FILE.stat()
    with FILE.open("r+") as file:
        file.write(text)
    os.utime(FILE, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert (FILE.stat().st_size, FILE.stat().st_mtime_ns) == (status.st_size, status.st_mtime_ns)


def reading(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Note which files are hashed."""
    read: list[Path] = []
    original = manifest.data_sha256  # type: ignore[attr-defined]
    monkeypatch.setattr(manifest, "data_sha256", lambda path: (read.append(path), original(path))[1])
    return read


def test_labels_edited_with_size_and_time_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    FILE.write_text("1.0 2.0")
    settle(monkeypatch)
    before = manifest_sha256({"labels": FILE})
    read = reading(monkeypatch)
    assert manifest_sha256({"labels": FILE}) == before
    assert read == []  # control: the hash is remembered
    edit("9.0 9.0")
    assert manifest_sha256({"labels": FILE}) != before
    # Control: by size and time alone it goes unseen.
    edit("1.0 2.0")
    monkeypatch.setattr(manifest, "file_state", lambda path: [path.stat().st_size, path.stat().st_mtime_ns, 0, 0])
    again = manifest_sha256({"labels": FILE})
    edit("9.0 9.0")
    assert manifest_sha256({"labels": FILE}) == again


def test_another_file_moved_into_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    FILE.write_text("1.0 2.0")
    settle(monkeypatch)
    before = manifest_sha256({"labels": FILE})
    status = FILE.stat()
    other = Path("other.txt")
    other.write_text("9.0 9.0")
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(FILE)
    assert manifest_sha256({"labels": FILE}) != before


def test_a_file_younger_than_the_clock_is_never_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two edits within one tick of a coarse clock look the same, whatever is compared."""
    monkeypatch.setattr(manifest, "file_state", lambda path: [7, time.time_ns() // 10**9 * 10**9, 0, 0])
    FILE.write_text("1.0 2.0")
    before = manifest_sha256({"labels": FILE})
    FILE.write_text("9.0 9.0")
    assert manifest_sha256({"labels": FILE}) != before
    monkeypatch.setattr(manifest, "_CLOCK_NS", -HOUR)  # control: trusted at once
    monkeypatch.setattr(manifest, "file_state", lambda path: [7, 0, 0, 0])
    again = manifest_sha256({"labels": FILE})
    FILE.write_text("1.0 2.0")
    assert manifest_sha256({"labels": FILE}) == again


def test_rehash_believes_nothing_that_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    FILE.write_text("1.0 2.0")
    settle(monkeypatch)
    monkeypatch.setattr(manifest, "file_state", lambda path: [7, 0, 0, 0])
    before = manifest_sha256({"labels": FILE})
    FILE.write_text("9.0 9.0")
    assert manifest_sha256({"labels": FILE}) == before  # control: a state that was forged altogether
    with rehashing():
        after = manifest_sha256({"labels": FILE})
    assert after != before
    assert manifest_sha256({"labels": FILE}) == after
