"""The table of per-pair scores, as Parquet: a row a pair, a column a label, two columns a term."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ffbench.errors import DataError, one_line
from ffbench.io.atomic import atomic_path
from ffbench.io.bounds import names_file_if_out_of_memory
from ffbench.protocol import PairScore, Term
from ffbench.results.record.parquet import read_table

MAX_VALUES = 2**23
"""Most values of a table that are made into objects, of about a hundred bytes each."""
_ROWS_AT_A_TIME = 1024
_COMPRESSION = 19
"""Zstandard's level: a tenth of a second for the largest tables of the project's own."""


def write_pair_table(path: Path | str, scores: Sequence[PairScore]) -> None:
    """Write `scores` in their order; the same scores give the same bytes.

    Columns: `key`, `label:NAME` (text, null where a pair lacks it), `TERM:sum` and `TERM:count` (float64, null
    where a pair lacks the term).
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    labels = list(dict.fromkeys(name for score in scores for name in score.labels))
    terms = list(dict.fromkeys(name for score in scores for name in score.terms))
    columns = {"key": pa.array([score.key for score in scores], pa.string())}
    for name in labels:
        columns[f"label:{name}"] = pa.array([score.labels.get(name) for score in scores], pa.string())
    for name in terms:
        values = [score.terms.get(name) for score in scores]
        columns[f"{name}:sum"] = pa.array([value and value.sum for value in values], pa.float64())
        columns[f"{name}:count"] = pa.array([value and value.count for value in values], pa.float64())
    texts = [name for name, column in columns.items() if column.type == pa.string()]
    with atomic_path(path) as temporary:
        # Tables are committed. Numbers hardly repeat, so that dictionaries and least and largest values of many short
        # columns are a third of the file, and nothing reads them.
        pq.write_table(
            pa.table(columns),
            temporary,
            compression="zstd",
            compression_level=_COMPRESSION,
            use_dictionary=texts,
            write_statistics=False,
            store_schema=False,
        )


@names_file_if_out_of_memory
def read_pair_table(path: Path | str) -> list[PairScore]:
    """Read what `write_pair_table` wrote.

    Raises:
        DataError: the file cannot be read or is not such a table.
    """
    import pyarrow as pa

    path = Path(path)
    try:
        table = read_table(path, lambda names: names)
        if table.num_rows * table.num_columns > MAX_VALUES:
            raise DataError(path, f"more than {MAX_VALUES} values, no table of pair scores has as many")
        batches = table.to_batches(max_chunksize=_ROWS_AT_A_TIME)
        return [_from_row(path, row) for batch in batches for row in batch.to_pylist()]
    # Damaged names and values show as errors of text, numbers and types.
    except (OSError, pa.ArrowException, ValueError, TypeError, KeyError) as error:
        # The library's messages have several lines.
        reason = one_line(error)
        raise DataError(path, f"cannot be read as a table of pair scores ({reason})") from error


def _from_row(path: Path, row: dict[str, str | float | None]) -> PairScore:
    labels: dict[str, str] = {}
    terms: dict[str, Term] = {}
    for column, value in row.items():
        if value is None or column == "key":
            continue
        if column.startswith("label:"):
            labels[column.removeprefix("label:")] = str(value)
        elif column.endswith(":sum"):
            name = column.removesuffix(":sum")
            count = row.get(f"{name}:count")
            if count is None:
                raise DataError(path, f"column '{name}:count' is missing or empty beside '{column}'")
            terms[name] = Term(float(value), float(count))
    if not isinstance(row.get("key"), str):
        raise DataError(path, "column 'key' is missing or not text")
    return PairScore(str(row["key"]), terms, labels)
