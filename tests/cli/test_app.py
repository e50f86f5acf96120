"""`ffbench app` starts Streamlit on the installed pages."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from ffbench import cli


def test_command_runs_the_app_that_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("streamlit", reason="the extra `leaderboard` is not installed")
    started: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda _, command: started.append(command))
    monkeypatch.setattr(sys, "argv", ["ffbench", "app", "--no-browser", "--port", "8600", str(tmp_path)])
    with pytest.raises(SystemExit, match="0"):
        cli.main()
    (command,) = started
    script = Path(command[command.index("run") + 1])
    spec = find_spec("ffbench.leaderboard")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    assert script == Path(spec.submodule_search_locations[0]) / "app.py"
    assert (script.parent / ".streamlit" / "config.toml").is_file()
    assert {"--server.port=8600", "--server.headless=true", "--server.address=127.0.0.1"} < set(command)
    assert command[-2:] == ["--", str(tmp_path)]
    assert "http://127.0.0.1:8600" in capsys.readouterr().out


def test_a_place_that_is_not_there_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["ffbench", "app", str(tmp_path / "nowhere")])
    with pytest.raises(SystemExit, match="2"):
        cli.main()
    assert "nowhere: no such record, store or folder" in capsys.readouterr().err
