"""The table of pair scores as a DataFrame, for notebooks and analysis."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ffbench.errors import DataError, UsageError, one_line, reading
from ffbench.io.bounds import names_file_if_out_of_memory
from ffbench.io.hashing import file_sha256
from ffbench.results.record.parquet import read_table
from ffbench.results.record.row import table_path
from ffbench.results.record.run_record import RECORD, RunRecord, read_record

if TYPE_CHECKING:
    import pandas as pd


def read_pairs(path: Path | str | RunRecord) -> pd.DataFrame:
    """Return the scores of all pairs behind a record, a row a pair, in the order of the run.

    Columns: `key`; a column a label, under its name (None where a pair lacks it); and for each term, such as `epe` or
    `epe/lips`, the mean of the pair under its name, in the metric's unit, beside `TERM:sum` and `TERM:count` in float64
    (NaN where a pair lacks the term, and the mean where nothing counts).

    Args:
        path: a record, as its file or as `evaluate` and `read_record` return it, the folder of its run, or a table of
            pair scores by itself.

    Raises:
        UsageError: a record that is in no file.
        DataError: a file is missing or damaged, or the table is not the one that the record names.
    """
    if isinstance(path, RunRecord):
        if path.path is None:
            raise UsageError("the record is in no file, so it has no table of pair scores: read it with read_record")
        path = path.path
    path = Path(path)
    if path.suffix == ".parquet":
        return _frame(path)
    place = path / RECORD if path.is_dir() else path
    record = read_record(place)
    table = table_path(place, record)
    with reading(table, more=f", it belongs to {place}"):
        if file_sha256(table) != record.pair_table.sha256:
            raise DataError(table, f"is not the table that {place} names (other sha256)")
    return _frame(table)


@names_file_if_out_of_memory
def _frame(path: Path) -> pd.DataFrame:
    import pyarrow as pa

    try:
        with reading(path):
            frame = read_table(path, lambda names: names).to_pandas()
    except (pa.ArrowException, ValueError, TypeError, KeyError) as error:
        raise DataError(path, f"cannot be read as a table of pair scores ({one_line(error)})") from error
    for name in [name.removesuffix(":sum") for name in frame.columns if name.endswith(":sum")]:
        if f"{name}:count" not in frame.columns:
            raise DataError(path, f"column '{name}:count' is missing beside '{name}:sum'")
        count = frame[f"{name}:count"]
        frame[name] = (frame[f"{name}:sum"] / count).where(count > 0)
    return frame.rename(columns=lambda name: str(name).removeprefix("label:"))
