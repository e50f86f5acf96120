"""Names by strangers, in every command that prints: they stay in their line, and are no markup, formula or command."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ffbench.errors import DataError
from ffbench.io import escape
from ffbench.protocol import MetricCard
from ffbench.results.record.run_record import read_record, write_record
from tests.attacks.forging import edited, forge, honest, net, publish
from tests.commands import run_command
from tests.submissions.toys import make_submission
from tests.toys import STRIPES

EVIL = (
    "=1+1 \x1b[31mred\x1b]0;title\x07 \x9b2J\nfault: none\r\x08 \u202egnp.exe\u2066 z\u200bw \ud800 "
    "<script>alert(1)</script> | `x` [a](javascript:b) ![i](http://c) \\input{/etc/passwd} $x^2$ 50% A&B #1 ~ _u_ "
    "Z" + "\u0301" * 40
)
PLAIN = "Plain name"
CARD = STRIPES.model_copy(update={"id": "stripes2"})
"""Of a protocol that is not installed: nothing is known of it but what a record says."""


def evil_card(text: str) -> object:
    metrics = {"epe": MetricCard(title=text, unit=text)}
    return CARD.model_copy(update={"title": text, "variant": text, "options": {text: text}, "metrics": metrics})


def evil_run(text: str, key: str = "0", factor: float = 1.0) -> Path:
    """Write a record in which all that is free text is `text`."""
    text = text.encode("utf-8", "replace").decode()  # JSON in UTF-8 holds no lone surrogate
    base = honest()
    record = read_record(base)
    parts = net(text[:200], sha256=key * 64, contact=text[:200], paper=text, code=text, claimed=1.0)
    path = forge(
        base,
        f"net{key}",
        lambda scores: [
            type(score)(f"{text}{score.key}", score.terms, {"parity": f"{text}{int(score.key) % 2}"})
            for score in scores
        ],
        card=evil_card(text),  # type: ignore[arg-type]
        fingerprint=key,
        dataset=record.dataset.model_copy(update={"name": text, "reference_note": text}),
        environment=record.environment.model_copy(update={"device": text}),
        **parts,
    )
    changed = read_record(path)
    # Id and title are those of the submission's name, or the record would be shown nowhere.
    write_record(path, changed.model_copy(update={"method": changed.method.model_copy(update={"paper": text})}))
    return path


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def ffbench(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command; gives exit code, stdout and stderr."""

    def run(*arguments: object) -> tuple[int, str, str]:
        code = run_command(monkeypatch, *arguments)
        out, err = capsys.readouterr()
        return code, out, err

    return run


def harmless(text: str) -> bool:
    """Whether a text has nothing that a terminal obeys, or that turns or hides what stands there."""
    return all(mark == "\n" or mark.isprintable() for mark in text) and "\u0301" * 3 not in text


def printing(run: Path) -> dict[str, tuple[object, ...]]:
    """All commands that print what a record says."""
    return {
        "verify": ("verify", "submissions", "--no-rescore"),
        "board": ("leaderboard", "submissions", "runs", "forged"),
        "csv": ("leaderboard", "submissions", "--format", "csv"),
        "latex": ("leaderboard", "submissions", "--format", "latex"),
        "json": ("leaderboard", "submissions", "--format", "json"),
        "table": ("table", "2", "--runs", "forged"),
        "compare": ("compare", run, run),
        "compare json": ("compare", run, run, "--json"),
        "publish": ("publish", run, "--store", "other"),
    }


@pytest.mark.parametrize("name", list(printing(Path())))
def test_commands_that_print_records(name: str, ffbench: Run) -> None:
    """As many lines as for a plain name, and none of them obeyed."""
    lines = {}
    for text in (PLAIN, EVIL):
        run = evil_run(text)
        publish(run)
        code, out, err = ffbench(*printing(run)[name])
        assert harmless(out), name
        assert harmless(err), name
        lines[text] = len(out.splitlines()), len(err.splitlines()), code
        for folder in ("submissions", "forged", "other"):
            shutil.rmtree(folder, ignore_errors=True)
    assert lines[PLAIN] == lines[EVIL]


def test_an_id_of_a_strangers_package(ffbench: Run) -> None:
    """Of flows that were sent in the id follows from their name; that of an installed method may be anything."""
    base = honest()
    text = EVIL.encode("utf-8", "replace").decode()
    card = read_record(base).method.model_copy(update={"id": text, "title": text})
    publish(edited(base, method=card))
    for command in (("verify", "submissions", "--no-rescore"), ("leaderboard", "submissions")):
        _, out, err = ffbench(*command)
        assert harmless(out)
        assert harmless(err)
    assert "| - |" in out  # it is shown


def test_control_names_are_printed_as_they_are_without_the_module(
    ffbench: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = evil_run(EVIL)
    monkeypatch.setattr("ffbench.results.report.compare_text.plain", str)
    monkeypatch.setattr("ffbench.cli.shared.console.terminal", str)
    assert not harmless(ffbench("compare", run, run)[1])


def test_markdown_latex_and_csv_of_boards(ffbench: Run) -> None:
    publish(evil_run(EVIL))
    _, out, _ = ffbench("leaderboard", "submissions")
    rows = [line for line in out.splitlines() if line.startswith("|")]
    assert len({row.replace(r"\|", "").count("|") for row in rows}) == 1
    for mark in ("<script", "](", "`x`", " $x"):
        assert mark not in out.replace("\\" + mark[:1], "").replace(r"\]", "")
    _, out, _ = ffbench("leaderboard", "submissions", "--format", "latex")
    assert r"\input" not in out
    assert "A&B" not in out
    _, out, _ = ffbench("leaderboard", "submissions", "--format", "csv")
    cells = [cell for row in csv.reader(io.StringIO(out)) for cell in row]
    assert any(cell.startswith("'=1+1") for cell in cells)  # control: a formula was there
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@")) or (cell[:1] == "-" and cell[1:2].isalpha())]
    _, out, _ = ffbench("leaderboard", "submissions", "--format", "json")
    assert out.isascii()
    assert json.loads(out)[0]["lines"][0]["title"].startswith("=1+1 \x1b")  # the content is as it was


def test_a_finished_run_and_a_report_of_a_submission(ffbench: Run, capsys: pytest.CaptureFixture[str]) -> None:
    from ffbench.results.report.text import print_record

    run = evil_run(EVIL)
    print_record(read_record(run), run)
    assert harmless(capsys.readouterr().out)
    flows = make_submission(Path("flows"))
    name = "evil\x1b[31m\n\u202e.flo"
    (flows / "facial" / name).write_bytes((flows / "facial" / "000.flo").read_bytes())
    for arguments in (("validate", "flows", "-p", "stripes"), ("validate", "flows", "-p", "stripes", "--json")):
        code, out, err = ffbench(*arguments)
        assert code == 3
        assert harmless(out)
        assert harmless(err)


@pytest.mark.parametrize(
    "command", [("verify",), ("leaderboard",), ("compare", "x"), ("validate", "-p"), ("eval", "-m")]
)
def test_errors_that_quote_names(command: tuple[str, ...], ffbench: Run) -> None:
    evil = "no\x1b[31m\n\u202esuch"
    code, out, err = ffbench(*command, evil, *(("-p", "stripes") if command[0] == "eval" else ()))
    assert code != 0
    assert harmless(out)
    assert harmless(err)


def test_an_error_is_one_line(ffbench: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise DataError(f"{EVIL}: is odd")

    monkeypatch.setattr("ffbench.results.store.records.read_rows", fail)
    code, _, err = ffbench("leaderboard", "submissions")
    assert code == 3
    assert harmless(err)
    assert len(err.splitlines()) == 1


def test_every_output_of_the_module_by_itself() -> None:
    for one in (
        escape.plain,
        escape.terminal,
        escape.markdown,
        escape.latex,
        escape.csv_cell,
        escape.html,
        escape.chart,
    ):
        assert harmless(one(EVIL))
        assert "\n" not in one(EVIL)
    assert "<script" not in escape.html(EVIL)
    assert "<script" not in escape.chart(EVIL)
    assert "<script" not in escape.markdown(EVIL).replace(r"\<", "")
    for formula in ("=1", "+1", "-1", "@x", "\t=1", "\r\n=1", "\u200b=1", "\uff1d1"):
        assert escape.csv_cell(formula).startswith("'")
    document = json.dumps({"a": EVIL}, ensure_ascii=False)
    assert json.loads(escape.json_text(document)) == {"a": EVIL}
    assert escape.json_text(document).isascii()
    assert json.loads(escape.json_text('{"a": "\U0001f600"}')) == {"a": "\U0001f600"}


def test_the_app_shows_text_as_text() -> None:
    from ffbench.leaderboard.look import legends, theme

    assert harmless(theme.plain(EVIL))
    assert harmless(theme.chart_text(EVIL, 200))
    assert "<" not in theme.chart_text(EVIL, 200)
    assert not set("<>[]`*_$\\") & set(theme.word(EVIL))
    assert "<script" not in legends.color_legend({EVIL: (0, 0, 0)})
    assert "<script" not in legends.error_legend(1.0, EVIL, 0.5)
