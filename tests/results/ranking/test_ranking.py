"""Ranks: position by value, sets of ranks that are not ruled out, and nothing that cannot be compared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ffbench.errors import DataError
from ffbench.results.ranking.order import Ranking, comparable_columns, rank
from ffbench.results.record.run_record import RunRecord, write_record
from tests.results.made_runs import make_run, row

HARD = np.random.default_rng(0).gamma(1.0, 2.0, 80)


def noisy(shift: float, seed: int) -> list[float]:
    return list(HARD + shift + 0.3 * np.random.default_rng(seed).normal(size=len(HARD)))


def ranks(ranking: Ranking) -> list[tuple[str, int | None, int | None, int | None]]:
    return [(row.row.method, row.position, row.best, row.worst) for row in ranking.rows]


def test_methods_that_are_not_separable_share_a_rank_set_and_are_marked(tmp_path: Path) -> None:
    runs = {"best": (0.0, 1), "twin": (0.005, 2), "third": (0.5, 3), "last": (2.0, 4)}
    paths = [make_run(tmp_path, name, noisy(*chosen)) for name, chosen in runs.items()]
    rows = rank([row(path) for path in reversed(paths)]).rows
    assert {ranked.row.method for ranked in rows[:2]} == {"best", "twin"}
    assert [ranked.position for ranked in rows] == [1, 2, 3, 4]
    assert [(ranked.best, ranked.worst) for ranked in rows] == [(1, 2), (1, 2), (3, 3), (4, 4)]
    assert [ranked.tied_above for ranked in rows] == [False, True, False, False]
    assert [ranked.row.value for ranked in rows] == sorted(ranked.row.value for ranked in rows)


def test_higher_is_better(tmp_path: Path) -> None:
    paths = [make_run(tmp_path, name, noisy(shift, 1), higher_is_better=True) for name, shift in (("a", 0), ("b", 1))]
    assert ranks(rank([row(path) for path in paths])) == [("b", 1, 1, 1), ("a", 2, 2, 2)]


def test_a_chain_of_small_steps(tmp_path: Path) -> None:
    """Neighbours are not separable, the ends are: the one in between may be as good as either."""
    rng = np.random.default_rng(7)
    noise = [rng.normal(size=60) for _ in range(3)]
    noise = [values - values.mean() for values in noise]
    paths = [make_run(tmp_path, name, list(5 + 0.3 * k + noise[k])) for k, name in enumerate("abc")]
    assert ranks(rank([row(path) for path in paths])) == [("a", 1, 1, 2), ("b", 2, 1, 3), ("c", 3, 2, 3)]


def test_subjects_are_units_as_a_whole(tmp_path: Path) -> None:
    """Six subjects with 20 pairs each are 6 units, not 120: what pairs would separate is not."""
    rng = np.random.default_rng(2)
    labels = [{"subject": f"S{index // 20}"} for index in range(120)]
    offsets = np.repeat([0.1, 0.9, -0.2, 0.1, 0.9, -0.2], 20)
    first = 5 + rng.normal(size=120) * 0.05
    second = first + offsets
    by_pair = [make_run(tmp_path / "p", n, list(v)) for n, v in (("a", first), ("b", second))]
    by_subject = [
        make_run(tmp_path / "s", n, list(v), labels=labels, resample_by="subject")
        for n, v in (("a", first), ("b", second))
    ]
    assert ranks(rank([row(path) for path in by_pair])) == [("a", 1, 1, 1), ("b", 2, 2, 2)]
    assert ranks(rank([row(path) for path in by_subject])) == [("a", 1, 1, 2), ("b", 2, 1, 2)]


def test_too_few_subjects_tell_nothing_apart_and_say_so(tmp_path: Path) -> None:
    labels = [{"subject": f"S{index // 2}"} for index in range(8)]
    rows = [
        row(make_run(tmp_path, name, [value] * 8, labels=labels, resample_by="subject"))
        for name, value in (("a", 1.0), ("b", 9.0))
    ]
    ranking = rank(rows)
    assert ranks(ranking) == [("a", 1, 1, 2), ("b", 2, 1, 2)]
    assert {ranked.note for ranked in ranking.rows} == {"not compared: 4 subjects, an interval takes 5"}


def test_equal_values_share_a_position(tmp_path: Path) -> None:
    paths = [make_run(tmp_path, name, noisy(shift, 1)) for name, shift in (("a", 0), ("b", 0), ("c", 1))]
    assert ranks(rank([row(path) for path in paths])) == [("a", 1, 1, 2), ("b", 1, 1, 2), ("c", 3, 3, 3)]


def test_pairs_weigh_by_their_counts(tmp_path: Path) -> None:
    path = make_run(tmp_path, "a", [1.0, 3.0], counts=[3.0, 1.0])
    assert row(path).value == 1.5
    comparable_columns(row(path))


def test_rows_without_a_usable_table_are_shown_but_not_ranked(tmp_path: Path) -> None:
    paths = {name: make_run(tmp_path, name, noisy(shift, 1)) for name, shift in (("a", 0.0), ("b", 1.0), ("c", 2.0))}
    paths["b"].with_name("pairs.parquet").unlink()
    record = RunRecord.model_validate_json(paths["c"].read_text())
    changed = record.primary.model_copy(update={"value": 0.5})
    write_record(paths["c"], record.model_copy(update={"primary": changed}))
    places = rank([row(path) for path in paths.values()])
    assert ranks(places) == [("a", 1, 1, 1), ("c", None, None, None), ("b", None, None, None)]
    assert "not the mean over its pairs" in places.rows[1].note
    assert "No such file" in places.rows[2].note


def test_other_pairs_are_not_compared(tmp_path: Path) -> None:
    places = rank([row(make_run(tmp_path, "a", [1.0, 2.0, 3.0])), row(make_run(tmp_path, "b", [2.0, 3.0]))])
    assert ranks(places) == [("a", 1, 1, 1), ("b", None, None, None)]
    assert "other pairs" in places.rows[1].note


def test_tables_of_strangers_are_refused(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = make_run(tmp_path, "a", [1.0, 2.0])
    table = path.with_name("pairs.parquet")

    def spoilt(content: dict[str, object]) -> str:
        pq.write_table(pa.table(content), table)
        from ffbench.io.hashing import file_sha256
        from ffbench.results.ranking.pair_columns import read_columns

        with pytest.raises(DataError) as error:
            read_columns(table, file_sha256(table), metric="epe", labels=["x"])
        return str(error.value)

    good = {"key": ["a", "b"], "epe:sum": [1.0, 2.0], "epe:count": [1.0, 1.0]}
    assert "with one name twice" in spoilt({**good, "key": ["a", "a"]})
    assert "expected text or float64" in spoilt({**good, "epe:sum": [1, 2]})
    assert "not finite" in spoilt({**good, "epe:sum": [1.0, float("nan")]})
    assert "counts below 0" in spoilt({**good, "epe:count": [1.0, -1.0]})
    assert "expected text or float64" in spoilt({**good, "label:x": [1, 2]})
    assert "no metric 'epe'" in spoilt({"key": ["a"]})
    assert "cannot be read as a table" in spoilt({"key": ["a"], "epe:sum": [1.0]})
    with pytest.raises(DataError, match="other sha256"):
        comparable_columns(row(path))
    table.write_bytes(b"PAR1")
    with pytest.raises(DataError, match="other sha256"):
        comparable_columns(row(path))


def test_boards_are_never_mixed(tmp_path: Path) -> None:
    real = make_run(tmp_path, "a", [1.0, 2.0], dataset={"origin": "real"})
    with pytest.raises(ValueError, match="different boards"):
        rank([row(real), row(make_run(tmp_path, "b", [1.0, 2.0]))])
    assert rank([]).rows == ()
