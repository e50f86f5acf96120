"""The command line: what it prints where, and how it ends."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from ffbench import cli, registry
from ffbench.evaluation import run as evaluation_run
from ffbench.results.record.run_record import RunRecord
from tests.commands import run_command

TOYS = {
    registry.METHOD_GROUP: ["brightness", "broken_method"],
    registry.PROTOCOL_GROUP: ["stripes", "torn_stripes"],
}


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Only the toys are installed, and runs go to an empty folder."""
    monkeypatch.setattr(
        registry, "entry_points", lambda group: [EntryPoint(name, f"tests.toys:{name}", group) for name in TOYS[group]]
    )
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("toys")
def test_eval_prints_scores_and_writes_a_record(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(monkeypatch, "eval", "-m", "brightness", "-p", "stripes") == 0
    out = capsys.readouterr().out
    assert "Brightness (brightness) on Stripes (stripes 1.0, paper)" in out
    assert "synthetic data, ground truth reference" in out
    (path,) = Path("runs").rglob("record.json")
    record = RunRecord.model_validate_json(path.read_text())
    assert f"{record.primary.value:.3f}" in out
    assert str(path) in out


@pytest.mark.usefixtures("toys")
def test_json_is_the_record_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(monkeypatch, "eval", "-m", "brightness", "-p", "stripes", "--json", "--out", "elsewhere") == 0
    (path,) = Path("elsewhere").rglob("record.json")
    assert json.loads(capsys.readouterr().out) == json.loads(path.read_text())


@pytest.mark.usefixtures("toys")
@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("eval", "-m", "brightnes", "-p", "stripes"), 2, "did you mean 'brightness'"),
        (("eval", "-m", "brightness", "-p", "strips"), 2, "did you mean 'stripes'"),
        (("eval", "-m", "brightness", "-p", "stripes", "-o", "novalue"), 2, "expected KEY=VALUE"),
        (("eval", "-m", "brightness", "-p", "stripes", "--device", "abacus"), 2, "abacus"),
        (("eval", "-m", "brightness"), 2, "--protocol"),
        (("evil",), 2, "evil"),
        (("eval", "-m", "brightness", "-p", "torn_stripes"), 3, "1 problem"),
        (("eval", "-m", "broken_method", "-p", "stripes"), 4, "out of light"),
    ],
)
def test_errors_are_one_line_and_have_their_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int,
    message: str,
) -> None:  # fmt: skip
    assert run_command(monkeypatch, *arguments) == code
    err = capsys.readouterr().err
    assert message in err
    assert "Traceback" not in err


@pytest.mark.usefixtures("toys")
def test_problem_is_named_and_the_record_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(monkeypatch, "eval", "-m", "brightness", "-p", "torn_stripes") == 3
    streams = capsys.readouterr()
    assert "problem: stripes/002.png: cannot be read" in streams.err
    assert "not for ranking" in streams.out
    assert len(list(Path("runs").rglob("record.json"))) == 1


@pytest.mark.usefixtures("toys")
def test_unexpected_error_is_one_line_but_with_debug_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("surprise")

    monkeypatch.setattr(evaluation_run, "write_pair_table", fail)
    assert run_command(monkeypatch, "eval", "-m", "brightness", "-p", "stripes") == 1
    assert "internal error, ZeroDivisionError: surprise (--debug shows where)" in capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", ["ffbench", "eval", "-m", "brightness", "-p", "stripes", "--debug"])
    with pytest.raises(ZeroDivisionError):
        cli.main()


@pytest.mark.usefixtures("toys")
def test_interrupt_says_that_nothing_is_lost(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(evaluation_run, "write_pair_table", interrupt)
        assert run_command(patch, "eval", "-m", "brightness", "-p", "stripes") == 130
    assert "the same command goes on from there" in " ".join(capsys.readouterr().err.split())
    assert run_command(monkeypatch, "eval", "-m", "brightness", "-p", "stripes") == 0
    assert "6 pairs from an interrupted run" in capsys.readouterr().out


@pytest.mark.usefixtures("toys")
def test_lists_and_cards(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(monkeypatch, "methods", "list") == 0
    assert "breaks in the middle" in capsys.readouterr().out
    assert run_command(monkeypatch, "methods", "show", "brightness", "--json") == 0
    assert json.loads(capsys.readouterr().out)["title"] == "Brightness"
    assert run_command(monkeypatch, "protocols", "list", "--json") == 0
    assert json.loads(capsys.readouterr().out)["stripes"] == "stripes"
    assert run_command(monkeypatch, "protocols", "show", "stripes") == 0
    assert "ranks by" in capsys.readouterr().out
    assert run_command(monkeypatch, "protocols", "show", "stripes", "--json") == 0
    assert len(json.loads(capsys.readouterr().out)["pairs"]) == 6


def test_every_installed_entry_is_listed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(monkeypatch, "methods", "list", "--json") == 0
    methods = json.loads(capsys.readouterr().out)
    assert {"zero", "dis", "raft", "ptlflow/NAME"} <= set(methods)
    assert not [name for name, summary in methods.items() if "cannot be used" in summary]


def test_help_is_quick_and_imports_no_torch() -> None:
    imports = [sys.executable, "-X", "importtime", "-m", "ffbench", "--help"]
    result = subprocess.run(imports, capture_output=True, text=True, check=True)
    assert "eval" in result.stdout
    imported = {line.rpartition("|")[2].strip() for line in result.stderr.splitlines()}
    assert not imported & {"torch", "numba", "cv2", "pandas", "pydantic", "numpy", "scipy", "ptlflow"}
    seconds = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "ffbench", "--help"], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    # CPU time, and the least of several: a machine that does other things as well must not fail this.
    assert min(seconds) < 0.3


def test_version(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(monkeypatch, "--version") == 0
    assert capsys.readouterr().out.startswith("ffbench 0.")
