"""Results of recognition as a paper needs them, from the records that ship: held against sums over the pair tables."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ffbench.errors import DataError, UsageError
from ffbench.protocol import Confusion, PairScore, Term
from ffbench.results.recognition.confusion_picture import write_confusion
from ffbench.results.recognition.records import find_recognition, flow_of, is_recognition
from ffbench.results.recognition.report import confusion_table, report_tables, subject_table
from ffbench.results.recognition.splits import splits_csv
from ffbench.results.recognition.tables import method_tables, optimism_tables
from ffbench.results.record.pair_table import read_pair_table
from ffbench.results.record.run_record import RunRecord, read_record
from ffbench.results.tables import as_latex, as_text
from tests.commands import run_command

VERIFIED = Path(__file__).parents[2] / "submissions" / "verified"


def shipped(protocol: str = "casme2_5", variant: str = "clean", flow: str = "facial", method: str = "dis") -> RunRecord:
    """A record that ships."""
    for path in sorted((VERIFIED / protocol).glob("*.json")):
        record = read_record(path)
        card = record.protocol
        if (record.method.id, card.variant, card.options["flow"]) == (method, variant, flow):
            return record
    raise AssertionError("there is no such record")


def path_of(record: RunRecord) -> Path:
    assert record.path is not None
    return record.path


def scores_of(record: RunRecord) -> list[PairScore]:
    return read_pair_table(path_of(record).with_suffix(".parquet"))


def with_seeds(record: RunRecord, seeds: int, value: float) -> RunRecord:
    """The record as if it were of several seeds and had another accuracy."""
    card = record.protocol.model_copy(update={"options": {**record.protocol.options, "seeds": seeds}})
    scores = tuple(
        score.model_copy(update={"value": value}) if (score.metric, score.group) == ("accuracy", "all") else score
        for score in record.scores
    )
    return record.model_copy(update={"protocol": card, "scores": scores})


def test_by_subject_is_a_sum_over_the_clips_of_each() -> None:
    record = shipped()
    scores = scores_of(record)
    table = subject_table(scores)
    expected: dict[str, list[float]] = {}
    for score in scores:
        expected.setdefault(score.labels["subject"], []).append(score.terms["accuracy"].sum)
    assert [row[0] for row in table.rows] == sorted(expected)
    for subject, clips, right, accuracy, classes in table.rows:
        hits = expected[subject]
        assert int(clips) == len(hits)
        assert float(right) == sum(hit == 100 for hit in hits)
        assert float(accuracy) == pytest.approx(np.mean(hits), abs=0.05)
        assert sum(int(part.rsplit(" ", 1)[1]) for part in classes.split(", ")) == len(hits)
    # Together they are what the record says.
    whole = sum(float(row[2]) for row in table.rows) / sum(int(row[1]) for row in table.rows)
    assert 100 * whole == pytest.approx(record.score("accuracy").value)


def test_right_is_a_mean_over_seeds() -> None:
    scores = [PairScore("a", {"accuracy": Term(200.0, 4)}, {"subject": "s1", "class": "x"})]
    assert subject_table(scores).rows == (("s1", "1", "0.5", "50.00", "x 1"),)
    with pytest.raises(DataError, match="pair a: lacks its subject"):
        subject_table([PairScore("a", {"accuracy": Term(100.0, 1)}, {"class": "x"})])


def test_a_report_has_every_measure_with_its_interval() -> None:
    record = shipped(flow="expression")
    measures, subjects, confusion = report_tables(record, scores_of(record))
    rows = {(row[0], row[1]): row for row in measures.rows}
    for name, metric in (("accuracy [%]", "accuracy"), ("uf1", "uf1"), ("uar", "uar"), ("macro_f1", "macro_f1")):
        assert float(rows[name, "all"][2]) == pytest.approx(record.score(metric).value, rel=1e-3)
        assert " to " in rows[name, "all"][3]
    assert rows["accuracy [%]", "class=disgust"][4] == str(record.score("accuracy", "class=disgust").pairs)
    assert ("optimism [%]", "all") in rows
    assert "SYNTHETIC data" in measures.title
    assert record.confusion is not None
    assert [row[0] for row in confusion.rows] == list(record.confusion.classes)
    recalls = [float(row[-1]) / 100 for row in confusion.rows]
    assert np.mean(recalls) == pytest.approx(record.score("uar").value, abs=1e-3)
    assert len(subjects.rows) == record.score("accuracy").units


def test_an_empty_class_has_no_recall() -> None:
    rows = confusion_table(Confusion(classes=("a", "b"), counts=((2, 1), (0, 0)))).rows
    assert [row[-1] for row in rows] == ["66.67", "-"]


def test_methods_by_recognisers() -> None:
    first, second = shipped(), shipped(method="zero")
    other = first.protocol.model_copy(update={"options": {**first.protocol.options, "recogniser": "mdmo", "epochs": 1}})
    mdmo = first.model_copy(update={"protocol": other})
    (table,) = method_tables([first, second, mdmo], "accuracy")
    assert table.header == ("method and flow", "mdmo", "roi")
    assert [row[0] for row in table.rows] == ["DIS (MEDIUM), facial flow", "Zero flow, facial flow"]
    score = first.score("accuracy")
    assert score.ci_low is not None
    assert table.rows[0][2] == f"{score.value:.2f} [{score.ci_low:.2f}, {score.ci_high:.2f}]"
    assert table.rows[1][1] == "-"
    assert table.bold == {(0, 2)}
    assert "SYNTHETIC data, CASME II mini" in table.title
    latex = as_latex(table)
    assert r"\toprule" in latex
    assert r"\textbf{" in latex
    with pytest.raises(UsageError, match="metric 'f1': expected accuracy, macro_f1, uf1, uar"):
        method_tables([first], "f1")


def test_of_several_records_the_one_with_most_seeds_counts() -> None:
    one = shipped()
    for records in ([one, with_seeds(one, 3, 50.0)], [with_seeds(one, 3, 50.0), one]):
        (table,) = method_tables(records, "accuracy")
        assert table.rows[0][1].startswith("50.00 [")
        assert "seeds: 3" in table.notes


def test_weights_and_epochs_are_named_where_they_alone_tell_apart() -> None:
    records = [
        read_record(path)
        for path in sorted((VERIFIED / "casme2_5").glob("decflow-c-*.json"))
    ]  # fmt: skip
    clean = [one for one in records if one.protocol.variant == "clean"]
    assert flow_of(clean[0]).weights
    others = clean[0].method.model_copy(
        update={"weights": clean[0].method.weights and clean[0].method.weights.model_copy(update={"sha256": "f" * 64})}
    )
    (table,) = method_tables([*clean, clean[0].model_copy(update={"method": others})])
    assert any("ffffffff" in row[0] for row in table.rows)
    assert not any("ffffffff" in row[0] for row in method_tables(clean)[0].rows)
    card = clean[0].protocol
    short = card.model_copy(update={"options": {**card.options, "epochs": 5}})
    (table,) = method_tables([clean[0], clean[0].model_copy(update={"protocol": short})])
    assert table.header[1:] == ("roi (5 epochs)", "roi (30 epochs)")


def test_clean_stands_beside_official_with_what_the_latter_adds() -> None:
    clean, official = shipped(), shipped(variant="official")
    (table,) = optimism_tables([official, clean])
    ((_, recogniser, said, clips, adds, other, others),) = table.rows
    assert recogniser == "roi"
    assert said.startswith(f"{clean.score('accuracy').value:.2f} [")
    assert other.startswith(f"{official.score('accuracy').value:.2f} [")
    assert adds.startswith(f"+{clean.score('optimism').value:.2f} [")
    assert (clips, others) == (str(clean.pairs), str(official.pairs))
    (alone,) = optimism_tables([official])
    assert alone.rows[0][2:5] == ("-", "-", "-")


def test_records_of_other_clips_or_of_moved_frames_are_tables_of_their_own() -> None:
    one = shipped()
    card = one.protocol
    shifted = card.model_copy(update={"options": {**card.options, "shift": 3, "shift_frames": "ab" * 8, "seeds": 9}})
    tables = method_tables([one, one.model_copy(update={"protocol": shifted})], "accuracy")
    assert [table.title.partition("; ")[2].partition(":")[0] for table in tables] == [
        "CASME II, 5 classes (casme2_5)",
        "CASME II, 5 classes (casme2_5, shift=3)",
    ]
    assert ["seeds: 1" in table.notes for table in tables] == [True, False]


def test_only_what_may_be_ranked_stands_in_a_table() -> None:
    assert method_tables([shipped().model_copy(update={"complete": False})]) == []


def test_folds_never_learn_from_the_subject_that_they_predict() -> None:
    scores = scores_of(shipped())
    rows = list(csv.DictReader(io.StringIO(splits_csv(scores))))
    subjects = sorted({score.labels["subject"] for score in scores})
    assert len(rows) == len(scores) * len(subjects)
    assert sorted(row["clip"] for row in rows if row["set"] == "test") == sorted(score.key for score in scores)
    for row in rows:
        assert (row["set"] == "test") == (row["subject"] == row["held_out"])
        assert subjects[int(row["fold"])] == row["held_out"]
    with pytest.raises(DataError, match="1 subjects; leaving one out needs two"):
        splits_csv([score for score in scores if score.labels["subject"] == subjects[0]])


def test_the_picture_shades_by_share_of_the_true_class(tmp_path: Path) -> None:
    confusion = Confusion(classes=("a", "b"), counts=((9, 1), (0, 2)))
    for name, counts in (("one", confusion.counts), ("scaled", ((90, 10), (0, 20)))):
        write_confusion(tmp_path / f"{name}.png", Confusion(classes=("a", "b"), counts=counts), "title")
    picture = np.asarray(Image.open(tmp_path / "one.png").convert("RGB")).astype(int)
    colors = {tuple(color) for color in picture.reshape(-1, 3)}
    # The darkest and the lightest shade of the map, of the shares 1 and 0.
    assert {(8, 48, 107), (247, 251, 255)} <= colors


def test_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*arguments: object) -> tuple[int, str, str]:
        code = run_command(monkeypatch, "recognisers", *arguments)
        said = capsys.readouterr()
        return code, said.out, said.err

    record = path_of(shipped())
    code, out, err = run("report", record, "--png", tmp_path / "confusion.png")
    assert (code, err.strip()) == (0, f"note: picture: {tmp_path / 'confusion.png'}".removeprefix("note: "))
    assert "by subject, each predicted by what was learnt without it" in out
    assert (tmp_path / "confusion.png").stat().st_size > 5000
    store = VERIFIED.parent
    code, out, _ = run("table", store, "--metric", "uar", "-f", "latex")
    assert code == 0
    assert out.startswith("% needs \\usepackage{booktabs}\n\\begin{table}")
    assert out.count(r"\begin{tabular}") == 3
    code, out, _ = run("table", store, "--optimism", "-f", "md")
    assert code == 0
    assert "| clean \\[%\\] |" in out or "clean" in out
    code, out, _ = run("splits", record, "--out", tmp_path / "splits.csv")
    assert (code, out) == (0, f"{tmp_path / 'splits.csv'}: {14 * 90} rows\n")
    # What cannot be had is one line.
    other = next((VERIFIED / "ck_landmarks").glob("*.json"))
    assert "is a record of ck_landmarks, which recognises no classes" in run("report", other)[2]
    assert "--variant is 'paper', expected clean or official" in run("table", store, "--variant", "paper")[2]
    (tmp_path / "empty").mkdir()
    assert "no record of recognition" in run("table", tmp_path / "empty")[2]
    shutil.copy(record, tmp_path / record.name)
    (tmp_path / record.name).with_suffix(".parquet").write_bytes(b"PAR1")
    assert "is not the table that" in run("splits", tmp_path / record.name)[2]


def test_records_of_other_protocols_are_passed_over() -> None:
    records, problems = find_recognition([VERIFIED.parent])
    assert problems == []
    assert {record.protocol.id for record in records} == {"casme2_3", "casme2_5", "megc_casme2"}
    assert not is_recognition(read_record(next((VERIFIED / "ck_landmarks").glob("*.json"))))


def test_the_text_is_in_columns() -> None:
    lines = as_text(method_tables([shipped(), shipped(method="zero")])[0]).splitlines()
    assert lines[2].startswith("method and flow")
