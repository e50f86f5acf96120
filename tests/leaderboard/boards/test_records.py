"""Where the pages find their records when nobody says where."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("streamlit", reason="the extra `leaderboard` is not installed")

from ffbench.leaderboard.boards import records


def test_the_shipped_records_are_shown_where_there_are_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = tmp_path / "installed"
    shipped.mkdir()
    monkeypatch.setattr(records, "shipped_store", lambda: shipped)
    monkeypatch.chdir(tmp_path)
    assert records.existing_places([]) == (str(shipped),)
    (tmp_path / "runs").mkdir()
    assert records.existing_places([]) == (str(shipped), str(tmp_path / "runs"))
    (tmp_path / "submissions").mkdir()
    assert records.existing_places([]) == (str(tmp_path / "submissions"), str(tmp_path / "runs"))
    assert records.existing_places(["elsewhere"]) == (str(tmp_path / "elsewhere"),)
    monkeypatch.setattr(records, "shipped_store", lambda: None)
    (tmp_path / "submissions").rmdir()
    assert records.existing_places([]) == (str(tmp_path / "runs"),)
