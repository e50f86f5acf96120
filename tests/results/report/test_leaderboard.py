"""Boards: who stands where, what is kept apart, what is not shown."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from ffbench import cli, paths
from ffbench.errors import UsageError
from ffbench.method import MethodCard, WeightsCard
from ffbench.results.record.row import Board, Row, row_of
from ffbench.results.record.run_record import Submission, read_record
from ffbench.results.report.leaderboard import BoardTable, leaderboard, reported_values
from ffbench.results.report.leaderboard_formats import format_boards
from ffbench.results.report.leaderboard_text import print_boards
from ffbench.results.store.records import add_record
from tests.results.made_runs import make_run, row

HARD = np.random.default_rng(0).gamma(1.0, 2.0, 40)
REAL = {"origin": "real", "name": "CK+", "reference": "annotation"}
CK = {"id": "ck_landmarks", "options": {}}


def values(shift: float, seed: int) -> list[float]:
    return list(HARD + shift + 0.1 * np.random.default_rng(seed).normal(size=len(HARD)))


def claimed(path: Path) -> Row:
    return row_of(path, "claimed", read_record(path))


def titles(table: BoardTable) -> list[tuple[int | None, str]]:
    return [(line.position, line.title) for line in table.lines]


def test_real_and_synthetic_never_share_a_table(tmp_path: Path) -> None:
    rows = [
        row(make_run(tmp_path, "a", values(0, 1))),
        row(make_run(tmp_path, "b", values(1, 2), dataset={"origin": "real"})),
        row(make_run(tmp_path, "c", values(2, 3))),
        row(make_run(tmp_path, "d", values(2, 3), dataset={"manifest_sha256": "1" * 64})),
        row(make_run(tmp_path, "e", values(2, 3), card={"variant": "official"})),
    ]
    tables = leaderboard(rows)
    assert [table.board.origin for table in tables] == ["real"] + ["synthetic"] * 3
    assert sorted(titles(table) for table in tables) == [
        [(1, "A"), (2, "C")], [(1, "B")], [(1, "D")], [(1, "E")],
    ]  # fmt: skip
    with pytest.raises(UsageError, match="give --origin"):
        format_boards(tables, "csv")


def test_reanimated_faces_stand_between_real_and_synthetic_and_apart(tmp_path: Path) -> None:
    origins = ("synthetic", "reanimated", "real")
    rows = [row(make_run(tmp_path, name, values(0, 1), dataset={"origin": name})) for name in origins]
    tables = leaderboard(rows)
    assert [table.board.origin for table in tables] == ["real", "reanimated", "synthetic"]
    assert [len(table.lines) for table in tables] == [1, 1, 1]
    for pair in ((0, 1), (1, 2)):
        with pytest.raises(UsageError, match="give --origin"):
            format_boards([tables[number] for number in pair], "csv")
    assert format_boards(tables[1:2], "csv").count("reanimated") >= 1


def test_random_weights_and_partial_runs_are_never_shown(tmp_path: Path) -> None:
    weights = WeightsCard(name="random", source="random", random=True)
    rows = [
        row(make_run(tmp_path, "a", values(0, 1), method=MethodCard(id="a", title="Random", weights=weights))),
        row(make_run(tmp_path, "b", values(0, 2), complete=False)),
    ]
    assert leaderboard(rows) == []
    assert format_boards([], "md") == "no results\n"


def test_latest_record_of_a_method_counts(tmp_path: Path) -> None:
    rows = [
        row(make_run(tmp_path / str(minute), "a", values(shift, 1), minute=minute))
        for minute, shift in ((2, 0.5), (1, 0.0), (0, 1.0))
    ]
    (table,) = leaderboard(rows)
    assert len(table.lines) == 1
    assert table.lines[0].verified == rows[0].value


def test_claimed_reported_and_verified_are_kept_apart(tmp_path: Path) -> None:
    net = {"kind": "submitted", "submission": Submission(name="Net", files=1, sha256="0", claimed=0.5)}
    other = {"kind": "submitted", "submission": Submission(name="Other", files=1, sha256="1")}
    rows = [
        row(make_run(tmp_path, "dis", values(1, 1), dataset=REAL, card=CK)),
        row(make_run(tmp_path, "net", values(0, 2), dataset=REAL, card=CK, **net)),
        claimed(make_run(tmp_path, "other", values(0, 3), dataset=REAL, card=CK, **other)),
        row(make_run(tmp_path, "raft", values(2, 4), dataset=REAL, card=CK)),
    ]
    (table,) = leaderboard(rows)
    lines = {line.title: line for line in table.lines}
    assert (lines["Net"].position, lines["Net"].claimed, lines["Net"].reported) == (1, 0.5, None)
    assert lines["Net"].verified == rows[1].value
    assert (lines["Other"].position, lines["Other"].verified, lines["Other"].claimed) == (None, None, rows[2].value)
    assert (lines["Raft"].position, lines["Raft"].reported) == (3, "3.76")
    assert "RAFT" not in lines
    paper = lines["RAFT+FFN"]
    assert (paper.position, paper.verified, paper.claimed, paper.reported) == (None, None, None, "3.57")
    kinds = [(line.position is not None, line.claimed is not None and line.verified is None) for line in table.lines]
    assert kinds == sorted(kinds, reverse=True)
    text = format_boards([table], "md")
    assert "| - | - | RAFT+FFN (paper, Table 3) | - | - | - | - | 3.57 |" in text


def test_claimed_and_verified_record_of_one_submission_are_one_line(tmp_path: Path) -> None:
    net = {"kind": "submitted", "submission": Submission(name="Net", files=1, sha256="0")}
    rows = [
        claimed(make_run(tmp_path / "theirs", "net", values(-0.5, 2), **net)),
        row(make_run(tmp_path / "ours", "net", values(0, 2), **net)),
    ]
    (table,) = leaderboard(rows)
    (line,) = table.lines
    assert (line.position, line.verified, line.claimed) == (1, rows[1].value, rows[0].value)


def test_nothing_is_reported_for_synthetic_data_or_other_options() -> None:
    board = Board("ck_landmarks", "1.0", "paper", "{}", "CK+", "real", "annotation", "0")
    assert ("Table 3, CK+(L.), RAFT", "3.76") in [(where, value) for where, _, value in reported_values(board, "epe")]
    printed = [float(value) for _, _, value in reported_values(board, "epe")]
    assert printed == sorted(printed)
    synthetic = Board("ck_landmarks", "1.0", "paper", "{}", "CK+ mini", "synthetic", "ground truth", "0")
    assert reported_values(synthetic, "epe") == []
    validation = Board("ffn_motion_scale", "1.0", "paper", '{"split": "val"}', "FFN", "real", "ground truth", "0")
    assert reported_values(validation, "epe") == []


EVIL = "=cmd()|<b>\\ [x](javascript:1) 50% & $a_b^c~ #{\u202eevil}\nsecond"


def test_names_of_strangers_are_harmless_in_every_format(tmp_path: Path) -> None:
    rows = [row(make_run(tmp_path, "a", values(0, 1), method=MethodCard(id="a", title=EVIL, paper="@SUM(1)")))]
    tables = leaderboard(rows)
    markdown = format_boards(tables, "md")
    assert r"=cmd()\|\<b\>\\ \[x\](javascript:1) 50% \& \$a\_b^c\~ \#\{ evil\} second" in markdown
    assert all(line.count("|") - line.count(r"\|") == 9 for line in markdown.splitlines() if line.startswith("|"))
    latex = format_boards(tables, "latex")
    assert r"=cmd()|<b>\textbackslash{} [x](javascript:1) 50\% \& \$a\_b\textasciicircum{}c" in latex
    (heads, cells) = list(csv.reader(io.StringIO(format_boards(tables, "csv"))))
    found = dict(zip(heads, cells, strict=True))
    assert found["title"].startswith("'=cmd()")
    assert found["source"] == "'@SUM(1)"
    assert (found["origin"], found["position"], float(found["verified"])) == ("synthetic", "1", rows[0].value)
    assert json.loads(format_boards(tables, "json"))[0]["lines"][0]["title"] == EVIL
    with pytest.raises(UsageError, match="markdown, csv, latex, json"):
        format_boards(tables, "html")


def test_methods_that_the_data_cannot_tell_apart_are_marked(tmp_path: Path) -> None:
    rows = [row(make_run(tmp_path, name, values(shift, k))) for k, (name, shift) in enumerate((("a", 0), ("b", 0)))]
    text = format_boards(leaderboard(rows), "md")
    assert "| 1 | 1-2 |" in text
    assert "| 2 ≈ | 1-2 |" in text
    assert "synthetic data" in text


def test_a_terminal_gets_a_table_that_fits_80_columns(tmp_path: Path) -> None:
    rows = [
        row(make_run(tmp_path, "a", values(0, 1), method=MethodCard(id="a", title="[bold]A_name " + "long " * 20))),
        row(make_run(tmp_path, "b", values(0, 2))),
        row(make_run(tmp_path, "c", [1.0, 2.0], dataset={"manifest_sha256": "1" * 64})),
    ]
    out = io.StringIO()
    print_boards(leaderboard(rows), Console(file=out, width=80))
    text = out.getvalue()
    assert max(map(len, text.splitlines())) <= 80
    assert "[bold]A_name" in text
    assert re.search(r"2 ≈ +1-2 ", text)
    assert "claimed" not in text
    assert "C: no interval: 2 pairs, an interval takes 5" in text
    print_boards([], Console(file=out, width=80))
    assert out.getvalue().endswith("no results\n")


def test_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FFBENCH_CACHE", str(tmp_path / "cache"))
    make_run(tmp_path / "runs", "a", values(0, 1))
    make_run(tmp_path / "runs", "b", values(0, 1), complete=False)

    def run(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["ffbench", "leaderboard", str(tmp_path / "runs"), *arguments])
        with pytest.raises(SystemExit) as end:
            cli.main()
        return int(end.value.code or 0)

    assert run() == 0
    streams = capsys.readouterr()
    assert "| 1 | 1 | A |" in streams.out
    assert "not shown" in streams.err
    assert run("--format", "json", "--protocol", "nothing") == 0
    assert json.loads(capsys.readouterr().out) == []
    assert run("--origin", "imagined") == 2
    capsys.readouterr()
    assert run("--origin", "reanimated") == 0
    assert "| 1 | 1 | A |" not in capsys.readouterr().out


def test_without_a_place_the_runs_or_else_the_shipped_records_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shipped = tmp_path / "installed"
    add_record(shipped, make_run(tmp_path, "alpha", [1.0, 2.0, 4.0]), "verified")
    monkeypatch.setattr(paths, "shipped_store", lambda: shipped)
    monkeypatch.setattr(sys, "argv", ["ffbench", "leaderboard"])
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    with pytest.raises(SystemExit, match="0"):
        cli.main()
    shown = capsys.readouterr()
    assert "Alpha" in shown.out
    assert f"the records that ship with ffbench ({shipped})" in shown.err
    make_run(tmp_path / "empty" / "runs", "beta", [1.0, 2.0, 4.0])
    with pytest.raises(SystemExit, match="0"):
        cli.main()
    shown = capsys.readouterr()
    assert "Beta" in shown.out
    assert "Alpha" not in shown.out
    assert "./runs" in shown.err


def test_without_runs_and_records_a_place_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(paths, "shipped_store", lambda: None)
    monkeypatch.setattr(sys, "argv", ["ffbench", "leaderboard"])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="2"):
        cli.main()
    assert "no records ship with this installation: name a PLACE" in capsys.readouterr().err


def test_shipped_records_are_those_of_the_package_or_of_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "ffbench"
    monkeypatch.setattr(paths, "PACKAGE", package)
    (tmp_path / "submissions" / "verified").mkdir(parents=True)
    # Beside an installed package lie those of others: one that is called `submissions` is not ours.
    assert paths.shipped_store() is None
    (tmp_path / "pyproject.toml").touch()
    assert paths.shipped_store() == tmp_path / "submissions"
    (package / "shipped" / "verified").mkdir(parents=True)
    assert paths.shipped_store() == package / "shipped"
