"""Visitors name folders that were opened to them, and learn nothing of the others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ffbench.errors import UsageError
from ffbench.leaderboard.folders import VARIABLE, open_folders, visitor_folder


def test_none_is_open_unless_somebody_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert open_folders() == []
    with pytest.raises(UsageError):
        visitor_folder(str(tmp_path))


def test_only_what_lies_in_an_open_folder_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, outside = tmp_path / "open" / "inside", tmp_path / "outside"
    inside.mkdir(parents=True)
    outside.mkdir()
    (inside / "way-out").symlink_to(outside)
    (outside / "way-in").symlink_to(inside)
    (tmp_path / "open-not").mkdir()
    monkeypatch.setenv(VARIABLE, os.pathsep.join([str(tmp_path / "open"), str(tmp_path / "gone")]))
    assert open_folders() == [tmp_path / "open"]
    assert visitor_folder(str(inside)) == visitor_folder(str(outside / "way-in")) == inside
    refused = [
        outside,
        inside / "way-out",
        inside / ".." / ".." / "outside",
        tmp_path / "open-not",
        inside / "gone",
        "\0",
    ]
    for folder in refused:
        with pytest.raises(UsageError, match="is no folder below those") as error:
            visitor_folder(str(folder))
        assert str(error.value) == f"'{folder}' is no folder below those that {VARIABLE} opens"
