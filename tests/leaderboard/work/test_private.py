"""What visitors sent does not outlive the server: folders are removed with the work, or at the next start."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ffbench.leaderboard.work import private
from ffbench.leaderboard.work.private import PREFIX, private_folder, remove_abandoned

HOLD = """
import sys
from ffbench.leaderboard.work.private import private_folder
with private_folder("upload") as folder:
    (folder / "secret").write_text("a visitor's")
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where folders are made."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


@contextmanager
def holder() -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Start a process that has a private folder."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process, Path(process.stdout.readline().strip())
        finally:
            process.kill()


def test_a_folder_is_private_and_goes_with_the_work(scratch: Path) -> None:
    def work() -> None:
        with private_folder("upload") as folder:
            assert folder.parent == scratch
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
            (folder / "file").write_text("x")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert not list(scratch.iterdir())


def test_a_killed_process_leaves_its_folder_and_the_next_start_removes_it() -> None:
    with holder() as (process, folder):
        assert remove_abandoned() == []  # its owner lives
        assert (folder / "secret").read_text() == "a visitor's"
        process.send_signal(signal.SIGKILL)
        process.wait(30)
        assert (folder / "secret").exists()  # the control: nothing else removes it
        assert remove_abandoned() == [folder]
        assert not folder.exists()


def test_folders_of_this_process_stay() -> None:
    with private_folder("upload") as folder:
        assert remove_abandoned() == []
        assert folder.is_dir()


def test_links_files_and_other_folders_stay(scratch: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("x")
    (scratch / f"{PREFIX}link").symlink_to(outside)
    (scratch / f"{PREFIX}file").write_text("x")
    (scratch / "another").mkdir()
    abandoned = scratch / f"{PREFIX}upload-x"
    abandoned.mkdir()
    (abandoned / "way-out").symlink_to(outside)
    assert remove_abandoned() == [abandoned]
    assert (outside / "file").exists()
    assert sorted(path.name for path in scratch.iterdir()) == ["another", f"{PREFIX}file", f"{PREFIX}link"]


def test_another_users_folder_stays(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    abandoned = scratch / f"{PREFIX}upload-x"
    abandoned.mkdir()
    mine = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: mine + 1)
    assert remove_abandoned() == []
    monkeypatch.undo()
    assert abandoned.is_dir()


def test_a_folder_that_a_start_removes_before_it_is_locked_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    mkdtemp = tempfile.mkdtemp

    def make(prefix: str) -> str:
        made.append(mkdtemp(prefix=prefix))
        if len(made) == 1:
            assert remove_abandoned() == [Path(made[0])]
        return made[-1]

    monkeypatch.setattr(private.tempfile, "mkdtemp", make)
    with private_folder("upload") as folder:
        assert folder == Path(made[1])
        assert folder.is_dir()
