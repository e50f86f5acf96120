"""Records and tables of pair scores as DataFrames."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ffbench
from ffbench.errors import DataError
from ffbench.protocol import PairScore, Term
from ffbench.results.record.dataframe import read_pairs
from ffbench.results.record.pair_table import read_pair_table, write_pair_table
from ffbench.results.record.run_record import read_record
from ffbench.results.store.records import add_record
from tests.results.made_runs import make_run

SEXES = [{"sex": "f"}, {"sex": "m"}, {"sex": "f"}]


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return make_run(tmp_path, "net", [1.0, 2.0, 4.0], counts=[2.0, 0.0, 5.0], labels=SEXES)


def test_pairs_have_labels_means_sums_and_counts(record: Path, tmp_path: Path) -> None:
    frame = read_pairs(record)
    assert list(frame["key"]) == ["00000", "00001", "00002"]
    assert list(frame["sex"]) == ["f", "m", "f"]
    assert list(frame["epe:sum"]) == [2.0, 0.0, 20.0]
    assert list(frame["epe:count"]) == [2.0, 0.0, 5.0]
    assert (frame["epe"][0], frame["epe"][2]) == (1.0, 4.0)
    assert math.isnan(frame["epe"][1])  # nothing counts
    for same in (record.parent, record.with_name("pairs.parquet"), str(record)):
        assert read_pairs(same).equals(frame)
    stored = add_record(tmp_path / "store", record, "verified")
    assert read_pairs(stored).equals(frame)
    assert ffbench.read_pairs is read_pairs


def test_summary(record: Path) -> None:
    found = read_record(record)
    frame = found.to_dataframe()
    assert list(frame.columns) == ["metric", "group", "unit", *list(frame.columns)[3:]]
    assert {"value", "ci_low", "ci_high", "pairs", "no_interval", "units"} < set(frame.columns)
    whole = frame[(frame["metric"] == "epe") & (frame["group"] == "all")].iloc[0]
    assert (whole["value"], whole["unit"], whole["pairs"]) == (found.score("epe").value, "px", found.score("epe").pairs)
    assert len(frame) == len(found.scores)


def test_a_table_of_another_record_is_refused(record: Path, tmp_path: Path) -> None:
    other = make_run(tmp_path, "other", [9.0])
    record.with_name("pairs.parquet").write_bytes(other.with_name("pairs.parquet").read_bytes())
    with pytest.raises(DataError, match=r"is not the table that .*other sha256"):
        read_pairs(record)
    record.with_name("pairs.parquet").unlink()
    with pytest.raises(DataError, match=r"pairs\.parquet: cannot be read .*, it belongs to"):
        read_pairs(record)


def test_damaged_tables(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1 nothing PAR1")
    with pytest.raises(DataError, match=r"a\.parquet"):
        read_pairs(path)
    pq.write_table(pa.table({"key": ["a"], "epe:sum": [1.0]}), path)
    with pytest.raises(DataError, match="column 'epe:count' is missing"):
        read_pairs(path)


@given(
    values=st.lists(
        st.tuples(st.floats(0, 1e6), st.integers(0, 9), st.sampled_from(["f", "m", None])), min_size=1, max_size=8
    )
)
def test_it_says_what_the_table_of_scores_says(values: list[tuple[float, int, str | None]], tmp_path_factory) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path_factory.mktemp("pairs") / "pairs.parquet"
    scores = [
        PairScore(str(index), {"epe": Term(total, float(count))}, {"sex": sex} if sex else {})
        for index, (total, count, sex) in enumerate(values)
    ]
    write_pair_table(path, scores)
    frame, read = read_pairs(path), read_pair_table(path)
    assert list(frame["key"]) == [score.key for score in read]
    for row, score in zip(frame.to_dict("records"), read, strict=True):
        term = score.terms["epe"]
        assert (row["epe:sum"], row["epe:count"]) == (term.sum, term.count)
        assert np.isclose(row["epe"], term.sum / term.count) if term.count else np.isnan(row["epe"])
        if "sex" in row:
            assert score.labels.get("sex") == (row["sex"] if isinstance(row["sex"], str) else None)
