"""Columns of a table of pair scores, without making an object of every value; the table may come from a stranger."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ffbench.errors import DataError, one_line, reading
from ffbench.io.bounds import names_file_if_out_of_memory
from ffbench.io.hashing import file_sha256
from ffbench.results.record.parquet import read_table
from ffbench.typing import Floats


@dataclass(frozen=True)
class PairColumns:
    """Pairs sorted by key. `terms` gives sums and counts (N,) by term, 0 where a pair lacks it; `labels` None there."""

    keys: list[str]
    terms: dict[str, tuple[Floats, Floats]]
    labels: dict[str, list[str | None]]

    def only(self, keys: Collection[str]) -> PairColumns:
        """Return the columns of these pairs alone."""
        wanted = set(keys)
        places = [place for place, key in enumerate(self.keys) if key in wanted]
        return PairColumns(
            [self.keys[place] for place in places],
            {name: (sums[places], counts[places]) for name, (sums, counts) in self.terms.items()},
            {name: [values[place] for place in places] for name, values in self.labels.items()},
        )


@names_file_if_out_of_memory
def read_columns(path: Path, sha256: str, *, metric: str, labels: Sequence[str] = ()) -> PairColumns:
    """Read the terms `metric` and `metric/group`, and some labels, of a table of pair scores.

    Args:
        path: the Parquet file.
        sha256: what it must hash to, as its record says.
        metric: the metric.
        labels: labels that are wanted; one that the table lacks is None for every pair.

    Raises:
        DataError: the file is missing, is not the one that the record names, or not such a table.
    """
    import pyarrow as pa

    def wanted(names: Sequence[str]) -> list[str]:
        terms = [name for name in names if name.startswith((f"{metric}:", f"{metric}/"))]
        return ["key", *terms, *(f"label:{label}" for label in labels if f"label:{label}" in names)]

    try:
        with reading(path):
            if file_sha256(path) != sha256:
                raise DataError(path, "is not the table that its record names (other sha256)")
            return _columns(path, read_table(path, wanted).sort_by("key"), metric, labels)
    except (pa.ArrowException, KeyError, ValueError, TypeError) as error:
        raise DataError(path, f"cannot be read as a table of pair scores ({one_line(error)})") from error


def _columns(path: Path, table: Any, metric: str, labels: Sequence[str]) -> PairColumns:
    import pyarrow as pa

    text, number = pa.string(), pa.float64()
    for name in table.column_names:
        if table.schema.field(name).type != (text if name == "key" or name.startswith("label:") else number):
            raise DataError(path, f"column '{name}' is {table.schema.field(name).type}, expected text or float64")
    keys = table["key"].to_pylist()
    if None in keys or len(set(keys)) != len(keys):
        raise DataError(path, "pairs without a name, or with one name twice")
    terms = {}
    for name in table.column_names:
        if name.endswith(":sum"):
            term = name.removesuffix(":sum")
            sums, counts = (table[f"{term}:{part}"].fill_null(0.0).to_numpy() for part in ("sum", "count"))
            if not (np.isfinite(sums).all() and np.isfinite(counts).all() and (counts >= 0).all()):
                raise DataError(path, f"'{term}' has sums or counts that are not finite, or counts below 0")
            terms[term] = (sums, counts)
    if metric not in terms:
        raise DataError(path, f"has no metric '{metric}'")
    present = set(table.column_names)
    nothing: list[str | None] = [None] * len(keys)
    found = {name: table[f"label:{name}"].to_pylist() if f"label:{name}" in present else nothing for name in labels}
    return PairColumns(keys, terms, found)


def unit_totals(values: Floats, units: Sequence[str]) -> Floats:
    """Add up the rows of (N, K) values that share a unit; units in sorted order, as (units, K)."""
    names, index = np.unique(np.asarray(units, dtype=object).astype(str), return_inverse=True)
    totals = np.zeros((len(names), values.shape[1]))
    np.add.at(totals, index.ravel(), values)
    return totals


def unit_names(columns: PairColumns, resample_by: str | None) -> list[str]:
    """Name the unit of each pair: the pair itself, or its value of the label `resample_by`.

    Raises:
        DataError: a pair lacks the label.
    """
    if resample_by is None:
        return columns.keys
    names = columns.labels[resample_by]
    missing = next((key for key, name in zip(columns.keys, names, strict=True) if name is None), None)
    if missing is not None:
        raise DataError(f"pair {missing}: has no label '{resample_by}', by which pairs are resampled")
    return [str(name) for name in names]
