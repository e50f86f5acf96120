"""The page shows what the records hold, real and synthetic apart."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ffbench.evaluation import evaluate
from tests.toys import BrightnessFlow, Stripes

testing = pytest.importorskip("streamlit.testing.v1", reason="the extra `leaderboard` is not installed")
APP = str(Path(__file__).parents[2] / "leaderboard" / "app.py")


def page(monkeypatch: pytest.MonkeyPatch, *places: Path):  # type: ignore[no-untyped-def]
    monkeypatch.setattr(sys, "argv", ["app.py", *map(str, places)])
    app = testing.AppTest.from_file(APP, default_timeout=60).run()
    assert not app.exception
    return app


def test_a_record_is_a_row_and_says_that_it_is_synthetic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = evaluate(BrightnessFlow(), Stripes(6), out=tmp_path)
    app = page(monkeypatch, tmp_path)
    (table,) = app.dataframe
    assert table.value["method"].tolist() == ["Brightness"]
    assert table.value["verified"].tolist() == [record.primary.value]
    assert "Synthetic" in app.warning[0].value


def test_no_records_say_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = page(monkeypatch, tmp_path)
    assert "No records" in app.info[0].value
    assert "ffbench eval" in app.code[0].value
    assert not app.dataframe


def test_a_damaged_record_is_named_and_the_others_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evaluate(BrightnessFlow(), Stripes(6), out=tmp_path)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "record.json").write_text("{")
    app = page(monkeypatch, tmp_path)
    assert "1 record left out" in app.expander[0].label
    assert "record.json" in app.expander[0].text[0].value
    assert len(app.dataframe) == 1
