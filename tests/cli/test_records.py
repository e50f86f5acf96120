"""`ffbench records`: runs what is missing or stale and nothing else, and a row that fails stops no other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ffbench.errors import MethodError
from ffbench.evaluation import evaluate, run_folder
from ffbench.evaluation.shipping import rerun as shipping
from ffbench.evaluation.shipping import staleness
from ffbench.evaluation.shipping.rows import PlannedRow
from ffbench.evaluation.source import MethodSource
from ffbench.method import Method, MethodCard
from ffbench.threads import limited
from tests.commands import run_command
from tests.toys import BrightnessFlow, Stripes

ROWS = 'methods = ["good", "bad"]\n[[readings]]\nprotocol = "stripes"\nlater = { bad = "it breaks" }\n'


def toy(name: str, **_: Any) -> Method:
    method = BrightnessFlow()
    method.card = MethodCard(id=name, title=name.title())
    return method


@pytest.fixture
def shared() -> list[list[str]]:
    """Of each row that shares flows, the rows that used the folder so far."""
    return []


@pytest.fixture
def ran(shared: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A store in the current folder, rows that run in this process, and the names of those that ran."""
    names: list[str] = []

    def run_row(row: PlannedRow, runs: Path, flows: Path | None = None) -> Path:
        names.append(row.method)
        if flows is not None:
            flows.mkdir(parents=True, exist_ok=True)
            (flows / row.reading.title).touch()
            shared.append(sorted(path.name for path in flows.iterdir()))
        if row.method == "bad":
            raise MethodError("bad on stripes: out of light")
        with limited(1):
            record = evaluate(MethodSource(toy(row.method), clock="cpu"), Stripes(6), out=runs)
        return run_folder(runs, "stripes", row.method, record.fingerprint) / "record.json"

    monkeypatch.setattr(staleness, "load_method", toy)
    monkeypatch.setattr(staleness, "load_protocol", lambda name, **_: Stripes(6))
    monkeypatch.setattr(shipping, "run_row", run_row)
    monkeypatch.delenv("FFBENCH_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "submissions").mkdir()
    (tmp_path / "submissions" / "rows.toml").write_text(ROWS)
    return names


def command(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    return run_command(monkeypatch, "records", *arguments)


def test_what_is_up_to_date_is_not_run_again(
    ran: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(monkeypatch, "--stale") == 0
    assert capsys.readouterr().out.splitlines() == [
        "missing: good on stripes",
        "missing: bad on stripes (left for later: it breaks)",
        "0 of 2 rows are up to date",
    ]
    assert ran == []
    assert command(monkeypatch) == 0
    assert command(monkeypatch) == 0
    assert ran == ["good"]
    assert capsys.readouterr().out.splitlines()[-1] == "1 of 1 rows were up to date"
    assert len(list(Path("submissions/verified/stripes").glob("good-*.json"))) == 1


def test_rows_of_one_method_on_one_dataset_share_flows_until_the_last(
    ran: list[str], shared: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = '[[readings]]\nprotocol = "stripes"\noptions = {{ number = "{}" }}\n'
    Path("submissions/rows.toml").write_text('methods = ["good", "bad"]\n' + "".join(map(reading.format, "12")))
    assert command(monkeypatch) == MethodError.exit_code
    assert ran == ["good", "good", "bad", "bad"]
    first, second = "stripes (number=1)", "stripes (number=2)"
    assert shared == [[first], [first, second]] * 2
    assert not list(Path("runs/flows").iterdir())


def test_a_row_alone_shares_nothing(ran: list[str], shared: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    assert command(monkeypatch) == 0
    assert ran == ["good"]
    assert shared == []
    assert not Path("runs/flows").exists()


def test_a_row_that_fails_is_named_and_stops_no_other(
    ran: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = Path("submissions/rows.toml")
    rows.write_text(ROWS.replace('"good", "bad"', '"bad", "good"'))
    assert command(monkeypatch, "--later") == MethodError.exit_code
    assert ran == ["bad", "good"]
    said = capsys.readouterr().err
    assert "failed: bad on stripes: out of light" in said
    assert "1 rows could not be run" in said


def test_a_record_that_no_row_names_is_told(
    ran: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(monkeypatch) == 0
    Path("submissions/rows.toml").write_text(ROWS.replace('"good"', '"other"'))
    capsys.readouterr()
    assert command(monkeypatch, "--stale") == 0
    assert "of no row: submissions/verified/stripes/good-" in capsys.readouterr().out


def test_licensed_data_of_the_machine_never_take_the_place_of_data_that_all_have(
    ran: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FFBENCH_DATA", str(tmp_path))
    assert command(monkeypatch) == 2
    assert "unset it" in capsys.readouterr().err
    assert ran == []
