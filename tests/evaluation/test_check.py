"""The regression check: what passes, what fails, and what it says."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ffbench import cli, registry
from ffbench.errors import DataError
from ffbench.evaluation.regression.check import Baseline, Case, check, placed, read_baseline
from ffbench.evaluation.regression.report import report_lines, write_junit
from ffbench.results.record.run_record import RunRecord
from tests.results.made_runs import base_record

VALUE = base_record().primary.value


def fake(seconds: dict[str, float] | None = None, **scores: float):  # type: ignore[no-untyped-def]
    """Return a run whose scores, and seconds by method, are chosen."""

    def run(case: Case) -> RunRecord:
        base = base_record()
        whole = base.score("epe")
        metrics = {**base.protocol.metrics, "accuracy": base.protocol.metrics["epe"].model_copy(
            update={"higher_is_better": True})}  # fmt: skip
        return base.model_copy(
            update={
                "protocol": base.protocol.model_copy(update={"metrics": metrics}),
                "scores": tuple(whole.model_copy(update={"metric": k, "value": v}) for k, v in scores.items()),
                "cost": base.cost.model_copy(update={"method_seconds": (seconds or {}).get(case.method, 1.0)}),
            }
        )

    return run


def baseline(**scores: float) -> Baseline:
    return Baseline(cases=(Case(method="a", protocol="stripes", scores=scores),))


@pytest.mark.parametrize(
    ("before", "now", "verdict"),
    [
        (2.0, 2.0, "same"),
        (2.0, 2.0199, "same"),
        (2.0, 2.021, "worse by +1.05 %"),
        (2.0, 1.5, "better by -25.00 %"),
        (0.0, 1e-7, "same"),
        (0.0, 0.1, "worse by +0.1"),
        (-1.0, -1.0, "same"),
    ],
)
def test_change_beyond_the_tolerance_fails_in_either_direction(before: float, now: float, verdict: str) -> None:
    (finding,) = check(baseline(epe=before), run=fake(epe=now)).findings
    assert (finding.verdict, finding.passed) == (verdict, verdict == "same")


def test_more_is_better_where_the_metric_says_so() -> None:
    (finding,) = check(baseline(accuracy=50.0), run=fake(accuracy=40.0)).findings
    assert finding.verdict == "worse by -20.00 %"


def test_tolerance_can_be_given() -> None:
    assert check(baseline(epe=2.0), run=fake(epe=2.1), tolerance=0.1).passed
    assert not check(baseline(epe=2.0), run=fake(epe=2.00001), tolerance=1e-6).passed


def test_new_and_missing_metrics_fail() -> None:
    result = check(baseline(epe=1.0, gone=2.0), run=fake(epe=1.0, new=3.0))
    assert [(finding.what, finding.verdict) for finding in result.findings if not finding.passed] == [
        ("gone", "is no longer measured"),
        ("new", "is new; --update writes it"),
    ]


def test_speed_is_a_ratio_to_the_first_case() -> None:
    cases = tuple(
        Case(method=name, protocol="stripes", scores={"epe": 1.0}, speed=speed) for name, speed in (("a", 1), ("b", 5))
    )
    wanted = Baseline(cases=cases, speed_factor=2)
    assert check(wanted, run=fake({"a": 10.0, "b": 99.0}, epe=1.0)).passed
    result = check(wanted, run=fake({"a": 1.0, "b": 20.0}, epe=1.0))
    (slow,) = [finding for finding in result.findings if not finding.passed]
    assert (slow.case, slow.found, slow.verdict) == (
        "b on stripes", 20.0, "4 times as slow, at most 2 times is allowed",
    )  # fmt: skip
    assert check(wanted.model_copy(update={"speed_factor": None}), run=fake({"b": 1e6}, epe=1.0)).passed


def test_update_makes_a_baseline_that_passes() -> None:
    empty = baseline()
    first = check(empty, run=fake(epe=1.25))
    assert not first.passed
    assert first.measured.cases[0].scores == {"epe": 1.25}
    assert check(first.measured, run=fake(epe=1.25)).passed
    changed = first.measured.cases[0].model_copy(update={"dataset_sha256": "1" * 64})
    again = check(first.measured.model_copy(update={"cases": (changed,)}), run=fake(epe=1.25))
    assert again.passed
    assert "are others than those of the baseline" in again.notes[0]


def test_reports(tmp_path: Path) -> None:
    result = check(baseline(epe=1.0, gone=2.0), run=fake(epe=1.0))
    lines = report_lines(result)
    assert lines[1].startswith("   a on stripes")
    assert lines[2].startswith("!  a on stripes")
    assert lines[-1] == "2 numbers, 1 changed"
    write_junit(tmp_path / "junit.xml", result.findings)
    suite = ElementTree.parse(tmp_path / "junit.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert [(case.get("name"), len(case)) for case in suite] == [("epe", 0), ("gone", 1)]
    assert suite[1][0].get("message") == "baseline 2, now -: is no longer measured"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{}", "cases"),
        ('{"cases": []}', "cases"),
        ('{"cases": [{"method": "a"}]}', "cases.0.protocol"),
        ('{"cases": [{"method": "a", "protocol": "b"}], "tolerance": 2}', "tolerance"),
        ('{"cases": [{"method": "a", "protocol": "b", "extra": 2}]}', "extra"),
        ("no json", "the file"),
    ],
)
def test_what_is_no_baseline_is_refused(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "b.json").write_text(content)
    with pytest.raises(DataError, match=rf"b\.json: is no baseline: .*{message}"):
        read_baseline(tmp_path / "b.json")
    with pytest.raises(DataError, match="No such file"):
        read_baseline(tmp_path / "c.json")


def test_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With real runs of the toys: update, pass, fail."""
    toys = {registry.METHOD_GROUP: "brightness", registry.PROTOCOL_GROUP: "stripes"}
    monkeypatch.setattr(
        registry, "entry_points", lambda group: [EntryPoint(toys[group], f"tests.toys:{toys[group]}", group)]
    )
    path, junit = tmp_path / "b.json", tmp_path / "junit.xml"
    path.write_text('{"cases": [{"method": "brightness", "protocol": "stripes", "limit": 3}]}')

    def run(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["ffbench", "check", "--baseline", str(path), *arguments])
        with pytest.raises(SystemExit) as end:
            cli.main()
        return int(end.value.code or 0)

    assert run() == 1
    said = capsys.readouterr()
    assert "b.json: new baseline" in said.err
    assert "0 changed, 1 new" in said.out
    assert run("--update") == 0
    assert read_baseline(path).cases[0].scores == {"epe": VALUE}
    assert run("--junit", str(junit)) == 0
    assert "1 numbers, 0 changed" in capsys.readouterr().out
    assert junit.exists()
    path.write_text(path.read_text().replace(f'"epe": {VALUE}', f'"epe": {VALUE * 1.1}'))
    assert run() == 1
    assert "better by" in capsys.readouterr().out


def test_committed_baseline_can_be_read() -> None:
    committed = read_baseline(Path(__file__).parents[2] / "ci" / "baseline.json")
    assert all(case.scores for case in committed.cases)


def test_paths_are_relative_to_the_baseline() -> None:
    case = Case(method="mynet", protocol="stripes", weights="weights/a.pth", data="faces")
    found = placed(case, Path("ci"))
    assert (found.weights, found.data) == (str(Path("ci/weights/a.pth")), str(Path("ci/faces")))
    assert placed(case, Path("ci"), Path("b.pth")).weights == "b.pth"


def test_random_and_own_weights_are_no_paths() -> None:
    for weights in (None, "random"):
        case = Case(method="mynet", protocol="stripes", weights=weights)
        assert placed(case, Path("ci"), Path("b.pth")) == case
