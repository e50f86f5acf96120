"""Uploads are read by a process that is bounded, and that is gone, with all it wrote, whatever happens."""

from __future__ import annotations

import io
import signal
import subprocess
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from ffbench.errors import DataError
from ffbench.leaderboard.work import scoring
from ffbench.leaderboard.work.bounded import Limits, Progress
from ffbench.leaderboard.work.scoring import read_upload
from ffbench.results.store.verification import verify_store
from ffbench.submissions.submit import Submitter
from tests.leaderboard import uploads


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the folders of uploads are made; none may be left there."""
    monkeypatch.setenv("FFBENCH_DATA", str(uploads.make_dataset(tmp_path / "data")))
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def silent(progress: Progress | None) -> None:
    pass


def at_once(ahead: int) -> None:
    pytest.fail("nobody else was there")


@pytest.mark.slow
def test_an_upload_becomes_a_record_that_a_store_takes(tmp_path: Path, scratch: Path) -> None:
    upload = uploads.good(tmp_path)
    told: list[Progress | None] = []
    submitter = Submitter("My <b>Net</b>", claimed=2.5)
    found = read_upload(upload.name, memoryview(upload.content), uploads.PROTOCOL, submitter, at_once, told.append)
    assert found.record is not None
    assert found.package is not None
    assert found.record.primary.value == pytest.approx(3.0, abs=1e-6)
    assert (found.record.method.id, found.record.method.title) == ("my-b-net-b", "My <b>Net</b>")
    assert told[0] is None
    assert not list(scratch.iterdir())
    with zipfile.ZipFile(io.BytesIO(found.package)) as package:
        assert all(
            name.startswith(f"submissions/claimed/{uploads.PROTOCOL}/my-b-net-b-") for name in package.namelist()
        )
        package.extractall(tmp_path / "checkout")
    checked = verify_store(tmp_path / "checkout" / "submissions", lambda name: None)
    assert (checked.records, checked.faults) == (1, [])


def test_a_visitor_who_goes_takes_the_process_along(
    tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen

    def start(*arguments: Any, **settings: Any) -> subprocess.Popen[bytes]:
        started.append(popen(*arguments, **settings))
        return started[-1]

    class Gone(BaseException):
        pass

    def leave(progress: Progress | None) -> None:
        raise Gone

    monkeypatch.setattr(subprocess, "Popen", start)
    upload = uploads.good(tmp_path)
    with pytest.raises(Gone):
        read_upload(upload.name, memoryview(upload.content), uploads.PROTOCOL, None, at_once, leave)
    (process,) = started
    assert process.returncode == -signal.SIGKILL
    assert not list(scratch.iterdir())


def test_time_that_is_up_is_said(tmp_path: Path, scratch: Path) -> None:
    upload = uploads.good(tmp_path)
    content = memoryview(upload.content)
    with pytest.raises(DataError, match="longer than 0 s; score it yourself"):
        read_upload(upload.name, content, uploads.PROTOCOL, None, at_once, silent, Limits(seconds=0))
    assert not list(scratch.iterdir())


def test_one_upload_at_a_time(tmp_path: Path, scratch: Path) -> None:
    upload = uploads.good(tmp_path)

    class Gone(BaseException):
        pass

    def leave(ahead: int) -> None:
        assert ahead == 1
        raise Gone

    with scoring.PLACE.take(at_once), pytest.raises(Gone):
        read_upload(upload.name, memoryview(upload.content), uploads.PROTOCOL, None, leave, silent)
    assert not list(scratch.iterdir())
    with scoring.PLACE.take(at_once), pytest.raises(DataError, match=r"evil\.exe: expected an archive, \.zip"):
        read_upload("evil.exe", memoryview(b""), uploads.PROTOCOL, None, at_once, silent)
    with scoring.PLACE.take(at_once):  # free again
        pass
