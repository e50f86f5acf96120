"""`ffbench table`: which records stand in which cell, what is compared with the paper, and how it is written."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from ffbench.errors import UsageError
from ffbench.method import WeightsCard
from ffbench.results.record.run_record import RunRecord, Submission
from ffbench.results.report.paper_tables import find_records, measured_rows, reported_table
from ffbench.results.report.table_text import FORMATS, compose
from tests.commands import run_command
from tests.results.records import make_record, save

TEST = {"split": "test"}
SINTEL = WeightsCard(name="raft-sintel.ckpt", source="https://example.org/raft-sintel.ckpt", sha256="b" * 64)
MINE = WeightsCard(name="mine.ckpt", source="file", sha256="c" * 64)
SCALES = {("epe", "all"): 0.36149, **{("epe", f"scale=1/{n}"): n / 100 for n in (20, 15, 10, 5)}}
TRACKS = {"tracks": "metrical tracker", "image": "crop", "visibility": "all"}


def raft(**changes: object) -> RunRecord:
    return make_record("ffn_motion_scale", "raft", SCALES, **{"weights": SINTEL, "options": TEST, **changes})  # type: ignore[arg-type]


def rows_of(number: int, *records: RunRecord, **same_as: str) -> list[tuple[object, ...]]:
    table = reported_table(number)
    measured, _ = measured_rows(table, records, same_as)
    return [(row.label, row.variant, row.row, [score and score.value for score in row.scores]) for row in measured]


def test_scores_stand_in_their_columns() -> None:
    assert rows_of(2, raft()) == [("raft", "paper", "RAFT", [0.2, 0.15, 0.1, 0.05, 0.36149])]


def test_the_readings_of_a_metric_are_rows_of_their_own() -> None:
    assert [row[:3] for row in rows_of(2, raft(), raft(variant="official"))] == [
        ("raft", "official", "RAFT"), ("raft", "paper", "RAFT")
    ]  # fmt: skip


def test_one_row_of_several_protocols_and_the_latest_run_counts() -> None:
    ck = make_record("ck_landmarks", "dis", {("epe", "all"): 4.0}, minute=5)
    older = make_record("ck_landmarks", "dis", {("epe", "all"): 9.0}, minute=1)
    mead = make_record("mead_vertices", "dis", {("epe", "all"): 5.0}, options={**TRACKS, "gap": 1})
    assert rows_of(3, ck, mead, older) == [("dis", "paper", None, [5.0, None, 4.0])]


def test_weights_from_a_file_can_be_anybodys() -> None:
    record = raft(weights=MINE)
    assert rows_of(2, record)[0][:3] == ("raft@mine.ckpt", "paper", None)
    same = measured_rows(reported_table(2), [record], {"raft@mine.ckpt": "RAFT+FFN"})[0]
    assert same[0].row == "RAFT+FFN"
    with pytest.raises(UsageError, match="no row 'RAFT\\+ffn'"):
        measured_rows(reported_table(2), [record], {"raft@mine.ckpt": "RAFT+ffn"})
    with pytest.raises(UsageError, match=r"no record of 'raft'; there are raft@mine\.ckpt"):
        measured_rows(reported_table(2), [record], {"raft": "RAFT"})


def test_flows_that_were_made_elsewhere_are_told_apart() -> None:
    submission = Submission(name="someone", files=1, sha256="0" * 64)
    record = raft().model_copy(update={"kind": "submitted", "submission": submission})
    assert [row[:3] for row in rows_of(2, record, raft())] == [
        ("raft", "paper", "RAFT"),
        ("raft [submitted]", "paper", None),
    ]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (raft(complete=False), "raft on ffn_motion_scale: not all pairs were scored"),
        (raft(weights=WeightsCard(name="random", source="seed 0", random=True)), "random weights"),
        (raft(options={"split": "val"}), "run with split = val, the column needs split = test"),
        (raft(units={"epe": "m"}), "has no epe in px"),
    ],
)
def test_records_that_cannot_stand_in_the_table_are_named(record: RunRecord, reason: str) -> None:
    rows, left_out = measured_rows(reported_table(2), [record])
    assert rows == []
    assert len(left_out) == 1  # once, and not once a column
    assert reason in left_out[0]


def test_face_mesh_tracks_do_not_stand_beside_the_papers_tracker() -> None:
    record = make_record("ck_vertices", "dis", {("epe", "all"): 1.0}, options={**TRACKS, "tracks": "face mesh"})
    rows, left_out = measured_rows(reported_table(3), [record])
    assert rows == []
    assert "tracks = face mesh" in left_out[0]


@pytest.mark.parametrize(("origin", "tracks"), [("synthetic", "exact"), ("real", "metrical tracker")])
def test_vertices_of_faces_that_ffbench_made_are_exact(origin: str, tracks: str) -> None:
    records = [
        make_record("ck_vertices", "dis", {("epe", "all"): 1.0}, origin=origin, options={**TRACKS, "tracks": found})
        for found in ("metrical tracker", "exact")
    ]
    (row,), (left_out,) = measured_rows(reported_table(3), records)
    assert row.origin == origin
    assert f"the column needs tracks = {tracks}" in left_out


def test_flows_of_one_method_are_told_apart_in_table_4() -> None:
    def record(flow: str, accuracy: float) -> RunRecord:
        return make_record("casme2_5", "decflow", {("accuracy", "all"): accuracy, ("macro_f1", "all"): 0.5},
                           options={"flow": flow, "recogniser": "mmnet"}, units={"accuracy": "%", "macro_f1": "1"},
                           variant="clean")  # fmt: skip

    assert rows_of(4, record("facial", 70.0), record("expression", 80.0)) == [
        ("decflow (expression, mmnet)", "clean", "DecFlow(E)", [80.0, 0.5, None, None]),
        ("decflow (facial, mmnet)", "clean", "DecFlow(F)", [70.0, 0.5, None, None]),
    ]


def test_recipes_and_derived_heads_are_told_apart_in_table_4_and_no_derived_head_is_not_said() -> None:
    def row(**options: str) -> object:
        record = make_record("casme2_5", "dis", {("accuracy", "all"): 50.0}, options=options, units={"accuracy": "%"})
        return rows_of(4, record)[0][0]

    assert row(flow="facial", derive_head="none", recogniser="roi") == "dis (facial, roi)"
    assert (
        row(flow="expression", derive_head="rigid", recogniser="mmnet", recipe="released")
        == "dis (expression, rigid, mmnet, released)"
    )


def blocks_of(number: int, *records: RunRecord, synthetic: bool = False):  # type: ignore[no-untyped-def]
    table = reported_table(number)
    return compose(table, measured_rows(table, records)[0], synthetic=synthetic)


def test_measured_rows_and_differences_follow_the_printed_row() -> None:
    dis = make_record("ffn_motion_scale", "dis", {("epe", "all"): 0.5}, options=TEST)
    (block,) = blocks_of(2, raft(), dis)
    lines = [(line.kind, line.name, line.cells) for line in block.lines]
    assert lines[:3] == [
        ("paper", "RAFT", ("0.275", "0.316", "0.433", "0.695", "0.354")),
        ("measured", "raft", ("0.200", "0.150", "0.100", "0.050", "0.361")),
        ("difference", "raft", ("-0.075", "-0.166", "-0.333", "-0.645", "+0.007")),
    ]
    assert lines[-1] == ("measured", "dis", ("", "", "", "", "0.500"))
    assert block.best == {(10, column) for column in range(5)}  # DecFlow(Ours), two lines lower
    assert block.notes == (
        "Sum.: dis was measured on 7 pairs, the paper's methods on 10,395",
        "Sum.: raft was measured on 7 pairs, the paper's methods on 10,395",
    )


def test_synthetic_rows_stand_apart_or_not_at_all() -> None:
    made = raft(origin="synthetic")
    (block,) = blocks_of(2, made)
    assert {line.kind for line in block.lines} == {"paper"}
    real, synthetic = blocks_of(2, made, raft(), synthetic=True)
    assert "SYNTHETIC" in synthetic.title
    assert [line.kind for line in synthetic.lines] == ["measured"]
    assert sum(line.kind == "measured" for line in real.lines) == 1


def test_text() -> None:
    text = FORMATS["text"](blocks_of(2, raft())).splitlines()
    assert text[0] == "Table 2: Endpoint error on FFN, test split, by motion scale (section 5.3)"
    assert text[2].split() == [
        "method", "source", *(word for scale in ("1/20", "1/15", "1/10", "1/5", "Sum.") for word in (scale, "[px]"))
    ]  # fmt: skip
    assert text[5].split() == ["raft", "measured,", "paper", "0.200", "0.150", "0.100", "0.050", "0.361"]
    assert len({len(line) for line in text[2:15]}) == 1


def test_csv() -> None:
    rows = list(csv.DictReader(io.StringIO(FORMATS["csv"](blocks_of(2, raft(), raft(origin="synthetic"),
                                                                    synthetic=True)))))  # fmt: skip
    assert rows[0] | {"Sum. [px]": "0.354"} == rows[0]
    assert [row["source"] for row in rows[:3]] == ["paper", "measured", "difference"]
    assert (rows[2]["Sum. [px]"], rows[1]["variant"], rows[0]["variant"]) == ("+0.007", "paper", "")
    assert [row["data"] for row in rows] == ["real"] * 11 + ["synthetic"]


def test_markdown() -> None:
    lines = FORMATS["md"](blocks_of(5)).splitlines()
    assert lines[2:4] == [
        r"| Method | Source | FFN \[px\] | CK+(V.) \[px\] | CK+(L.) \[px\] |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    assert "| DecFlow (Ours) | paper | **0.132** | **4.67** | **3.47** |" in lines
    assert "- GMA: finetuned on FFN: GMA+FFN of Tables 2 and 3" in lines


def test_latex() -> None:
    casme = make_record("casme2_5", "a_b", {("accuracy", "all"): 50.0}, units={"accuracy": "%"}, options={"flow": "x"})
    latex = FORMATS["latex"](blocks_of(4, casme))
    for part in (
        "\\usepackage{booktabs}",
        "\\toprule",
        "Accuracy (5 classes) [\\%]",
        "DecFlow(E) & paper & \\textbf{82.1} & \\textbf{0.818} & \\textbf{94.2} & \\textbf{0.931} \\\\",
        "a\\_b (x) & measured, paper & 50.0 &  &  &  \\\\",
        "\\begin{tabular}{llrrrr}",
    ):
        assert part in latex
    assert latex.count("\\textbf") == 4
    minus = FORMATS["latex"](blocks_of(2, raft()))
    assert "raft & difference & $-0.075$" in minus


def test_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    runs = save(tmp_path / "runs", raft(weights=MINE), raft(origin="synthetic"), raft(complete=False))
    (runs / "bad").mkdir()
    (runs / "bad" / "record.json").write_text("{}")
    assert run_command(monkeypatch, "table", 2, "--runs", runs, "--as", "raft@mine.ckpt=RAFT+FFN", "-f", "csv") == 0
    out, err = capsys.readouterr()
    assert "real,difference,raft@mine.ckpt,paper,+0.089,+0.020,-0.082,-0.266,+0.213" in out
    assert "synthetic," not in out
    for part in ("bad/record.json: not a run record", "not all pairs were scored", "1 rows on synthetic data"):
        assert part in " ".join(err.split())
    assert run_command(monkeypatch, "table", 3, "--runs", tmp_path / "none") == 0
    out, err = capsys.readouterr()
    assert "FlowFormer+FMEAD" in out
    assert "no run on real data for this table" in err
    assert run_command(monkeypatch, "table", 7) == 2
    assert "Table 7 is not here" in capsys.readouterr().err


def test_unreadable_records_are_listed(tmp_path: Path) -> None:
    save(tmp_path, raft())
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "record.json").write_text("[]")
    records, problems = find_records(tmp_path)
    assert (len(records), len(problems)) == (1, 2)
