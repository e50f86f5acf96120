"""The submit page: an archive becomes a report, and a sound one a record; a bad one is told apart, in words."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

from ffbench import evaluate, load_method, load_protocol
from ffbench.leaderboard.boards.board_naming import protocol_title
from tests.leaderboard import uploads
from tests.leaderboard.pages import EVIL, faults, in_this_process, page, words


@pytest.fixture(autouse=True)
def _in_this_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read uploads here; test_scoring.py has the process of its own."""
    monkeypatch.setenv("FFBENCH_DATA", str(uploads.make_dataset(tmp_path / "data")))
    in_this_process(monkeypatch)


def uploaded(monkeypatch: pytest.MonkeyPatch, upload: uploads.Upload) -> Any:
    made = page(monkeypatch, "submit", protocol=uploads.PROTOCOL)
    assert "Choose an archive" in words(made)
    made.file_uploader(key="archive").upload(upload.name, upload.content).run()
    made.button[0].click().run()
    assert not made.exception
    assert not faults(made)
    return made


def test_a_sound_archive_becomes_a_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = uploads.good(tmp_path)
    made = uploaded(monkeypatch, upload)
    assert any(upload.said in code.value for code in made.code)
    assert not made.metric
    made.text_input[0].set_value("My Net")
    made.number_input[0].set_value(2.5)
    made.button[1].click().run()
    assert not faults(made)
    shown = {metric.label: metric.value for metric in made.metric}
    assert shown["epe, px"] == "3.000"
    assert shown["your own number"] == "2.500"
    assert shown["pairs"] == "4"
    assert "My Net on" in words(made)
    assert "git switch -c submit-my-net" in made.code[-1].value
    assert [button.label for button in made.get("download_button")] == [
        "Record (JSON)",
        "Record and pair scores, for the repository",
    ]
    assert [header.value for header in made.subheader] == ["Would be 1st of 1"]
    assert "Board: a new one" in words(made)
    # A page that is loaded again is a new session: the address brings the result back, and on no other protocol.
    asked = made.query_params["submission"]
    ticket = asked if isinstance(asked, str) else asked[0]
    again = page(monkeypatch, "submit", protocol=uploads.PROTOCOL, submission=ticket)
    assert {metric.label: metric.value for metric in again.metric} == shown
    assert "From before this page was loaded again" in words(again)
    assert not page(monkeypatch, "submit", protocol="ffn_head", submission=ticket).metric
    assert not page(monkeypatch, "submit", protocol=uploads.PROTOCOL, submission="guess").metric
    # What came of one protocol's check says nothing of another.
    made.selectbox(key="protocol").set_value("ffn_head").run()
    assert not made.metric
    assert len(made.button) == 1


def test_protocols_without_a_mini_dataset_are_offered_where_the_users_data_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FFBENCH_DATA", raising=False)
    offered = page(monkeypatch, "submit").selectbox(key="protocol").options
    assert "ffn_head" in offered
    assert "mmew_7" not in offered
    monkeypatch.setenv("FFBENCH_DATA", str(tmp_path))
    assert "mmew_7" in page(monkeypatch, "submit").selectbox(key="protocol").options


def test_a_name_is_asked_for_and_shown_as_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = uploaded(monkeypatch, uploads.good(tmp_path))
    made.text_input[0].set_value("   ")
    made.button[1].click().run()
    assert "needs a name" in words(made)
    assert not made.metric
    made.text_input[0].set_value(EVIL)
    made.button[1].click().run()
    assert "alert(1)" in words(made)
    for element in (*made.markdown, *made.caption, *made.info, *made.warning, *made.error, *made.html, *made.metric):
        assert "alert(" not in str(element.value)
    assert "<" not in made.code[-1].value


@pytest.mark.parametrize("kind", uploads.BAD)
def test_a_bad_archive_is_refused_in_words(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = uploads.BAD[kind](tmp_path)
    made = uploaded(monkeypatch, upload)
    said = words(made) + "".join(code.value for code in made.code)
    assert upload.said in said
    assert "ffbench-upload" not in said
    assert len(made.button) == 1  # nothing to score
    for element in (*made.markdown, *made.caption, *made.info, *made.warning, *made.error, *made.html):
        assert "<img" not in str(element.value)
        assert "<b>" not in str(element.value)


def test_what_is_wanted_is_said_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    made = page(monkeypatch, "submit", protocol=uploads.PROTOCOL)
    assert f"facial/{uploads.KEYS[0]}.flo" in words(made)
    assert "4 pairs" in words(made)
    assert f"ffbench export -p {uploads.PROTOCOL} --out images" in made.code[0].value


def test_the_board_and_the_place_on_it_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    protocol = load_protocol(uploads.PROTOCOL)
    evaluate(load_method("zero", device="cpu"), protocol, out=tmp_path / "runs")
    made = page(monkeypatch, "submit", tmp_path / "runs", protocol=uploads.PROTOCOL)
    assert f"Board: {protocol_title(uploads.PROTOCOL)} 1.0" in words(made)
    assert "1 methods; first is Zero flow with" in words(made)
    upload = uploads.good(tmp_path)
    made.file_uploader(key="archive").upload(upload.name, upload.content).run()
    made.button[0].click().run()
    made.text_input[0].set_value("My Net")
    made.button[1].click().run()
    assert not faults(made)
    (place,) = [header.value for header in made.subheader]
    assert place in ("Would be 1st of 2", "Would be 2nd of 2")
    assert ("ahead of Zero flow" if "1st" in place else "behind Zero flow") in words(made)


def test_what_to_do_about_wrong_files_is_said_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = uploads.good(tmp_path)
    with zipfile.ZipFile(io.BytesIO(upload.content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    nested = io.BytesIO()
    with zipfile.ZipFile(nested, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"out/of/my/net/{name}", content)
    made = uploaded(monkeypatch, uploads.Upload("nested.zip", nested.getvalue(), ""))
    assert "lie too deep, in of/my/net/: move everything in it up 3 folders" in words(made)
    assert not any("hint" in code.value for code in made.code)
