"""Records and tables: what is read is what was written; what is damaged is refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ffbench.errors import DataError
from ffbench.evaluation import evaluate, run_folder
from ffbench.protocol import PairScore, Term
from ffbench.results.record.pair_table import read_pair_table, write_pair_table
from ffbench.results.record.run_record import Submission, read_record, write_record
from ffbench.results.report import text
from tests.toys import BrightnessFlow, Stripes

NAMES = st.text(st.characters(codec="utf-8", exclude_characters=":", exclude_categories=["C"]), min_size=1, max_size=8)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.lists(
        st.builds(
            PairScore,
            NAMES,
            st.dictionaries(NAMES, st.builds(Term, NUMBERS, NUMBERS), max_size=3),
            st.dictionaries(NAMES, NAMES, max_size=3),
        ),
        max_size=5,
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_table_round_trip(tmp_path: Path, scores: list[PairScore]) -> None:
    path = tmp_path / "pairs.parquet"
    write_pair_table(path, scores)
    assert read_pair_table(path) == scores


def test_record_round_trip(tmp_path: Path) -> None:
    record = evaluate(BrightnessFlow(), Stripes(3), out=tmp_path)
    write_record(tmp_path / "copy.json", record)
    assert read_record(tmp_path / "copy.json") == record


def test_record_of_version_1_is_read_as_of_the_present(tmp_path: Path) -> None:
    record = evaluate(BrightnessFlow(), Stripes(3), out=tmp_path)
    old = json.loads(record.model_dump_json())
    old["schema_version"] = 1
    del old["kind"], old["submission"], old["confusion"]
    (tmp_path / "old.json").write_text(json.dumps(old))
    assert read_record(tmp_path / "old.json") == record


def test_record_of_version_2_is_read_as_of_the_present(tmp_path: Path) -> None:
    record = evaluate(BrightnessFlow(), Stripes(3), out=tmp_path)
    old = json.loads(record.model_dump_json())
    old["schema_version"] = 2
    del old["confusion"]
    (tmp_path / "old.json").write_text(json.dumps(old))
    assert read_record(tmp_path / "old.json") == record


def test_submission_of_version_3_is_read_as_of_the_present(tmp_path: Path) -> None:
    submission = Submission(name="Net", files=3, sha256="0" * 64)
    record = evaluate(BrightnessFlow(), Stripes(3), out=tmp_path)
    record = record.model_copy(update={"kind": "submitted", "submission": submission})
    old = json.loads(record.model_dump_json())
    old["schema_version"] = 3
    del old["submission"]["sampling"]
    (tmp_path / "old.json").write_text(json.dumps(old))
    assert read_record(tmp_path / "old.json") == record


def test_interval_of_version_4_is_read_as_what_it_was(tmp_path: Path) -> None:
    record = evaluate(BrightnessFlow(), Stripes(3), out=tmp_path)
    old = json.loads(record.model_dump_json())
    old["schema_version"] = 4
    old["interval"] = {"method": "percentile bootstrap", "level": 0.95, "resamples": 10_000, "seed": 1, "unit": "pair"}
    for score in old["scores"]:
        del score["units"], score["no_interval"]
        score |= {"ci_low": 0.5, "ci_high": 1.5}
    for card in old["protocol"]["metrics"].values():
        del card["minimum"], card["maximum"]
    (tmp_path / "old.json").write_text(json.dumps(old))
    found = read_record(tmp_path / "old.json")
    assert (found.interval.method, found.interval.min_units, found.interval.resamples) == (
        "percentile bootstrap", 2, 10_000,
    )  # fmt: skip
    assert {(score.ci_low, score.ci_high, score.units) for score in found.scores} == {(0.5, 1.5, None)}


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda text: text[: len(text) // 2], "not a run record"),
        (lambda text: text.replace('"schema_version": 5', '"schema_version": 6'), "schema_version"),
        (lambda text: text.replace('"pairs":', '"pears":'), "more|pairs|pears"),
        (lambda text: text.replace('"origin": "synthetic"', '"origin": "reel"'), "dataset.origin"),
        (lambda text: "[]", "not a run record"),
        (lambda text: text.replace('"kind": "evaluated"', '"kind": "submitted"'), "submission"),
        (lambda text: "\x00", "not a run record"),
        (lambda text: "[" * 100_000, "not a run record"),
    ],
)
def test_damaged_record_is_refused_by_name(tmp_path: Path, edit, message: str) -> None:  # type: ignore[no-untyped-def]
    record = evaluate(BrightnessFlow(), Stripes(3), out=tmp_path)
    path = run_folder(tmp_path, "stripes", "brightness", record.fingerprint) / "record.json"
    path.write_text(edit(path.read_text()))
    with pytest.raises(DataError, match=message) as error:
        read_record(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_record_and_damaged_table_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere\.json"):
        read_record(tmp_path / "nowhere.json")
    (tmp_path / "pairs.parquet").write_bytes(b"PAR1 no table PAR1")
    with pytest.raises(DataError, match=r"pairs\.parquet"):
        read_pair_table(tmp_path / "pairs.parquet")


def test_a_crowd_of_groups_is_counted_and_not_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = evaluate(BrightnessFlow(), Stripes(3), out=tmp_path)
    one = record.scores[0]
    groups = [f"subject={number}" for number in range(31)] + [f"emotion={number}" for number in range(30)]
    scores = [one.model_copy(update={"group": group}) for group in ("all", *groups)]
    text.print_record(record.model_copy(update={"scores": tuple(scores)}), tmp_path / "record.json")
    printed = capsys.readouterr().out
    assert "31 groups subject=...: in the record" in printed
    assert "subject=7" not in printed
    assert "emotion=29" in printed


@pytest.mark.parametrize("width", [70, 90, 120])
def test_no_column_of_a_printed_record_is_cut(
    tmp_path: Path, width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    record = evaluate(BrightnessFlow(), Stripes(3), out=tmp_path)
    names = [f"a_metric_of_some_length_{number}" for number in range(6)]
    scores = [score.model_copy(update={"metric": name}) for score in record.scores for name in ["epe", *names]]
    monkeypatch.setattr(text, "_FILE_WIDTH", width)
    text.print_record(record.model_copy(update={"scores": tuple(scores)}), tmp_path / "record.json")
    printed = capsys.readouterr().out
    assert "…" not in printed
    assert all(name in printed for name in names)
